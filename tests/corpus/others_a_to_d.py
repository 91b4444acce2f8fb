"""Reported bugs of Apple's, candle's, ComfyUI's to deepinv's samplers, before and after their fixes.

Restated from the reports; see survey/corpus.toml. Where a project had further faults at that commit, they are left out,
and the docstring says so: before and after differ by the row's fault alone.
"""

import math
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from samplercheck import Sampler, noise_level

Network = Callable[..., Tensor]


@cache
def alpha_bars(first: float, last: float, root: bool = False, total: int = 8000) -> list[float]:
    """Alpha-bar of betas linear (or with linear roots) from first to last of 1000 timesteps, on a grid of `total`."""
    power = 0.5 if root else 1.0
    betas = torch.linspace(first**power, last**power, total, dtype=torch.float64) ** (1 / power) * (1000 / total)
    return torch.cumprod(1 - betas, 0).tolist()


def stable_diffusion() -> list[float]:
    """Alpha-bar of Stable Diffusion: scaled linear, 0.00085 to 0.012."""
    return alpha_bars(0.00085, 0.012, root=True)


def integers(start: float, stop: float, count: int) -> list[int]:
    """Timesteps linspace(start, stop, count), cut to integers, from the last to the first."""
    return [int(t) for t in np.linspace(start, stop, count)[::-1]]


def predictions(network: Network, x: Tensor, a: float) -> tuple[Tensor, Tensor]:
    """x0 and eps of a network that predicts eps, at alpha-bar a."""
    eps = network("eps", x, noise_level(math.sqrt(a), math.sqrt(1 - a)))
    return (x - math.sqrt(1 - a) * eps) / math.sqrt(a), eps


def ddim_sigma(a: float, a_next: float, eta: float) -> float:
    """DDIM eq. 16: standard deviation of a step's noise."""
    return eta * math.sqrt((1 - a_next) / (1 - a) * (1 - a / a_next))


def ddim(x0: Tensor, eps: Tensor, a: float, a_next: float, eta: float = 0.0, z: Tensor | float = 0.0) -> Tensor:
    """DDIM eq. 12: a step from alpha-bar a to a_next with the noise z."""
    sigma = ddim_sigma(a, a_next, eta)
    return math.sqrt(a_next) * x0 + math.sqrt(max(0.0, 1 - a_next - sigma**2)) * eps + sigma * z


def karras(count: int, low: float, high: float) -> list[float]:
    """Karras et al. eq. 5, rho = 7: count levels from high to low."""
    ends = high ** (1 / 7), low ** (1 / 7)
    return [(ends[0] + i / max(count - 1, 1) * (ends[1] - ends[0])) ** 7 for i in range(count)]


def vp(sigma: float) -> tuple[float, float]:
    """Scale and noise of the variance-preserving state at the ratio sigma."""
    return 1 / math.hypot(1, sigma), sigma / math.hypot(1, sigma)


def one(steps: int) -> float:
    """Standard deviation of the start: 1."""
    return 1.0


def apple_dpm_timesteps(fixed: bool) -> Sampler:
    """The mesh was round(linspace(0, T-1, n)), whose last step goes from t = 0 to t = 0; fixed: n+1 points less the 0.

    Both end at alpha-bar[0], as the code does: the previous timestep of the last step is 0.
    """

    def run(network: Network, x: Tensor, steps: int, draws: object) -> Tensor:
        bars = stable_diffusion()
        mesh = np.linspace(0, len(bars) - 1, steps + 1)[1:] if fixed else np.linspace(0, len(bars) - 1, steps)
        times = [*np.round(mesh).astype(int)[::-1].tolist(), 0]
        lam = [0.5 * math.log(a / (1 - a)) for a in bars]
        old = x
        for i, (t, s) in enumerate(pairwise(times)):
            m, h = predictions(network, x, bars[t])[0], lam[s] - lam[t]
            lower = i == 0 or (steps < 15 and i >= steps - 2)
            d = m if lower else m + 0.5 * h / (lam[t] - lam[times[i - 1]]) * (m - old)
            x = math.sqrt((1 - bars[s]) / (1 - bars[t])) * x - math.sqrt(bars[s]) * math.expm1(-h) * d
            old = m
        return x

    return Sampler("DPM-Solver++ 2M of ml-stable-diffusion", "0", run, one, order=2)


