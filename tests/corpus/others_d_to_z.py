"""Reported bugs of projects from dpm-solver to UNI-D2, before and after their fixes: restated from the reports.

See survey/corpus.toml. Formulas only, none of the projects' lines.
"""

import math
from collections.abc import Callable
from itertools import pairwise
from statistics import NormalDist
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from samplercheck import Sampler, inversion, noise_level

Array = NDArray[np.floating[Any]]
SD = (0.00085, 0.012)  # betas of Stable Diffusion at both ends, linear in the root
DDPM = (1e-4, 0.02)


def abar(total: int, ends: tuple[float, float], power: int = 1, base: int = 1000) -> Array:
    """Return the cumulative alpha-bar of `base` training steps, on a grid of `total` (betas times base / total)."""
    roots = np.linspace(ends[0] ** (1 / power), ends[1] ** (1 / power), total)
    return np.cumprod(1 - roots**power * base / total)


def ve_sigmas(ab: Array) -> Array:
    """Return the noise levels of x / scale."""
    return np.sqrt((1 - ab) / ab)


def vp(ab: float) -> Any:
    """Return the level of sqrt(ab) x0 + sqrt(1 - ab) z."""
    return noise_level(math.sqrt(ab), math.sqrt(1 - ab))


def ddim(x0: Tensor, eps: Tensor, ab: float) -> Tensor:
    """Return the DDIM step to `ab` at eta 0."""
    return math.sqrt(ab) * x0 + math.sqrt(1 - ab) * eps


def eps_of(x: Tensor, x0: Tensor, ab: float) -> Tensor:
    """Return the noise that goes with x0."""
    return (x - math.sqrt(ab) * x0) / math.sqrt(1 - ab)


def velocity(network: Any, x: Tensor, scale: float, sigma: float) -> Tensor:
    """Return the mean of z - x0 given x = scale x0 + sigma z: at sigma 0, that of z is 0."""
    x0: Tensor = network("x0", x, noise_level(scale, sigma))
    return ((x - scale * x0) / sigma if sigma > 0 else torch.zeros_like(x)) - x0


def discrete(steps: int) -> list[float]:
    """Return the levels of SD at times linspace(999, 0, steps), between entries by log sigma, and 0."""
    logs = np.log(ve_sigmas(abar(1000, SD, 2)))
    return [*np.exp(np.interp(np.linspace(999, 0, steps), np.arange(1000), logs)).tolist(), 0.0]


def lms_weight(sigmas: list[float], i: int, j: int, order: int) -> float:
    """Return the integral from sigma_i to sigma_{i+1} of the Lagrange polynomial of the point j steps back."""
    nodes, weights = np.polynomial.legendre.leggauss(4)
    half = (sigmas[i + 1] - sigmas[i]) / 2
    at = sigmas[i] + half * (nodes + 1)
    others = [sigmas[i - k] for k in range(order) if k != j]
    values = np.prod([(at - s) / (sigmas[i - j] - s) for s in others], axis=0)
    return float(half * np.sum(weights * values))


def lms(network: Any, x: Tensor, sigmas: list[float], lag: Callable[[int], int]) -> Tensor:
    """Return the linear multistep method of order 4: weight j meets the slope of `lag(j)` steps back."""
    slopes: list[Tensor] = []
    for i in range(len(sigmas) - 1):
        slopes.append((x - network("x0", x, noise_level(1.0, sigmas[i]))) / sigmas[i])
        order = min(i + 1, 4)
        x = x + sum(lms_weight(sigmas, i, j, order) * slopes[-1 - lag(j)] for j in range(order))
    return x


