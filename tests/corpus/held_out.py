"""Reported bugs of the half for development, drawn by lot and restated when the kit was frozen at version 3.7.

See survey/corpus.toml. Formulas only, none of the projects' lines. Clipping of the predicted data is off. Where a
project's alpha-bar does not begin at its last entry, or end at 1, that is another row.
"""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from scipy.stats import beta as beta_law
from torch import Tensor

from samplercheck import Sampler, noise_level
from tests.corpus.others_d_to_z import DDPM, SD, Array, abar, ddim, discrete, eps_of, ve_sigmas, vp


def mesh(steps: int, ends: tuple[float, float], power: int = 1) -> list[float]:
    """Return alpha-bar at T - 1, T - 1 - k, ..., k - 1 of T = n k (8000 or a little more), and 1."""
    stride = math.ceil(8000 / steps)
    return [*abar(steps * stride, ends, power)[::-stride].tolist(), 1.0]


def stochastic_ddim(x: Tensor, eps: Tensor, now: float, then: float, eta: float, less: float, z: Tensor) -> Tensor:
    """Return the DDIM step at eta, of equations 12 and 16, whose direction has the variance 1 - ab less `less` var."""
    var = (1 - then) / (1 - now) * (1 - now / then)
    x0 = (x - math.sqrt(1 - now) * eps) / math.sqrt(now)
    return math.sqrt(then) * x0 + math.sqrt(1 - then - less * var) * eps + eta * math.sqrt(var) * z


def comfy_beta_duplicate_sigmas(fixed: bool) -> Sampler:
    """Timesteps round(999 q), q the quantiles of Beta(0.6, 0.6), held one twice from 139 steps on; fixed: once.

    Asked with DPM-Solver++ 2M. A step of h = 0 makes the next one's weight h / h_last infinite and its difference 0.
    The fix makes fewer steps than asked for.
    """
    table = ve_sigmas(abar(1000, SD, 2))

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        times = np.rint(999 * beta_law.ppf(1 - np.arange(steps) / steps, 0.6, 0.6)).astype(int).tolist()
        sigmas = [*table[list(dict.fromkeys(times)) if fixed else times].tolist(), 0.0]
        last, old = math.inf, x
        for now, then in pairwise(sigmas):
            x0: Tensor = network("x0", x, noise_level(1.0, now))
            if then == 0:
                return x0
            h = math.log(now / then)
            with np.errstate(divide="ignore", invalid="ignore"):
                weight = float(np.divide(h, last)) / 2
            x = then / now * x - math.expm1(-h) * (x0 + weight * (x0 - old))
            last, old = h, x0
        return x

    return Sampler("ComfyUI DPM++ 2M, beta", "1", run, prior=lambda steps: float(table[-1]), order=2, noise=0.0)


def comfy_res_multistep_ancestral_c2(fixed: bool) -> Sampler:
    """RES of order 2 in t = -log sigma, each step to sigma_down, then noise; c2 = (t_{i-1} - t_i) / h at step i.

    Fixed: c2 = (t_{i-1} - t(the last sigma_down)) / h, so minus the ratio of the last h to this one.
    At eta 1, h is twice the step in log sigma: the slope before was about twice that of the SDE solver of order 2.
    """

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        since, old = math.inf, x
        for now, then in pairwise(discrete(steps)):
            x0: Tensor = network("x0", x, noise_level(1.0, now))
            if then == 0:
                return x0
            down, up = then**2 / now, then * math.sqrt(1 - (then / now) ** 2)
            h = math.log(now / down)
            slope = (1 + math.expm1(-h) / h) * h / since * (x0 - old)
            x = math.exp(-h) * x - math.expm1(-h) * x0 + slope + up * torch.randn_like(x)
            since, old = h if fixed else math.log(now / then), x0
        return x

    return Sampler("ComfyUI RES multistep ancestral", "1", run, prior=lambda steps: discrete(steps)[0], noise=1.0)


