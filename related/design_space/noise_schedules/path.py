r"""N2: the path bound of the variance-exploding sampler, its parts, and its order beside that of what it bounds.

`y' = y + (tau - tau') s(y) + sqrt(tau - tau') z` from noise `tau = sigma^2` to `tau'` (the library's `reverse_sde`),
on a Gaussian target with variances `v_i`. The exact reverse kernel has the same mean and variance `(v + tau') (tau -
tau') / (v + tau)`, so that with `d = (tau - tau') / (v + tau)` and a score error `e` the chains' divergence is,
exactly,

    KL(p_{tau_0} || start) + sum_k [ sum_i (-d - log(1 - d)) / 2 + (tau_k - tau_{k+1}) E|e|^2 / 2 ]

initialisation + discretisation + score error. The last divergence KL(target || run) is no larger (data processing).
Without score error it is also Girsanov's of the paths, since the score is a martingale along the reverse process:
`E|s_tau - s_{tau_k}|^2 = 1/(v + tau) - 1/(v + tau_k)`. Source: the setting is Wang, He and Tao's (arXiv 2406.12839).
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import sympy as sp
import torch

from ams.laws import GaussianLaw, Moments
from ams.metrics import gaussian_kl
from ams.samplers import affine, last, one_step_per_level, reverse_sde, run
from ams.schedules import Level, geometric_sigmas, ve_levels
from ams.statistics import asymptotic_order
from ams_suite.measures import largest, of_order
from analysis.misspecified_score import ScoreError, marginal
from analysis.proofs import left_over
from analysis.targets import stiff_gaussian
from related.design_space.noise_schedules.settings import Settings
from verdicts import Measurement
from verdicts.studies import cell

HIGHEST, LOWEST = 80.0, 0.02
"""The first and last noise of N2's schedules: the last is below the smallest standard deviation, 0.032."""


class ExactRun(NamedTuple):
    """A run with exact scores and start: its path bound, KL(target || run) and KL(run || target), in nats."""

    bound: float
    forward: float
    backward: float


def discretisation(tau: torch.Tensor, law: GaussianLaw) -> torch.Tensor:
    """Return `sum_k sum_i (-d - log(1 - d)) / 2` in nats, `d = (tau_k - tau_{k+1}) / (v_i + tau_k)`; differentiable."""
    d = -tau.diff()[:, None] / (tau[:-1, None] + law.variance)
    return -((d + torch.log1p(-d)) @ law.multiplicity).sum() / 2


def score_part(levels: Sequence[Level], law: GaussianLaw, error: ScoreError) -> float:
    """Return `sum_k (tau_k - tau_{k+1}) E|e_k|^2 / 2` in nats."""
    return sum(
        (level.sigma**2 - after.sigma**2) * float((law.multiplicity * error.power(law, level)).sum()) / 2
        for level, after in pairwise(levels)
    )


def path_bound(levels: Sequence[Level], law: GaussianLaw, error: ScoreError, start: Moments) -> float:
    """Return the three parts' sum for a run over `levels` from `start`."""
    initialisation = gaussian_kl(*marginal(law, levels[0]), *start, law.multiplicity)
    return initialisation + steps_part(levels, law, error)


def steps_part(levels: Sequence[Level], law: GaussianLaw, error: ScoreError) -> float:
    """Return the sum of the discretisation's and the score error's part."""
    tau = torch.tensor([level.sigma**2 for level in levels], dtype=torch.float64)
    return float(discretisation(tau, law)) + score_part(levels, law, error)


def ended(levels: Sequence[Level], law: GaussianLaw, error: ScoreError, start: Moments) -> Moments:
    """Return the moments of the sampler's run at the last noise level."""
    begin = law.start(start.mean.tolist(), start.variance.tolist())
    states = run(one_step_per_level(affine(reverse_sde), levels), begin, error.score(law), law.noise, law)
    return law.moments(last(states)[0].x)


def divergences(levels: Sequence[Level], law: GaussianLaw, error: ScoreError, start: Moments) -> tuple[float, float]:
    """Return KL(target || run) and KL(run || target) at the last noise level, in nats."""
    return both_divergences(law, marginal(law, levels[-1]), ended(levels, law, error, start))


def both_divergences(law: GaussianLaw, own: Moments, end: Moments) -> tuple[float, float]:
    """Return `KL(own || end)` and `KL(end || own)` in nats."""
    return gaussian_kl(*own, *end, law.multiplicity), gaussian_kl(*end, *own, law.multiplicity)


def squared_change(now: sp.Expr, before: sp.Expr, shared: sp.Expr) -> sp.Expr:
    """Return `E |Y / now - Y_- / before|^2` for variances `now`, `before` and covariance `shared`: of the score."""
    return 1 / now - 2 * shared / (now * before) + 1 / before