def dpmsolver_cosine_end(fixed: bool) -> Sampler:
    """Multistep DPM-Solver++ 2 on all of the cosine table (lambda from -9.9 on, alpha 5e-5 at the start).

    The fix drops the entries of lambda < -5.1 and lets t = 1 be the last one kept. As in its code, the network then
    gets the timestep (t - 1/N) 1000 with N the number kept (996), up to 4 too late for the table of its training.
    """
    cosine = [math.cos((i / 1000 + 0.008) / 1.008 * math.pi / 2) ** 2 for i in range(1001)]
    full = 0.5 * np.cumsum([math.log(1 - min(1 - b / a, 0.999)) for a, b in pairwise(cosine)])

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        table: Array = full.astype(np.float64 if x.dtype == torch.float64 else np.float32)
        if fixed:
            table = table[table - 0.5 * np.log(1 - np.exp(2 * table)) >= -5.1]
        kept = len(table)
        times = np.linspace(1, 1 / kept, steps + 1)
        logs = np.interp(times * kept, np.arange(1, kept + 1), table).astype(table.dtype)
        alpha, sigma = np.exp(logs), np.sqrt(1 - np.exp(2 * logs))
        lam = logs - np.log(sigma)
        x0s: list[Tensor] = []
        for i in range(steps):
            told = math.exp(float(np.interp((times[i] - 1 / kept) * 1000, np.arange(1000), full)))
            x0s.append((x - float(sigma[i]) * network("eps", x, vp(told**2))) / float(alpha[i]))
            x0, h = x0s[-1], lam[i + 1] - lam[i]
            if i > 0 and not (steps < 10 and i == steps - 1):
                x0 = x0 + float(h / (lam[i] - lam[i - 1]) / 2) * (x0 - x0s[-2])
            x = float(sigma[i + 1] / sigma[i]) * x - float(alpha[i + 1] * np.expm1(-h)) * x0
        return x

    return Sampler("DPM-Solver++ multistep, cosine", "1", run, prior=lambda steps: 1.0, order=2)


def engiopt_terminal_signal(fixed: bool) -> Sampler:
    """DDPM from N(0, 1) with linear betas 1e-4 to 0.02 over 250 steps, whose sqrt(ab_T) is 0.28; fixed: 1000 steps.

    The code makes all training steps; here the two processes are respaced to the steps asked for.
    """
    base = 1000 if fixed else 250
    ab = abar(8 * base, DDPM, base=base)

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        mesh = [*ab[np.linspace(8 * base - 1, 0, steps).round().astype(int)].tolist(), 1.0]
        for now, then in pairwise(mesh):
            beta = 1 - now / then
            eps = network("eps", x, vp(now))
            x = (x - beta / math.sqrt(1 - now) * eps) / math.sqrt(1 - beta)
            if then < 1:
                x = x + math.sqrt(beta * (1 - then) / (1 - now)) * torch.randn_like(x)
        return x

    return Sampler("EngiOpt DDPM", "1", run, prior=lambda steps: 1.0, noise=1.0)


