"""Reported bugs of diffusers, before and after their fixes: restated from the reports; see survey/corpus.toml.

Clipping of the predicted data is off (`clip_sample=False`), as for data without bounds. Where a report needs as many
steps as training timesteps, the schedule is `trained_betas` of that many, from and to the levels of the usual 1000.
"""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from samplercheck import Sampler, inversion, noise_level

Grid = Callable[[int], list[float]]
Mesh = Callable[[int], list[tuple[int, int]]]

FINE = 8000


# Schedules: alpha-bar by timestep.


def _linear(timesteps: int) -> list[float]:
    betas = np.linspace(1e-4, 0.02, timesteps) * 1000 / timesteps
    return np.cumprod(1 - betas).tolist()


def _cosine_betas(timesteps: int) -> np.ndarray:
    bar = np.cos((np.arange(timesteps + 1) / timesteps + 0.008) / 1.008 * math.pi / 2) ** 2
    return np.minimum(1 - bar[1:] / bar[:-1], 0.999)


def _chain(steps: int) -> list[float]:
    """A linear schedule of as many timesteps as steps, from and to the levels of one of 1000."""
    u = np.linspace(1e-3, 1, steps)
    return np.exp(-0.1 * u - 9.95 * u**2).tolist()


def _at(bars: list[float], t: int) -> float:
    return bars[t] if t >= 0 else 1.0


def _level(bar: float) -> Any:
    return noise_level(math.sqrt(bar), math.sqrt(1 - bar))


def _sigma(bars: np.ndarray) -> np.ndarray:
    return np.sqrt((1 - bars) / bars)


# Meshes: pairs of the timestep of a step's network call and of the one that the step goes to.