def remainder_of_girsanovs_integral(settings: Settings) -> Measurement:
    """Measure the operations left in the integral over a step of the score's mean squared change, less the formula.

    Along the reverse process Y at `t < T` is `Y_t ~ N(0, v + t)`, `Y_T = Y_t + noise`, so `E Y_t Y_T = v + t`.
    """
    v, t, low, high = sp.symbols("v t t_1 t_0", positive=True)
    change = squared_change(v + t, v + high, v + t)
    integral = sp.integrate(sp.simplify(change), (t, low, high))
    d = (high - low) / (v + high)
    term = -d - sp.log((v + low) / (v + high))
    return left_over(sp.expand_log(integral - term, force=True), (1 - d) - (v + low) / (v + high))


def random_error(draw: np.random.Generator, directions: int) -> ScoreError:
    """Return a score wrong by a random factor (0.5 to 1.5) and a random shift in the predicted noise."""
    shift, factor = torch.as_tensor(draw.standard_normal(directions)), float(draw.uniform(0.5, 1.5))
    size = 10 ** draw.uniform(-3, 0)
    return ScoreError(lambda level: size * shift / level.sigma, factor)


def largest_error_of_one_steps_parts(settings: Settings) -> Measurement:
    """Measure the largest relative error of one step's parts against the divergence of its own kernel, random cases."""
    draw, errors = np.random.default_rng(settings.seed), []
    for _ in range(settings.cases):
        law = GaussianLaw(10 ** draw.uniform(-3, 1, 3), mean=draw.standard_normal(3))
        sigma = 10 ** draw.uniform(-2, 2)
        levels = ve_levels([sigma, sigma * draw.uniform(0.2, 0.9)])
        error = random_error(draw, 3)
        errors.append(abs(kernel_divergence(levels[0], levels[1], law, error) / steps_part(levels, law, error) - 1))
    return largest(errors, settings.seed)


def kernel_divergence(level: Level, after: Level, law: GaussianLaw, error: ScoreError) -> float:
    """Return the mean over the target's marginal at `level` of KL(exact reverse kernel || the step's kernel)."""
    state = law.start(0.0, 1.0)
    moved, _ = affine(reverse_sde)(state, error.score(law), law.noise, level, law)
    constant, matrix, spread = law.transition(moved)
    own = marginal(law, level).variance
    slope = marginal(law, after).variance / (law.variance + level.sigma**2)
    width = slope * (level.sigma**2 - after.sigma**2)
    shift = constant[:, 0] + (matrix[:, 0, 0] - 1) * law.mean
    square = (matrix[:, 0, 0] - slope) ** 2 * own + shift**2
    ratio = width / spread[:, 0] ** 2
    return float((ratio - 1 - ratio.log() + square / spread[:, 0] ** 2).sum()) / 2


def largest_divergence_over_path_bound(settings: Settings) -> Measurement:
    """Measure the largest KL(target || run) over the path bound: random spectra, noise levels, score errors, starts."""
    draw, ratios = np.random.default_rng(settings.seed + 1), []
    for _ in range(settings.cases):
        law = GaussianLaw(10 ** draw.uniform(-3, 1, 3), mean=draw.standard_normal(3))
        sigmas = np.sort(10 ** draw.uniform(-2, 2, draw.integers(2, 20)))[::-1]
        start = Moments(torch.zeros(3).double(), torch.full((3,), sigmas[0] ** 2).double())
        case = ve_levels(sigmas), law, random_error(draw, 3), start
        ratios.append(np.array(divergences(*case)) / path_bound(*case))
    forward, backward = np.transpose(ratios)
    above = {"runs with KL(run || target) above the bound": int((backward > 1).sum())}
    return largest(forward, settings.seed + 1, median=float(np.median(forward)), **above)


@cell
def exact_run(count: int) -> ExactRun:
    """Path bound and divergences of `count` geometric steps on the stiff Gaussian, exact scores and start."""
    law, levels = stiff_gaussian(), ve_levels(geometric_sigmas(HIGHEST, LOWEST, count + 1))
    case = levels, law, ScoreError(), marginal(law, levels[0])
    return ExactRun(path_bound(*case), *divergences(*case))


def order_of_path_bound(settings: Settings) -> Measurement:
    """Measure the order in 1/N of the path bound, exact scores, geometric noise levels, stiff Gaussian."""
    bounds = [exact_run(count).bound for count in settings.counts]
    return of_order(asymptotic_order([1 / count for count in settings.counts], bounds))


def order_of_divergence(settings: Settings) -> Measurement:
    """Measure the order in 1/N of KL(target || run), exact scores, geometric noise levels, stiff Gaussian."""
    _, *values = zip(*(exact_run(count) for count in settings.counts), strict=True)
    forward, backward = (asymptotic_order([1 / count for count in settings.counts], each) for each in values)
    return of_order(forward, other_direction=backward.value)