def fastai_img2img_start_off_by_one(fixed: bool) -> Sampler:
    """Image at sigma[start_step] (10 of 50 steps), LMS from the entry after it: i > start_step, fixed i >= start_step.

    The history of LMS begins at the first step made (in the scheduler of that time its order did not: another bug).
    """

    def levels(steps: int) -> list[float]:
        return discrete(steps + steps // 4)[steps // 4 :]

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        return lms(network, x, levels(steps)[0 if fixed else 1 :], lambda j: j)

    return Sampler(
        "diffusion-nbs img2img, LMS",
        "1",
        run,
        prior=lambda steps: levels(steps)[0],
        begins=lambda steps: noise_level(1.0, levels(steps)[0]),
    )


def imgx_ddim_missing_sqrt(fixed: bool) -> Sampler:
    """DDIM at eta 0 with x_prev = ab_prev x0 + sqrt(1 - ab_prev) eps; fixed: sqrt(ab_prev) x0."""
    ab = abar(8000, DDPM)

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        mesh = [*ab[np.linspace(7999, 0, steps).round().astype(int)].tolist(), 1.0]
        for now, then in pairwise(mesh):
            x0 = network("x0", x, vp(now))
            x = (math.sqrt(then) if fixed else then) * x0 + math.sqrt(1 - then) * eps_of(x, x0, now)
        return x

    return Sampler("ImgX DDIM", "1", run, prior=lambda steps: 1.0, order=1)


def monai_ddim_sample_prediction(fixed: bool) -> Sampler:
    """DDIM at eta 0 of a network of x0, whose direction is sqrt(1 - ab_prev) times x0; fixed: times eps of x0."""

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        stride = math.ceil(8000 / steps)
        ab = abar(steps * stride, DDPM)
        mesh = [*ab[::stride][::-1].tolist(), 1.0]
        for now, then in pairwise(mesh):
            x0 = network("x0", x, vp(now))
            x = ddim(x0, eps_of(x, x0, now) if fixed else x0, then)
        return x

    return Sampler("MONAI DDIM, sample", "1", run, prior=lambda steps: 1.0, order=1)


def nanoflow_delta_and_grid(fixed: bool) -> Sampler:
    """Euler steps of 1/n at times linspace(0, 1, n), so the network hears i/(n-1) at i/n; fixed: i/n.

    Of x = t x0 + (1 - t) z (the code trains with the other direction of t, which is not part of the report).
    """

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        for t in np.linspace(0, 1, steps + 1)[:-1] if fixed else np.linspace(0, 1, steps):
            x = x - velocity(network, x, float(t), float(1 - t)) / steps
        return x

    return Sampler("NanoFlow", "1", run, prior=lambda steps: 1.0, order=1)


def refiners_dpm_bfloat16_constants(fixed: bool) -> Sampler:
    """DPM-Solver++ 2M whose table, levels and timesteps are computed in the type of the run; fixed: float64, then cast.

    The solver has the type of x, as a user gives it: a difference in bfloat16, none in float64. Its timesteps are
    rounded to bfloat16 too; where they leave the table (1000, or 0/0 at its equal last levels), the network gets 999.
    """

    def constants(steps: int, kind: torch.dtype) -> tuple[Tensor, Tensor, Tensor, list[int]]:
        ab = torch.from_numpy(abar(1000, SD, 2))
        table = torch.sqrt(1 - ab).to(kind) / torch.sqrt(ab).to(kind)
        times = np.linspace(0, 999, steps + 1).round()[:0:-1]
        sigmas = torch.from_numpy(np.interp(times, np.arange(1000), table.double().numpy())).to(kind)
        logs, told = torch.log(table), []
        for log in torch.log(sigmas):
            low = int((log >= logs).sum().clamp(1, 999)) - 1
            weight = ((logs[low] - log) / (logs[low] - logs[low + 1])).clamp(0, 1)
            told.append(min(999, round(float(((1 - weight) * low + weight * (low + 1)).nan_to_num(999)))))
        sigmas = torch.cat([sigmas, table[:1]])
        alpha = 1 / torch.sqrt(sigmas**2 + 1)
        sigma = sigmas * alpha
        return alpha, sigma, torch.log(alpha) - torch.log(sigma), told

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        *tensors, told = constants(steps, torch.float64 if fixed else x.dtype)
        alpha, sigma, lam = (tensor.to(x.dtype) for tensor in tensors)
        ab, x0s = abar(1000, SD, 2), []
        for i in range(steps):
            x0s.append((x - sigma[i] * network("eps", x, vp(float(ab[told[i]])))) / alpha[i])
            x0 = x0s[-1]
            if i > 0:
                x0 = x0 + (x0 - x0s[-2]) / ((lam[i] - lam[i - 1]) / (lam[i + 1] - lam[i])) / 2
            x = sigma[i + 1] / sigma[i] * x + alpha[i + 1] * (1 - torch.exp(lam[i] - lam[i + 1])) * x0
        return x

    return Sampler("refiners DPMSolver", "1", run, prior=lambda steps: 1.0, order=2)


def sbi_fmpe_sde_singularity(fixed: bool) -> Sampler:
    """Euler-Maruyama of the flow-matching SDE from t = 1, f = -x/(1-t) and g^2 = 2 (t + 1e-3)/(1-t).

    1 - t is max(1 - t, 1e-6) in f and in g, so the first step multiplies x by about -1e6 dt; fixed: 1e-2.
    """
    least = 1e-2 if fixed else 1e-6

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        mesh = np.linspace(1, 0, steps).tolist()
        for now, then in pairwise(mesh):
            dt, sigma, left = now - then, now + 1e-3, max(1 - now, least)
            score = (-(1 - now) * velocity(network, x, 1 - now, sigma) - x) / sigma
            drift = -x / left - 2 * sigma / left * score
            x = x - dt * drift + math.sqrt(2 * sigma / left * dt) * torch.randn_like(x)
        return x

    return Sampler("sbi FMPE, SDE", "1", run, prior=lambda steps: 1.0, noise=1.0)


def sd2_ddim_alphas_prev_start(fixed: bool) -> Sampler:
    """DDIM at eta 0 whose last step goes to ab[0], at timesteps 1 + i stride; fixed: to 1."""

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        stride = math.ceil(1000 / steps)
        ab = abar(steps * stride, SD, 2)
        mesh = [*ab[1::stride][::-1].tolist(), 1.0 if fixed else float(ab[0])]
        for now, then in pairwise(mesh):
            eps = network("eps", x, vp(now))
            x = ddim((x - math.sqrt(1 - now) * eps) / math.sqrt(now), eps, then)
        return x

    return Sampler("Stable Diffusion 2 DDIM", "1", run, prior=lambda steps: 1.0, order=1)


def sd2_ddim_encode_timestep(fixed: bool) -> Sampler:
    """DDIM inversion: step i goes to entry i of the timesteps 1 + i stride, but the network got timestep i.

    Fixed: it gets entry i, the timestep of arrival. The start is 1, not ab[0] as in the code: that fault has its own
    row, sd2-ddim-alphas-prev-start.
    """

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        stride = math.ceil(1000 / steps)
        ab = abar(steps * stride, SD, 2)
        for i, (now, then) in enumerate(pairwise([1.0, *ab[1::stride].tolist()])):
            eps = network("eps", x, vp(then if fixed else float(ab[i])))
            x = ddim((x - math.sqrt(1 - now) * eps) / math.sqrt(now), eps, then)
        return x

    return inversion(Sampler("Stable Diffusion 2 DDIM encode", "1", run, prior=lambda steps: 0.5, order=1))


def sdcpp_ddim_own_schedule(fixed: bool) -> Sampler:
    """DDIM for image to image at strength 0.6, with levels of its own from timestep 999, not those given.

    Its start x sqrt(s^2 + 1)/s, s = 14.6, takes x for pure noise, its last step goes to ab[0]; fixed: the levels given.
    """
    ab = abar(1000, SD, 2)
    table = ve_sigmas(ab)

    def given(steps: int) -> list[float]:
        full = round(steps / 0.6)
        return [*(float(table[999 - int(i * 1000 / full)]) for i in range(full - steps, full)), 0.0]

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        sigmas = given(steps)
        for i in range(steps):
            now, then = 1 / (sigmas[i] ** 2 + 1), 1 / (sigmas[i + 1] ** 2 + 1)
            if not fixed:
                at = math.floor(1000 - i * 1000 / steps + 0.5) - 1
                now, then = float(ab[at]), float(ab[max(at - 1000 // steps, 0)])
                x = x / (math.sqrt(1 - now) if i == 0 else math.sqrt(now))
            sigma = math.sqrt(1 / now - 1)
            x0 = network("x0", x, noise_level(1.0, sigma))
            step = ddim(x0, (x - x0) / sigma, then)
            x = step / math.sqrt(then) if fixed else step
        return x

    return Sampler(
        "sd.cpp DDIM trailing, img2img",
        "1",
        run,
        prior=lambda steps: given(steps)[0],
        begins=lambda steps: noise_level(1.0, given(steps)[0]),
    )


def sdcpp_dpmpp2sa_second_call_sigma(fixed: bool) -> Sampler:
    """DPM++ 2S ancestral: the state at sqrt(sigma sigma_down) goes to the network as at sigma[i+1]; fixed: as it is."""

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        sigmas = discrete(steps)
        for now, then in pairwise(sigmas):
            x0: Tensor = network("x0", x, noise_level(1.0, now))
            if then == 0:
                return x0
            up = min(then, math.sqrt(then**2 * (now**2 - then**2) / now**2))
            down = math.sqrt(then**2 - up**2)
            middle = math.sqrt(now * down)
            y = middle / now * x + (1 - middle / now) * x0
            x0 = network("x0", y, noise_level(1.0, middle if fixed else then))
            x = down / now * x + (1 - down / now) * x0 + up * torch.randn_like(x)
        return x

    return Sampler("sd.cpp DPM++ 2S a", "1", run, prior=lambda steps: discrete(steps)[0], noise=1.0)


def sdcpp_lms_history_index(fixed: bool) -> Sampler:
    """LMS of order 4 whose weights of 1, 2, 3 steps back meet the slopes of 1, 1, 2 steps back; fixed: of 1, 2, 3."""

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        return lms(network, x, discrete(steps), lambda j: j if fixed or j == 0 else max(1, j - 1))

    return Sampler("sd.cpp LMS", "1", run, prior=lambda steps: discrete(steps)[0], order=4)


def sdcpp_sigma_min_zero(fixed: bool) -> Sampler:
    """KL-optimal mesh down to sigma_min = 0, and a further 0: (x - x0)/sigma is 0/0; fixed: sigma_min = 1e-6.

    The threads (1130, 1138) speak of an SDXL model whose sigma_min is about 0, not of a flow model as the row does.
    """
    largest = discrete(2)[0]

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        ends = math.atan(largest), math.atan(1e-6 if fixed else 0.0)
        sigmas = [*np.tan(np.linspace(*ends, steps)).tolist(), 0.0]
        for now, then in pairwise(sigmas):
            slope = (x - network("x0", x, noise_level(1.0, now))) / now
            x = x + (then - now) * slope
        return x

    return Sampler("sd.cpp Euler, KL-optimal", "1", run, prior=lambda steps: largest)


def sglang_flow_one_step_nan(fixed: bool) -> Sampler:
    """Stretch of 1 - sigma so that the last level is shift_terminal: at one step it divides by 0; fixed: skipped then.

    The shift exp(mu) / (exp(mu) + (1/t - 1)) at t = 1 is exactly 1, so the stretch is 0/0. At two steps and more both
    are the same, so a test at more than one step cannot see it.
    """

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        times = np.linspace(1, 1 / steps, steps)
        sigmas = math.exp(2.05) / (math.exp(2.05) + (1 / times - 1))
        factor = (1 - sigmas[-1]) / (1 - 0.1)
        if factor != 0 or not fixed:
            with np.errstate(invalid="ignore"):
                sigmas = 1 - (1 - sigmas) / factor
        levels = [*sigmas.tolist(), 0.0]
        for now, then in pairwise(levels):
            x = x + (then - now) * velocity(network, x, 1 - now, now)
        return x

    return Sampler("sglang flow-match Euler", "1", run, prior=lambda steps: 1.0)


def unid2_candi_sigma_swapped(fixed: bool) -> Sampler:
    """The ODE part of CANDI, x -= |dsigma| (x - x0)/sigma^2, sigma there and in the network is the next; fixed: this.

    The tokens come from the last x0. Even so repaired it is no Euler step, (x - x0)/sigma: the report does not say so.
    """

    def levels(steps: int) -> list[float]:
        quantiles = 0.05 + 0.4 * np.linspace(0.999, 1e-5, steps + 1)
        return [-1 / (math.sqrt(2) * NormalDist().inv_cdf(float(q))) for q in quantiles]

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        sigmas, x0 = levels(steps), x
        for now, then in pairwise(sigmas):
            told = now if fixed else then
            x0 = network("x0", x, noise_level(1.0, told))
            x = x - (now - then) / told**2 * (x - x0)
        return x0

    return Sampler("UNI-D2 CANDI, ODE part", "1", run, prior=lambda steps: levels(steps)[0])


BUGS: dict[str, Callable[[bool], Sampler]] = {
    "dpmsolver-cosine-end": dpmsolver_cosine_end,
    "engiopt-terminal-signal": engiopt_terminal_signal,
    "fastai-img2img-start-off-by-one": fastai_img2img_start_off_by_one,
    "imgx-ddim-missing-sqrt": imgx_ddim_missing_sqrt,
    "monai-ddim-sample-prediction": monai_ddim_sample_prediction,
    "nanoflow-delta-and-grid": nanoflow_delta_and_grid,
    "refiners-dpm-bfloat16-constants": refiners_dpm_bfloat16_constants,
    "sbi-fmpe-sde-singularity": sbi_fmpe_sde_singularity,
    "sd2-ddim-alphas-prev-start": sd2_ddim_alphas_prev_start,
    "sd2-ddim-encode-timestep": sd2_ddim_encode_timestep,
    "sdcpp-ddim-own-schedule": sdcpp_ddim_own_schedule,
    "sdcpp-dpmpp2sa-second-call-sigma": sdcpp_dpmpp2sa_second_call_sigma,
    "sdcpp-lms-history-index": sdcpp_lms_history_index,
    "sdcpp-sigma-min-zero": sdcpp_sigma_min_zero,
    "sglang-flow-one-step-nan": sglang_flow_one_step_nan,
    "unid2-candi-sigma-swapped": unid2_candi_sigma_swapped,
}
NOT_ASKED: dict[str, str] = {
    "rectflow-variance-as-std": "draws the flow from the network's own mean and variance: a Sampler's network has no "
    "variance to give",
}