def _leading(steps: int, timesteps: int) -> list[int]:
    return [i * (timesteps // steps) for i in reversed(range(steps))]


def _all_multiples(steps: int, timesteps: int) -> list[int]:
    return list(range(0, timesteps, timesteps // steps))[::-1]


def _linspace(steps: int, timesteps: int) -> list[int]:
    return np.linspace(0, timesteps - 1, steps).round().astype(int)[::-1].tolist()


def _trailing(steps: int, timesteps: int) -> list[int]:
    return [round(timesteps - i * timesteps / steps) - 1 for i in range(steps)]


def _without_end(steps: int, timesteps: int) -> list[int]:
    """The mesh of the DPM-Solvers: one point more than steps, and the last left out."""
    return _linspace(steps + 1, timesteps)[:-1]


def _to_next(mesh: list[int]) -> list[tuple[int, int]]:
    return list(zip(mesh, [*mesh[1:], -1], strict=True))


def _by_stride(mesh: list[int], stride: int) -> list[tuple[int, int]]:
    return [(t, t - stride) for t in mesh]


# Steps.


def _one(steps: int) -> float:
    return 1.0


def _ddim_step(x: Tensor, eps: Tensor, bar: float, to: float) -> Tensor:
    x0 = (x - math.sqrt(1 - bar) * eps) / math.sqrt(bar)
    return math.sqrt(to) * x0 + math.sqrt(1 - to) * eps


def _ddim(mesh: Mesh, timesteps: int = FINE, calls: Callable[[int], int] | None = None) -> Sampler:
    bars = _linear(timesteps)

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        for t, previous in mesh(steps):
            x = _ddim_step(x, network("eps", x, _level(bars[t])), bars[t], _at(bars, previous))
        return x

    return Sampler("diffusers DDIM", "restated", run, prior=_one, order=1, noise=0.0, data_std=1.0, evaluations=calls)


def _ddim_inversion(path: Callable[[int, int], tuple[int, int, int]]) -> Sampler:
    """DDIM from data to noise on the 'leading' mesh 0, k, ..., (n - 1) k; T is the next multiple of n from 8000 on.

    `path` of t and k gives three timesteps: the network's, the one of the state, and the one to go to. Alpha-bar is 1
    below timestep 0 (`set_alpha_to_one`); no timestep to go to is above T - 1.
    """

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        stride = math.ceil(FINE / steps)
        bars = _linear(stride * steps)
        for t in reversed(_leading(steps, stride * steps)):
            told, here, to = (_at(bars, min(at, stride * steps - 1)) for at in path(t, stride))
            x = _ddim_step(x, network("eps", x, _level(told)), here, to)
        return x

    return inversion(Sampler("diffusers DDIM inversion", "restated", run, prior=lambda steps: 0.5, order=1, noise=0.0))


def _small(low: float, beta: float) -> float:
    return low


def _ddpm(
    mesh: Mesh,
    grid: Grid = lambda steps: _linear(FINE),
    variance: Callable[[float, float], float] = _small,
    calls: Callable[[int], int] | None = None,
) -> Sampler:
    """Ancestral sampling; `variance` of the posterior's and of beta."""

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        bars = grid(steps)
        for t, previous in mesh(steps):
            bar, to = bars[t], _at(bars, previous)
            alpha = bar / to
            x0 = (x - math.sqrt(1 - bar) * network("eps", x, _level(bar))) / math.sqrt(bar)
            x = (math.sqrt(to) * (1 - alpha) * x0 + math.sqrt(alpha) * (1 - to) * x) / (1 - bar)
            spread = math.sqrt(variance((1 - to) / (1 - bar) * (1 - alpha), 1 - alpha))
            if t > 0 and spread > 0:
                x = x + spread * torch.randn_like(x)
        return x

    return Sampler("diffusers DDPM", "restated", run, prior=_one, noise=1.0, data_std=1.0, evaluations=calls)


def _data(network: Any, x: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
    return (x - sigma * network("eps", x, noise_level(alpha.item(), sigma.item()))) / alpha


def _multistep(grid: Grid, mesh: Callable[[int], list[int]]) -> Sampler:
    """DPM-Solver++ 2M (midpoint), to timestep 0; the last step of fewer than 15 is of order 1."""

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        bars = torch.tensor(grid(steps), dtype=torch.float64)[[*mesh(steps), 0]]
        alpha, sigma = bars.sqrt(), (1 - bars).sqrt()
        h = (alpha.log() - sigma.log()).diff()
        old = x
        for i in range(len(h)):
            x0 = _data(network, x, alpha[i], sigma[i])
            mean = x0
            if i > 0 and not (i == len(h) - 1 and len(h) < 15):
                mean = x0 + (x0 - old) / (h[i - 1] / h[i]) / 2
            x = sigma[i + 1] / sigma[i] * x - alpha[i + 1] * torch.expm1(-h[i]) * mean
            old = x0
        return x

    return Sampler("diffusers DPM-Solver++ 2M", "restated", run, prior=_one, order=2, noise=0.0, data_std=1.0)


def _singlestep(order: int, orders: Callable[[int], list[int]]) -> Sampler:
    """DPM-Solver++ 2S or 3S (midpoint) with a final sigma of 0: each call steps on from the last call of order 1."""
    bars = torch.tensor(_linear(FINE), dtype=torch.float64)

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        bar = torch.cat([bars[_without_end(steps, FINE)], torch.ones(1, dtype=torch.float64)])
        alpha, sigma = bar.sqrt(), (1 - bar).sqrt()
        lam = alpha.log() - sigma.log()
        start, outputs = x, []
        for i, o in enumerate(orders(steps)):
            outputs.append(_data(network, x, alpha[i], sigma[i]))
            start, s = x if o == 1 else start, i - o + 1
            h = lam[i + 1] - lam[s]
            x = sigma[i + 1] / sigma[s] * start - alpha[i + 1] * torch.expm1(-h) * outputs[s]
            if o > 1:
                slope = (outputs[i] - outputs[s]) / ((lam[i] - lam[s]) / h)
                weight = -torch.expm1(-h) / 2 if o == 2 else torch.expm1(-h) / h + 1
                x = x + alpha[i + 1] * weight * slope
        return x

    return Sampler(
        f"diffusers DPM-Solver++ {order}S", "restated", run, prior=_one, order=order, noise=0.0, data_std=1.0
    )


# The bugs.


def ancestral_cosine_nan(fixed: bool) -> Sampler:
    """Ancestral steps took down = sqrt(to^2 - up^2) in float32; to^2 = up^2 or less by rounding on the cosine mesh.

    The library holds alpha-bar and sigmas (sigma_0 = 2e4) in float32 whatever the sample's type, and so does this.
    Asked as KDPM2 ancestral, which fails up to about 10 steps: down = 0 has no mean of logs with sigma. Euler's form
    fails at 4 alone here. The fix is an open pull request: down = to^2 / from, and the geometric mean by the product.
    """
    table = _sigma(torch.from_numpy(1 - _cosine_betas(1000).astype(np.float32)).cumprod(0).numpy())

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        mesh = np.linspace(0, 999, steps, dtype=np.float32)[::-1]
        sigmas = torch.from_numpy(np.interp(mesh, np.arange(1000), table).astype(np.float32))

        def slope(x: Tensor, sigma: Tensor) -> Tensor:
            scale = 1 / math.hypot(1, sigma.item())
            return network("eps", x * scale, noise_level(scale, sigma.item() * scale))

        for here, to in pairwise(sigmas):
            up = (to**2 * (here**2 - to**2) / here**2).sqrt()
            down = (to**4 / here**2 if fixed else to**2 - up**2).sqrt()
            middle = (here * down).sqrt() if fixed else torch.lerp(here.log(), down.log(), 0.5).exp()
            y = x + (middle - here) * slope(x, here)
            x = x + (down - here) * slope(y, middle) + up * torch.randn_like(x)
        return x - sigmas[-1] * slope(x, sigmas[-1])

    prior = float(table[-1])
    return Sampler("diffusers KDPM2 ancestral", "restated", run, prior=lambda steps: prior, noise=1.0, data_std=1.0)


def ddim_inverse_from_alpha(fixed: bool) -> Sampler:
    """A step called at t went from t - k to t; the issue asks for one from t to t + k.

    No fix is merged. The first state is data, which the code before takes for alpha-bar 1, and the issue's for that of
    timestep 0.
    """
    return _ddim_inversion(lambda t, k: (t, t, t + k) if fixed else (t, t - k, t))


def ddim_inverse_shift(fixed: bool) -> Sampler:
    """Steps from t to t + k, called at t, began at t = -k. Fixed: steps from t - k to t, called at t, begin at t = 0.

    The fault is the first call, at -k. No noise level has that timestep; as alpha-bar does, it counts as data here.
    So before is explicit DDIM inversion, and fixed is what ddim_inverse_from_alpha has before.
    """
    return _ddim_inversion(lambda t, k: (t if fixed else t - k, t - k, t))


def ddim_leading_start(fixed: bool) -> Sampler:
    """The 'leading' mesh i (T // n) starts pure noise at T - T // n; 'trailing' at T - 1 (an option).

    As to where a step of the trailing mesh goes, the next entry is taken: see ddim_linspace_previous_timestep.
    """
    return _ddim(lambda steps: _to_next((_trailing if fixed else _leading)(steps, FINE)))


def ddim_linspace_previous_timestep(fixed: bool) -> Sampler:
    """On the 'linspace' mesh, of stride (T - 1) / (n - 1), a step went to t - T // n; it should to the next entry."""

    def mesh(steps: int) -> list[tuple[int, int]]:
        entries = _linspace(steps, FINE)
        return _to_next(entries) if fixed else _by_stride(entries, FINE // steps)

    return _ddim(mesh)


def _counted(steps: int, fixed: bool) -> list[tuple[int, int]]:
    return _by_stride((_leading if fixed else _all_multiples)(steps, 1000), 1000 // steps)


def ddim_pndm_timesteps_count(fixed: bool) -> Sampler:
    """The mesh was all multiples of T // n below T, more than n of them for n such as 27; T = 1000. Asked as DDIM."""
    return _ddim(lambda steps: _counted(steps, fixed), 1000, lambda steps: steps)


def ddpm_learned_range_no_log(fixed: bool) -> Sampler:
    """The variance was (1 - f) low + f beta where the paper interpolates logs: low^(1 - f) beta^f, f = (v + 1) / 2.

    A Sampler's network predicts no v: it is 0 here, so f = 1/2, though both variances lie between the paper's bounds.
    All timesteps of training are used.
    """
    between = (lambda low, beta: math.sqrt(low * beta)) if fixed else (lambda low, beta: (low + beta) / 2)
    return _ddpm(lambda steps: _to_next(_leading(steps, steps)), _chain, between)


def ddpm_previous_timestep_spacing(fixed: bool) -> Sampler:
    """On the 'linspace' mesh a DDPM step went to t - T // n, which is not the next entry."""

    def mesh(steps: int) -> list[tuple[int, int]]:
        entries = _linspace(steps, FINE)
        return _to_next(entries) if fixed else _by_stride(entries, FINE // steps)

    return _ddpm(mesh)


def ddpm_set_timesteps_count(fixed: bool) -> Sampler:
    """The mesh was all multiples of T // n below T (334 for n = 300); T = 1000.

    The steps' coefficients are those of the stride, as a month later: see ddpm_skipped_steps_coefficients.
    """
    return _ddpm(lambda steps: _counted(steps, fixed), lambda steps: _linear(1000), calls=lambda steps: steps)


def ddpm_skipped_steps_coefficients(fixed: bool) -> Sampler:
    """With stride k = T // n the mean and variance were those of a step to t - 1 (alpha_t, beta_t), not to t - k."""
    return _ddpm(lambda steps: _by_stride(_leading(steps, FINE), FINE // steps if fixed else 1))


def ddpm_step_without_noise(fixed: bool) -> Sampler:
    """A step returned the posterior's mean without its noise. All timesteps of training are used."""
    variance = _small if fixed else lambda low, beta: 0.0
    return _ddpm(lambda steps: _to_next(_leading(steps, steps)), _chain, variance)


def dpm_cosine_lambda_clip(fixed: bool) -> Sampler:
    """On the cosine schedule the mesh began at T - 1, lambda = -10; by option, at the first of lambda >= -5.1."""
    bars = np.cumprod(1 - _cosine_betas(1000))
    clip = int((np.log(bars / (1 - bars)) / 2 < -5.1).sum()) if fixed else 0
    return _multistep(lambda steps: bars.tolist(), lambda steps: _without_end(steps, 1000 - clip))


def dpm_duplicate_timesteps(fixed: bool) -> Sampler:
    """For n = T the rounded mesh held a timestep twice: h = 0, then r0 = h0 / h = 0 and (m0 - m1) / r0 = 0 / 0.

    T is n here for any n. In the release before the fix the look-up of the doubled timestep failed first.
    """

    def mesh(steps: int) -> list[int]:
        entries = _without_end(steps, steps)
        return list(dict.fromkeys(entries)) if fixed else entries

    return _multistep(_chain, mesh)


def dpm_single_last_order(fixed: bool) -> Sampler:
    """For even n the last call of 2S was of order 2 in spite of `lower_order_final`, here to sigma 0: lambda is inf."""

    def orders(steps: int) -> list[int]:
        if steps % 2:
            return [1, 2] * (steps // 2) + [1]
        return [1, 2] * (steps // 2 - 1) + [1, 1] if fixed else [1, 2] * (steps // 2)

    return _singlestep(2, orders)


def dpm_single_third_zero_sigma(fixed: bool) -> Sampler:
    """For n = 3k - 1 the last call of 3S was of order 2, to sigma 0: lambda is inf."""

    def orders(steps: int) -> list[int]:
        whole = [1, 2, 3] * (steps // 3)
        return [[*whole[:-3], 1, 2, 1], [*whole, 1], [*whole, 1, 1 if fixed else 2]][steps % 3]

    return _singlestep(3, orders)


def flow_euler_double_shift(fixed: bool) -> Sampler:
    """The mesh ran between ends that were shifted already, and was shifted again: s -> 3 s / (1 + 2 s), T = 1000."""

    def shift(s: np.ndarray) -> np.ndarray:
        return 3 * s / (1 + 2 * s)

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        ends = np.array([1, 1e-3])
        mesh = [*shift(np.linspace(*(ends if fixed else shift(ends)), steps)).tolist(), 0.0]
        for s, to in pairwise(mesh):
            velocity = (x - network("x0", x, noise_level(1 - s, s))) / s
            x = x + (to - s) * velocity
        return x

    return Sampler("diffusers flow-matching Euler", "restated", run, prior=_one, order=1, noise=0.0, data_std=1.0)


def _multistep_weights(sigmas: np.ndarray, i: int, order: int) -> list[float]:
    """Integrals from sigma_i to sigma_{i+1} of the Lagrange polynomials on sigma_i, sigma_{i-1} and so on."""
    nodes, weights = np.polynomial.legendre.leggauss(4)
    half = (sigmas[i + 1] - sigmas[i]) / 2
    at = sigmas[i] + half * (1 + nodes)
    knots = [sigmas[i - k] for k in range(order)]
    basis = [np.prod([(at - o) / (knot - o) for o in knots if o != knot] + [at**0], axis=0) for knot in knots]
    return [float(half * (weights * b).sum()) for b in basis]


def lcm_uneven_spread(fixed: bool) -> Sampler:
    """Timesteps were every (N // n)-th of N = 50 original ones, the first n from the top: n = 26 ends at 499.

    Fixed: entries floor(i N / n). Above 50 steps N is 2 n - 2, so that n is of N as 26 is of 50, and T is always 20 N.
    The network is the whole consistency function, with the weights of its boundary; the schedule is linear.
    """

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        total = 50 if steps <= 50 else 2 * steps - 2
        bars, original = _linear(20 * total), range(20 * total - 1, 0, -20)
        mesh = [original[i * total // steps if fixed else i * (total // steps)] for i in range(steps)]
        for t, to in pairwise([*mesh, -1]):
            x0 = network("consistency", x, _level(bars[t]))
            x = x0 if to < 0 else math.sqrt(bars[to]) * x0 + math.sqrt(1 - bars[to]) * torch.randn_like(x)
        return x

    return Sampler("diffusers LCM", "restated", run, prior=_one, noise=None)


def lms_integer_timesteps(fixed: bool) -> Sampler:
    """Sigmas are interpolated at fractional timesteps, but the network was given their integer part; T = 1000.

    No order of convergence is documented: the release calls `order=4` a "coefficient for multi-step inference".
    """
    bars = _linear(1000)
    table = _sigma(np.array(bars))

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        mesh = np.linspace(999, 0, steps)
        sigmas = np.append(np.interp(mesh, np.arange(1000), table), 0)
        slopes: list[Tensor] = []
        for i, t in enumerate(mesh):
            scale = 1 / math.hypot(1, sigmas[i])
            level = noise_level(scale, float(sigmas[i]) * scale) if fixed else _level(bars[int(t)])
            slopes = [network("eps", x * scale, level), *slopes[:3]]
            weights = _multistep_weights(sigmas, i, len(slopes))
            x = x + sum(w * d for w, d in zip(weights, slopes, strict=True))
        return x

    prior = float(table[-1])
    return Sampler("diffusers LMS", "restated", run, prior=lambda steps: prior, noise=0.0, data_std=1.0)


def pndm_v_prediction_combination(fixed: bool) -> Sampler:
    """PRK and PLMS combined outputs v of different times, and made the sum an eps with the step's own x and alpha-bar.

    No fix is merged: this is the one asked for, each v an eps first. T is near 8000 and an even multiple of n. The
    order is the one that the paper (arXiv 2202.09778) proves for F-PNDM. The last step, from 0 to alpha-bar_0, moves
    nothing (`set_alpha_to_one=False`).
    """
    plms = (55 / 24, -59 / 24, 37 / 24, -9 / 24)

    def run(network: Any, x: Tensor, steps: int, draws: Any) -> Tensor:
        stride = 2 * math.ceil(FINE / 2 / steps)
        bars = _linear(stride * steps)

        def eps(x: Tensor, v: Tensor, t: int) -> Tensor:
            return math.sqrt(bars[t]) * v + math.sqrt(1 - bars[t]) * x

        def output(x: Tensor, t: int) -> Tensor:
            v = network("v", x, _level(bars[t]))
            return eps(x, v, t) if fixed else v

        def move(x: Tensor, out: Tensor, t: int, to: int) -> Tensor:
            return _ddim_step(x, out if fixed else eps(x, out, t), bars[t], bars[max(to, 0)])

        past: list[Tensor] = []
        for t in _leading(steps, stride * steps):
            past = [output(x, t), *past[:3]]
            if len(past) < 4:
                middle, to = t - stride // 2, t - stride
                second = output(move(x, past[0], t, middle), middle)
                third = output(move(x, second, t, middle), middle)
                fourth = output(move(x, third, t, to), to)
                out = (past[0] + 2 * second + 2 * third + fourth) / 6
            else:
                out = sum((w * p for w, p in zip(plms, past, strict=True)), torch.zeros_like(x))
            x = move(x, out, t, t - stride)
        return x

    return Sampler("diffusers PNDM", "restated", run, prior=_one, order=2, noise=0.0, data_std=1.0)


BUGS: dict[str, Callable[[bool], Sampler]] = {
    "diffusers-ancestral-cosine-nan": ancestral_cosine_nan,
    "diffusers-ddim-inverse-from-alpha": ddim_inverse_from_alpha,
    "diffusers-ddim-inverse-shift": ddim_inverse_shift,
    "diffusers-ddim-leading-start": ddim_leading_start,
    "diffusers-ddim-linspace-previous-timestep": ddim_linspace_previous_timestep,
    "diffusers-ddim-pndm-timesteps-count": ddim_pndm_timesteps_count,
    "diffusers-ddpm-learned-range-no-log": ddpm_learned_range_no_log,
    "diffusers-ddpm-previous-timestep-spacing": ddpm_previous_timestep_spacing,
    "diffusers-ddpm-set-timesteps-count": ddpm_set_timesteps_count,
    "diffusers-ddpm-skipped-steps-coefficients": ddpm_skipped_steps_coefficients,
    "diffusers-ddpm-step-without-noise": ddpm_step_without_noise,
    "diffusers-dpm-cosine-lambda-clip": dpm_cosine_lambda_clip,
    "diffusers-dpm-duplicate-timesteps": dpm_duplicate_timesteps,
    "diffusers-dpm-single-last-order": dpm_single_last_order,
    "diffusers-dpm-single-third-zero-sigma": dpm_single_third_zero_sigma,
    "diffusers-flow-euler-double-shift": flow_euler_double_shift,
    "diffusers-lcm-uneven-spread": lcm_uneven_spread,
    "diffusers-lms-integer-timesteps": lms_integer_timesteps,
    "diffusers-pndm-v-prediction-combination": pndm_v_prediction_combination,
}

NOT_ASKED: dict[str, str] = {
    "diffusers-flow-sigmas-missing-end": "a crash: the last step fails by an index error, so that a run has no end",
    "diffusers-repaint-known-part-level": "the fault is in the part of a sample that the caller gives as known",
}