def ddp_ddim_noise_last_step(fixed: bool) -> Sampler:
    """DDIM at eta 1 drew noise at the last step too; fixed: none where the next time is 0.

    Not a fault of the law: alpha-bar at the time 0 is 1 in this code, so the noise has the weight 0 there. The mesh and
    the shifted alpha-bars of that commit are another row, ddp-ddim-time-pairs-alphas.
    """

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        for now, then in pairwise(mesh(steps, DDPM)):
            z = torch.zeros_like(x) if fixed and then == 1 else torch.randn_like(x)
            x = stochastic_ddim(x, network("eps", x, vp(now)), now, then, 1.0, 1.0, z)
        return x

    return Sampler("denoising-diffusion-pytorch DDIM, eta 1", "1", run, prior=lambda steps: 1.0, noise=1.0)


def ddpm_inversion_eta_not_squared(fixed: bool) -> Sampler:
    """The direction was sqrt(1 - ab_prev - eta var) eps beside noise eta sqrt(var) z; by the paper eta^2 var.

    Asked at eta 0.5, as the report has it: at 0 and 1 both are the same. No fix is merged.
    """

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        for now, then in pairwise(mesh(steps, SD, 2)):
            eps, less = network("eps", x, vp(now)), 0.25 if fixed else 0.5
            x = stochastic_ddim(x, eps, now, then, 0.5, less, torch.randn_like(x))
        return x

    return Sampler("DDPM_inversion reverse step, eta 0.5", "1", run, prior=lambda steps: 1.0, noise=0.5)


def diffusers_ddim_sample_prediction(fixed: bool) -> Sampler:
    """DDIM at eta 0 of a network of x0, whose direction is sqrt(1 - ab_prev) times x0; fixed: times eps of x0."""

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        for now, then in pairwise(mesh(steps, DDPM)):
            x0 = network("x0", x, vp(now))
            x = ddim(x0, eps_of(x, x0, now) if fixed else x0, then)
        return x

    return Sampler("diffusers DDIM, sample", "1", run, prior=lambda steps: 1.0, order=1, noise=0.0)


def diffusers_ddpm_learned_range_skipped_max(fixed: bool) -> Sampler:
    """The log variance lay between those of the posterior and of beta_t, also for steps of stride k.

    Fixed: the upper one is 1 - ab_t / ab_{t-k}. A Sampler's network predicts no v: it is 0, the middle of both logs.
    The table has n k entries, 1000 or the next multiple of n: a finer one would make beta_t smaller than reported.
    """

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        stride = math.ceil(1000 / steps)
        ab = [*abar(steps * stride, DDPM).tolist(), *[1.0] * stride]  # 1 at the timesteps below 0
        for t in range(steps * stride - 1, -1, -stride):
            now, then = ab[t], ab[t - stride]
            beta = 1 - now / then
            x = (x - beta / math.sqrt(1 - now) * network("eps", x, vp(now))) / math.sqrt(1 - beta)
            if then < 1:
                low, high = beta * (1 - then) / (1 - now), beta if fixed else 1 - now / ab[t - 1]
                x = x + (low * high) ** 0.25 * torch.randn_like(x)
        return x

    return Sampler("diffusers DDPM, learned range", "1", run, prior=lambda steps: 1.0, noise=1.0)


def zea_warm_start_off_by_one(fixed: bool) -> Sampler:
    """Given samples got the noise of the time 1 - (i - 1) / N though the run begins at step i, time 1 - i / N.

    Fixed: the noise of 1 - i / N. Here i is N / 2; the signal rate goes from 0.02 to 1 (by default to 0.95, so that
    noise is left at the last call).
    """

    def levels(steps: int) -> list[tuple[float, float]]:
        angles = np.linspace(math.acos(0.02), 0, 2 * steps + 1).tolist()
        return [(math.cos(angle), math.sin(angle)) for angle in angles]

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        for (signal, sigma), (to, left) in pairwise(levels(steps)[steps:]):
            eps = network("eps", x, noise_level(signal, sigma))
            x = to * (x - sigma * eps) / signal + left * eps
        return x

    return Sampler(
        "zea DDIM, warm start",
        "1",
        run,
        prior=lambda steps: 1.0,
        begins=lambda steps: noise_level(*levels(steps)[steps if fixed else steps - 1]),
        order=1,
        noise=0.0,
    )