def candle_linspace_one_step(fixed: bool) -> Sampler:
    """linspace(a, b, 1) was a + 0 * (b-a)/0 = NaN; fixed: a. From two steps on both agree.

    As reported, a mesh linspace(0, T-1, n) is asked (Euler ancestral). At the commit, no scheduler took its mesh from
    this function (only betas, of T values); one that did later casts to integers, which makes the NaN 0 in Rust.
    """

    def levels(steps: int) -> list[float]:
        bars = stable_diffusion()
        delta = (len(bars) - 1) / (steps - 1) if steps > 1 else math.inf
        mesh = [0.0] if fixed and steps == 1 else [i * delta for i in range(steps)]
        sigmas = [math.sqrt(1 / a - 1) for a in bars]
        return [*np.interp(np.floor(mesh), np.arange(len(bars)), sigmas)[::-1].tolist(), 0.0]

    def run(network: Network, x: Tensor, steps: int, draws: object) -> Tensor:
        for sigma, to in pairwise(levels(steps)):
            eps = network("eps", x * vp(sigma)[0], noise_level(*vp(sigma)))
            up = to * math.sqrt(1 - (to / sigma) ** 2)
            x = x + (math.sqrt(to**2 - up**2) - sigma) * eps + up * torch.randn_like(x)
        return x

    return Sampler("Euler ancestral of candle", "0", run, lambda steps: levels(steps)[0], noise=1.0)


def comfy_start_noise_scale(fixed: bool) -> Sampler:
    """Of k-diffusion samplers (here Euler) the start was sigma_0 * noise; fixed: sqrt(1 + sigma_0^2) * noise."""
    high = 14.6146

    def run(network: Network, x: Tensor, steps: int, draws: object) -> Tensor:
        for sigma, to in pairwise([*karras(steps, 0.0291675, high), 0.0]):
            x = x + (to - sigma) * network("eps", x * vp(sigma)[0], noise_level(*vp(sigma)))
        return x

    return Sampler("Euler of ComfyUI", "0", run, lambda steps: math.hypot(1, high) if fixed else high)


def unipc_step(
    network: Network, x: Tensor, outputs: list[Tensor], sigmas: Sequence[float], order: int, correct: bool
) -> tuple[Tensor, Tensor]:
    """UniPC of B1(h) = h and data prediction (Zhao et al., 2023) to sigmas[-1], with the outputs at sigmas[:-1]."""
    lam = [-math.log(sigma) for sigma in sigmas]
    (alpha, noise), h, first = vp(sigmas[-1]), lam[-1] - lam[-2], outputs[-1]
    ratios = [(lam[-2 - k] - lam[-2]) / h for k in range(1, order)]
    slopes = [(outputs[-1 - k] - first) / r for k, r in enumerate(ratios, 1)]
    matrix = np.array([[r**k for r in [*ratios, 1.0]] for k in range(order)])
    phi, factorial, right = math.expm1(-h) / -h - 1, 1, []
    for k in range(1, order + 1):
        right.append(phi * factorial / -h)
        factorial *= k + 1
        phi = phi / -h - 1 / factorial
    base = noise / vp(sigmas[-2])[1] * x - alpha * math.expm1(-h) * first
    weights = np.linalg.solve(matrix[:-1, :-1], right[:-1]).tolist() if order > 2 else [0.5] * (order - 1)
    x = base + alpha * h * sum((w * d for w, d in zip(weights, slopes, strict=True)), torch.zeros_like(x))
    if not correct:
        return x, first
    output = data(network, x, sigmas[-1])
    weights = np.linalg.solve(matrix, right).tolist() if order > 1 else [0.5]
    slopes.append(output - first)
    x = base + alpha * h * sum((w * d for w, d in zip(weights, slopes, strict=True)), torch.zeros_like(x))
    return x, output