def ancestral(network: Any, x: Tensor, ab: Array, steps: int, fresh: bool = True) -> Tensor:
    """Return the end of DDPM from the last entry of `ab`, whose noise is fresh or the predicted one."""
    mesh = [*ab[np.linspace(len(ab) - 1, 0, steps).round().astype(int)].tolist(), 1.0]
    for now, then in pairwise(mesh):
        beta, eps = 1 - now / then, network("eps", x, vp(now))
        z = torch.randn_like(x) if fresh else eps
        x = (x - beta / math.sqrt(1 - now) * eps) / math.sqrt(1 - beta) + math.sqrt(beta * (1 - then) / (1 - now)) * z
    return x


def azula_pc_corrector(fixed: bool) -> Sampler:
    """Corrector x + d (a m - x) + sqrt(2 d) s z, with m = E[x0|x]; fixed: a m + sqrt(1 - d) (x - a m) + sqrt(d) s z.

    The default d = 0.01, one correction before each DDIM step, and the default VP schedule.
    """

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        alpha = 1e-3 ** np.linspace(1, 0, steps + 1) ** 2
        levels = zip(alpha.tolist(), np.sqrt(1 - alpha**2 + 1e-6).tolist(), strict=True)
        for (a, s), (a_to, s_to) in pairwise(levels):
            am, z = a * network("x0", x, noise_level(a, s)), torch.randn_like(x)
            keep, noise = (math.sqrt(0.99), 0.1) if fixed else (0.99, math.sqrt(0.02))
            x = am + keep * (x - am) + noise * s * z
            x0 = network("x0", x, noise_level(a, s))
            x = a_to * x0 + s_to / s * (x - a * x0)
        return x

    return Sampler("azula PC", "1", run, prior=lambda steps: 1.0, noise=None)


def comfy_unipc_interpolated_mesh(fixed: bool) -> Sampler:
    """UniPC (bh1) at the entries nearest n + 1 levels, which are interpolated from the n given; fixed: at the levels.

    The fixed mesh ends at 0.001, without the level before 0 of one step more; the other ends at entry 0. At up to 3
    steps, the code leaves out the last one: another fault, not restated.
    """
    table = ve_sigmas(abar(1000, SD, 2))
    nodes, quadrature = np.polynomial.legendre.leggauss(20)

    def levels(steps: int) -> Array:
        if fixed:
            return np.array([*discrete(steps + 1)[:-2], 0.001])
        mesh = np.interp((np.arange(steps) + 0.5) * steps / (steps + 1) - 0.5, np.arange(steps), discrete(steps)[:-1])
        return np.array([*(table[np.abs(np.log(table / s)).argmin()] for s in mesh), table[0]])

    def weigh(ratios: list[float], h: float, slopes: list[Tensor]) -> Tensor:
        moments = [quadrature @ (np.exp((1 - nodes) / 2 * h) * ((1 + nodes) / 2) ** (k + 1)) / 2 for k in range(3)]
        rows = np.vander(ratios, increasing=True).T
        weights = [0.5] if len(ratios) == 1 else np.linalg.solve(rows, moments[: len(ratios)]).tolist()
        return sum((w * d for w, d in zip(weights, slopes, strict=True)), torch.zeros_like(slopes[0]))

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        s = levels(steps)
        alpha, lam = (1 / np.hypot(1, s)).tolist(), (-np.log(s)).tolist()

        def x0_of(x: Tensor, i: int) -> Any:
            return x / alpha[i] - float(s[i]) * network("eps", x, vp(alpha[i] ** 2))

        x0s = [x0_of(x, 0)]
        for i in range(1, steps + 1):
            h = lam[i - 1] - lam[i]
            ratios = [(lam[i - 1] - lam[i - 1 - k]) / h for k in range(1, min(3, i, steps + 1 - i))]
            slopes = [(x0s[-2 - k] - x0s[-1]) / r for k, r in enumerate(ratios)]
            base = float(s[i] / s[i - 1]) * alpha[i] / alpha[i - 1] * x - alpha[i] * math.expm1(h) * x0s[-1]
            x = base - alpha[i] * h * weigh(ratios, h, slopes) if slopes else base
            if i < steps:
                x0s.append(x0_of(x, i))
                x = base - alpha[i] * h * weigh([*ratios, 1.0], h, [*slopes, x0s[-1] - x0s[-2]])
        return x / alpha[-1] if fixed else x

    return Sampler("ComfyUI UniPC", "1", run, prior=lambda steps: 1.0, order=3)


def dalle2_ddim_shifted_alphas(fixed: bool) -> Sampler:
    """DDIM at eta 1 between ab[t - 1], though the network and its x0 are of ab[t]; fixed: between ab[t].

    The decoder's, of times linspace(0, T, n + 2) but the last, with the linear betas of its upsamplers.
    """
    ab = abar(1000, DDPM)
    shifted = ab if fixed else np.array([1.0, *ab[:-1]])

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        for t, to in pairwise(np.linspace(0, 1000, steps + 2)[-2::-1].astype(int)):
            now, then, eps = float(shifted[t]), float(shifted[to]), network("eps", x, vp(float(ab[t])))
            x0 = (x - math.sqrt(1 - ab[t]) * eps) / math.sqrt(ab[t])
            up = math.sqrt((1 - now / then) * (1 - then) / (1 - now))
            z = torch.randn_like(x) if to > 0 else 0
            x = math.sqrt(then) * x0 + math.sqrt(1 - then - up**2) * eps + up * z
        return x

    return Sampler("DALLE2-pytorch DDIM", "1", run, prior=lambda steps: 1.0, noise=1.0)


def ddp_elucidated_churn_noise_scale(fixed: bool) -> Sampler:
    """Heun with churn (EDM's Algorithm 2), whose fresh noise is multiplied by gamma; fixed: by S_noise = 1.003.

    The project's defaults: S_churn 80, within levels 0.05 to 50 of 0.002 to 80, rho 7.
    """

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        def slope(x: Tensor, sigma: float) -> Any:
            return (x - network("x0", x, noise_level(1.0, sigma))) / sigma

        mesh = [*(np.linspace(80 ** (1 / 7), 0.002 ** (1 / 7), steps) ** 7).tolist(), 0.0]
        for now, to in pairwise(mesh):
            gamma = min(80 / steps, math.sqrt(2) - 1) if 0.05 <= now <= 50 else 0.0
            hat = (1 + gamma) * now
            x = x + math.sqrt(hat**2 - now**2) * (1.003 if fixed else gamma) * torch.randn_like(x)
            first = slope(x, hat)
            y = x + (to - hat) * first
            x = x + (to - hat) / 2 * (first + slope(y, to)) if to > 0 else y
        return x

    return Sampler("elucidated diffusion", "1", run, prior=lambda steps: 80.0, noise=None)


def diffusers_heun_second_stage_sigma(fixed: bool) -> Sampler:
    """Heun with v prediction, whose second stage takes x0 and slope of its v with sigma_i; fixed: with sigma_{i+1}.

    With eps prediction the two faults cancel.
    """
    table = ve_sigmas(abar(1000, SD, 2))

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        def slope(x: Tensor, sigma: float, used: float) -> Tensor:
            v: Tensor = network("v", x / math.hypot(1, sigma), vp(1 / (1 + sigma**2)))
            return (x - (x / (used**2 + 1) - used / math.hypot(1, used) * v)) / used

        mesh = [*np.interp(np.linspace(999, 0, steps), np.arange(1000), table).tolist(), 0.0]
        for now, to in pairwise(mesh):
            first = slope(x, now, now)
            y = x + (to - now) * first
            x = x + (to - now) / 2 * (first + slope(y, to, to if fixed else now)) if to > 0 else y
        return x

    return Sampler("diffusers Heun, v", "1", run, prior=lambda steps: float(table[-1]), order=2)