def data(network: Network, x: Tensor, sigma: float) -> Tensor:
    """x0 of a network that predicts eps, from the variance-preserving state at the ratio sigma."""
    scale, noise = vp(sigma)
    return (x - noise * network("eps", x, noise_level(scale, noise))) / scale


def comfy_unipc_few_steps_order(fixed: bool) -> Sampler:
    """order = min(3, n): for n <= 3 the loop ends in its start-up, one step early; fixed: min(3, n-1).

    From 4 steps on both agree. The last level 0 is replaced by 0.001, as the code does.
    """

    def run(network: Network, x: Tensor, steps: int, draws: object) -> Tensor:
        sigmas = [*karras(steps, 0.0291675, 14.6146), 0.001]
        order = min(3, steps - 1 if fixed else steps)
        outputs, last = [data(network, x, sigmas[0])], steps if steps > max(order, 1) else steps - 1
        for i in range(1, last + 1):
            now = i if i < order else min(order, steps + 1 - i)
            x, output = unipc_step(network, x, outputs, sigmas[: i + 1], now, i < steps)
            outputs.append(output)
        return x / vp(sigmas[-1])[0]

    return Sampler("UniPC of ComfyUI", "0", run, one, order=3)


def consistency_multistep_renoise(fixed: bool) -> Sampler:
    """After the last x0 too, noise of the next level was added and left in the result; fixed: the last x0 is returned.

    Levels of Karras et al. from 80 to 0.002. The n + 1 entries ts are spread evenly from 0 to 25 of 0 to 39, as the
    report's 0, 10, 25 end; the last is no call's.
    """

    def level(index: float) -> float:
        return float((80 ** (1 / 7) + index / 39 * (0.002 ** (1 / 7) - 80 ** (1 / 7))) ** 7)

    def run(network: Network, x: Tensor, steps: int, draws: object) -> Tensor:
        x0 = x
        for i in range(steps):
            x0 = network("consistency", x, noise_level(1.0, level(25 * i / steps)))
            x = x0 + math.sqrt(level(25 * (i + 1) / steps) ** 2 - 0.002**2) * torch.randn_like(x)
        return x0 if fixed else x

    return Sampler("Multistep consistency sampling of OpenAI", "0", run, lambda steps: 80.0, noise=None)