def engiopt_predicted_noise_as_noise(fixed: bool) -> Sampler:
    """DDPM whose posterior noise is the predicted eps; fixed: fresh. At t = 0 its factor is 0 in both."""

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        return ancestral(network, x, abar(8000, DDPM), steps, fixed)

    return Sampler("EngiOpt DDPM helper", "1", run, prior=lambda steps: 1.0, noise=1.0)


def labml_ddpm_sqrt_one_minus(fixed: bool) -> Sampler:
    """DDPM from a noised sample sqrt(ab) x0 + sqrt(ab) z; fixed: sqrt(ab) x0 + sqrt(1 - ab) z.

    The start is at 3/4 of the table, the default strength of the project's image-to-image script.
    """
    ab = abar(8000, SD, 2)[:6000]
    scale, sigma = math.sqrt(ab[-1]), math.sqrt(1 - ab[-1] if fixed else ab[-1])
    start, std = noise_level(scale, sigma), math.hypot(scale, sigma)

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        return ancestral(network, x, ab, steps)

    return Sampler("labml DDPM", "1", run, prior=lambda steps: std, noise=1.0, begins=lambda steps: start)


def vllm_omni_dropped_timesteps(fixed: bool) -> Sampler:
    """Flow-matching Euler on shifted levels, whose network gets those as timesteps; fixed: gets the unshifted ones.

    The report calls the unshifted ones right, so timestep 1000 t is taken to mean noise shift(t) to the network.
    """

    def shift(t: float) -> float:
        return 3.25 / (3.25 + 1 / t - 1)

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        times = np.linspace(1000, 1, steps + 1)[:-1].astype(int) / 1000
        for now, to in pairwise([*map(shift, times.tolist()), 0.0]):
            told = now if fixed else shift(now)
            x = x + (to - now) * network("flow", x, noise_level(1 - told, told))
        return x

    return Sampler("vllm-omni GLM-Image Euler", "1", run, prior=lambda steps: 1.0, order=1)


BUGS: dict[str, Callable[[bool], Sampler]] = {
    "azula-pc-corrector": azula_pc_corrector,
    "comfy-beta-duplicate-sigmas": comfy_beta_duplicate_sigmas,
    "comfy-res-multistep-ancestral-c2": comfy_res_multistep_ancestral_c2,
    "comfy-unipc-interpolated-mesh": comfy_unipc_interpolated_mesh,
    "dalle2-ddim-shifted-alphas": dalle2_ddim_shifted_alphas,
    "ddp-ddim-noise-last-step": ddp_ddim_noise_last_step,
    "ddp-elucidated-churn-noise-scale": ddp_elucidated_churn_noise_scale,
    "ddpm-inversion-eta-not-squared": ddpm_inversion_eta_not_squared,
    "diffusers-ddim-sample-prediction": diffusers_ddim_sample_prediction,
    "diffusers-ddpm-learned-range-skipped-max": diffusers_ddpm_learned_range_skipped_max,
    "diffusers-heun-second-stage-sigma": diffusers_heun_second_stage_sigma,
    "engiopt-predicted-noise-as-noise": engiopt_predicted_noise_as_noise,
    "labml-ddpm-sqrt-one-minus": labml_ddpm_sqrt_one_minus,
    "vllm-omni-dropped-timesteps": vllm_omni_dropped_timesteps,
    "zea-warm-start-off-by-one": zea_warm_start_off_by_one,
}
NOT_ASKED: dict[str, str] = {
    "ddp-clipped-x0-stale-noise": "a fault only where x0 is clipped to [-1, 1]: of data without bounds, clipping "
    "changes the law before and after alike",
}