def controlnet_ddim_alphas_prev_start(fixed: bool) -> Sampler:
    """alphas_prev began with alpha-bar[0], so that the last step left its noise; fixed: with 1.

    Timesteps are k * T/n + 1; T is the multiple of n next below 8000, as the code makes n steps only if n divides T.
    """

    def run(network: Network, x: Tensor, steps: int, draws: object) -> Tensor:
        bars = alpha_bars(0.00085, 0.012, root=True, total=steps * (8000 // steps))
        times = [k * (8000 // steps) + 1 for k in range(steps)]
        path = [1.0 if fixed else bars[0], *(bars[t] for t in times)][::-1]
        for a, a_next in pairwise(path):
            x = ddim(*predictions(network, x, a), a, a_next)
        return x

    return Sampler("DDIM of ControlNet", "0", run, one, order=1)


def cosyvoicecpp_euler_index(fixed: bool) -> Sampler:
    """Steps 3 to n-1, with a reused graph, took time and length of the step before (2 twice, n-1 never); fixed: 1 to n.

    x = (1 - (1-m) t) z + t x_0 with m = 1e-6, t from 0 to 1; velocity x_0 - (1-m) z.
    """

    def run(network: Network, x: Tensor, steps: int, draws: object) -> Tensor:
        span = [1 - math.cos(0.5 * math.pi * i / steps) for i in range(steps + 1)]
        for i in range(steps):
            k = i if not fixed and 2 <= i < steps - 1 else i + 1
            t, noise = span[k - 1], 1 - (1 - 1e-6) * span[k - 1]
            x0 = network("x0", x, noise_level(t, noise))
            x = x + (span[k] - t) * (x0 - (1 - 1e-6) * (x - t * x0) / noise)
        return x

    return Sampler("Euler of cosyvoice.cpp", "0", run, one, order=1)


def coursia_mesh(steps: int) -> list[float]:
    """Alpha-bar on the notebook's mesh: linear betas, linspace(T-1, 0, n), then 1."""
    bars = alpha_bars(1e-4, 0.02)
    return [*(bars[t] for t in integers(0, len(bars) - 1, steps)), 1.0]


def coursia_ddim_direction_sigma(fixed: bool) -> Sampler:
    """eps was multiplied by sigma (0 at eta 0) instead of sqrt(1 - a_n - sigma^2) (DDIM eq. 12)."""

    def run(network: Network, x: Tensor, steps: int, draws: object) -> Tensor:
        for a, a_next in pairwise(coursia_mesh(steps)):
            x0, eps = predictions(network, x, a)
            before = math.sqrt(a_next) * x0 + ddim_sigma(a, a_next, 0.0) * eps
            x = ddim(x0, eps, a, a_next) if fixed else before
        return x

    return Sampler("DDIM of CoursIA", "0", run, one, order=1)


def coursia_ddim_eta_variance(fixed: bool) -> Sampler:
    """The noise was eta * sqrt(1 - a), at eta 1, and eps had sqrt(max(0, 1 - a_n - eta^2 (1-a))); fixed: eqs. 12, 16.

    The commit of this fix brought the fault of the row coursia-ddim-direction-sigma, which is left out.
    """

    def run(network: Network, x: Tensor, steps: int, draws: object) -> Tensor:
        for a, a_next in pairwise(coursia_mesh(steps)):
            x0, eps = predictions(network, x, a)
            z = torch.randn_like(x)
            old = math.sqrt(a_next) * x0 + math.sqrt(max(0.0, a - a_next)) * eps + math.sqrt(1 - a) * z
            x = ddim(x0, eps, a, a_next, 1.0, z) if fixed else old
        return x

    return Sampler("DDIM of CoursIA, eta 1", "0", run, one, noise=1.0)


def lucidrains_mesh(steps: int) -> list[float]:
    """Alpha-bar at int(linspace(0, T, n+2)[:-1]) from last to first, with 1 at the time 0 (linear betas).

    The network is called at the same alpha-bar: the fault of the row ddp-ddim-time-pairs-alphas is left out.
    """
    bars = [1.0, *alpha_bars(1e-4, 0.02)]
    return [bars[t] for t in integers(0, len(bars) - 1, steps + 2)[1:]]


def dalle2_ddim_noise_last_step(fixed: bool) -> Sampler:
    """Noise c1 * z was drawn at the last step too; fixed: none where the next time is 0.

    Not a fault of the law: alpha-bar at the next time 0 is 1 in this code, so c1 = 0 there, before as after.
    """

    def run(network: Network, x: Tensor, steps: int, draws: object) -> Tensor:
        for i, (a, a_next) in enumerate(pairwise(lucidrains_mesh(steps))):
            x0, eps = predictions(network, x, a)
            x = ddim(x0, eps, a, a_next, 1.0, 0.0 if fixed and i == steps - 1 else torch.randn_like(x))
        return x

    return Sampler("DDIM of DALLE2-pytorch, eta 1", "0", run, one, noise=1.0)


def noise_sign(name: str, eta: float, fixed: bool) -> Sampler:
    """DDIM of a network that predicts x0, whose eps has the wrong sign unless fixed."""

    def run(network: Network, x: Tensor, steps: int, draws: object) -> Tensor:
        for i, (a, a_next) in enumerate(pairwise(lucidrains_mesh(steps))):
            x0 = network("x0", x, noise_level(math.sqrt(a), math.sqrt(1 - a)))
            eps = (x / math.sqrt(a) - x0) / math.sqrt(1 / a - 1)
            z = torch.randn_like(x) if eta and i < steps - 1 else 0.0
            x = ddim(x0, eps if fixed else -eps, a, a_next, eta, z)
        return x

    return Sampler(name, "0", run, one, order=1, noise=eta)


def dalle2_predict_noise_sign(fixed: bool) -> Sampler:
    """eps was (x0 - x/sqrt(a)) / sqrt(1/a - 1); fixed: (x/sqrt(a) - x0) / sqrt(1/a - 1). Eta 1, the default."""
    return noise_sign("DDIM of DALLE2-pytorch, x0, eta 1", 1.0, fixed)


def ddp_predict_noise_sign(fixed: bool) -> Sampler:
    """eps was (x0 - x/sqrt(a)) / sqrt(1/a - 1); fixed: (x/sqrt(a) - x0) / sqrt(1/a - 1). Eta 0."""
    return noise_sign("DDIM of denoising-diffusion-pytorch, x0", 0.0, fixed)


def ddp_continuous_noise_last_step(fixed: bool) -> Sampler:
    """The step to the time 0 added noise of variance sigma_0^2 c; fixed: its mean is returned.

    log-SNR -log(expm1(1e-4 + 10 t^2)). Left out: the network was trained on the log-SNR and is given t.
    """

    def run(network: Network, x: Tensor, steps: int, draws: object) -> Tensor:
        times = [1 - i / steps for i in range(steps)] + [0.0]
        snrs = [1 / math.expm1(1e-4 + 10 * t**2) for t in times]
        for i, (snr, to) in enumerate(pairwise(snrs)):
            a, a_next, c = snr / (1 + snr), to / (1 + to), 1 - snr / to
            eps = network("eps", x, noise_level(math.sqrt(a), math.sqrt(1 - a)))
            x = math.sqrt(a_next / a) * (x - c * math.sqrt(1 - a) * eps)
            if not fixed or i < steps - 1:
                x = x + math.sqrt((1 - a_next) * c) * torch.randn_like(x)
        return x

    return Sampler("Continuous-time DDPM of denoising-diffusion-pytorch", "0", run, one, noise=1.0)


def ddp_ddim_time_pairs_alphas(fixed: bool) -> Sampler:
    """Steps were of alpha-bar[t-1] while network and x0 were of alpha-bar[t], on int(linspace(0, T, n+2)[:-1]).

    Fixed: alpha-bar[t] on int(linspace(-1, T-1, n+1)). Both end at 1: only the shift is at fault. T = 1000, eta 0.
    """

    def run(network: Network, x: Tensor, steps: int, draws: object) -> Tensor:
        bars = alpha_bars(1e-4, 0.02, total=1000)
        total, previous = len(bars), [1.0, *bars]
        times = integers(-1, total - 1, steps + 1) if fixed else integers(0, total, steps + 2)[1:]
        for t, s in pairwise(times):
            x0, eps = predictions(network, x, bars[t])
            x = ddim(x0, eps, bars[t], previous[s + 1]) if fixed else ddim(x0, eps, previous[t], previous[s])
        return x

    return Sampler("DDIM of denoising-diffusion-pytorch", "0", run, one, order=1)


def ddp_elucidated_schedule_one_short(fixed: bool) -> Sampler:
    """Of the n levels of Karras et al. the last, sigma_min, was left out; fixed: all n, then 0.

    At S_churn = 0: at the commit the noise of the churn had another fault (its deviation was gamma).
    """

    def run(network: Network, x: Tensor, steps: int, draws: object) -> Tensor:
        sigmas = karras(steps, 0.002, 80.0)
        for sigma, to in pairwise([*(sigmas if fixed else sigmas[:-1]), 0.0]):
            d = (x - network("x0", x, noise_level(1.0, sigma))) / sigma
            y = x + (to - sigma) * d
            if to:
                y = x + (to - sigma) * 0.5 * (d + (y - network("x0", y, noise_level(1.0, to))) / to)
            x = y
        return x

    return Sampler("Heun of denoising-diffusion-pytorch", "0", run, lambda steps: 80.0, order=2)


def deepinv_noise_left_at_end(fixed: bool) -> Sampler:
    """x was returned at the last time 0.001; fixed: denoiser(x/s, sigma) of that time.

    VP-SDE, Euler-Maruyama, alpha 1, no data term. Left out: sigma' of VP lacked a factor (fixed by PR 1343).
    """

    def rates(t: float) -> tuple[float, float, float]:
        integral = 0.1 * t + 9.95 * t**2
        return math.exp(-integral / 2), math.sqrt(math.expm1(integral)), 0.1 + 19.9 * t

    def run(network: Network, x: Tensor, steps: int, draws: object) -> Tensor:
        times = np.linspace(1, 0.001, steps + 1).tolist()
        for t, to in pairwise(times):
            (s, sigma, beta), dt = rates(t), t - to
            score = (s * network("x0", x / s, noise_level(1.0, sigma)) - x) / (s * sigma) ** 2
            x = x + beta * (0.5 * x + score) * dt + math.sqrt(beta * dt) * torch.randn_like(x)
        s, sigma, _ = rates(times[-1])
        return network("x0", x / s, noise_level(1.0, sigma)) if fixed else x

    return Sampler("VP-SDE of deepinv", "0", run, lambda steps: math.prod(rates(1.0)[:2]), order=1, noise=1.0)


def deepinv_start_level(fixed: bool) -> Sampler:
    """The start was drawn at T = 1 (sigma 80) though the times begin at 0.99; fixed: at the first time.

    VE-SDE, Euler-Maruyama, alpha 0.25 (the default), times 0.99 to 0.001 as in the project's test; denoised at the end.
    """
    growth = math.log(80 / 0.001)

    def level(t: float) -> float:
        return 0.001 * math.exp(growth * t)

    def run(network: Network, x: Tensor, steps: int, draws: object) -> Tensor:
        times = np.linspace(0.99, 0.001, steps + 1).tolist()
        for t, to in pairwise(times):
            sigma, dt = level(t), t - to
            score = (network("x0", x, noise_level(1.0, sigma)) - x) / sigma**2
            g2 = 2 * growth * sigma**2
            x = x + 0.625 * g2 * score * dt + math.sqrt(0.25 * g2 * dt) * torch.randn_like(x)
        return network("x0", x, noise_level(1.0, level(times[-1])))

    return Sampler("VE-SDE of deepinv", "0", run, lambda steps: level(0.99 if fixed else 1.0), order=1, noise=0.5)


BUGS: dict[str, Callable[[bool], Sampler]] = {
    "apple-dpm-timesteps": apple_dpm_timesteps,
    "candle-linspace-one-step": candle_linspace_one_step,
    "comfy-start-noise-scale": comfy_start_noise_scale,
    "comfy-unipc-few-steps-order": comfy_unipc_few_steps_order,
    "consistency-multistep-renoise": consistency_multistep_renoise,
    "controlnet-ddim-alphas-prev-start": controlnet_ddim_alphas_prev_start,
    "cosyvoicecpp-euler-index": cosyvoicecpp_euler_index,
    "coursia-ddim-direction-sigma": coursia_ddim_direction_sigma,
    "coursia-ddim-eta-variance": coursia_ddim_eta_variance,
    "dalle2-ddim-noise-last-step": dalle2_ddim_noise_last_step,
    "dalle2-predict-noise-sign": dalle2_predict_noise_sign,
    "ddp-continuous-noise-last-step": ddp_continuous_noise_last_step,
    "ddp-ddim-time-pairs-alphas": ddp_ddim_time_pairs_alphas,
    "ddp-elucidated-schedule-one-short": ddp_elucidated_schedule_one_short,
    "ddp-predict-noise-sign": ddp_predict_noise_sign,
    "deepinv-noise-left-at-end": deepinv_noise_left_at_end,
    "deepinv-start-level": deepinv_start_level,
}

NOT_ASKED: dict[str, str] = {}
