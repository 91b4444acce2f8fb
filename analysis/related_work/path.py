r"""N2: the path bound of the variance-ve_level sampler, its parts, and its order beside that of what it bounds.

`y' = y + (tau - tau') s(y) + sqrt(tau - tau') z` from level `tau = sigma^2` to `tau'` (the library's `reverse_sde`),
on a Gaussian target with variances `v_i`. The exact reverse kernel has the same mean and variance `(v + tau') (tau -
tau') / (v + tau)`, so that with `d = (tau - tau') / (v + tau)` and a score error `e` the chains' divergence is,
exactly,

    KL(p_{tau_0} || start) + sum_k [ sum_i (-d - log(1 - d)) / 2 + (tau_k - tau_{k+1}) E|e|^2 / 2 ]

initialisation + discretisation + score error. The last law's own divergence KL(target || law) is no larger (data
processing). Without score error it is also Girsanov's of the paths, since the score is a martingale along the reverse
process: `E|s_tau - s_{tau_k}|^2 = 1/(v + tau) - 1/(v + tau_k)`. Source: the setting is Wang, He and Tao's (arXiv
2406.12839).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise

import numpy as np
import sympy as sp
import torch
from pydantic import JsonValue

from ams.laws import GaussianLaw, Moments
from ams.metrics import gaussian_kl
from ams.samplers import affine, last, one_step_per_level, reverse_sde, run
from ams.schedules import Level, geometric_sigmas, ve_levels
from ams.statistics import Order, asymptotic_order
from analysis.proofs import left_over
from analysis.related_work.misspecified_score import ScoreError
from analysis.related_work.settings import Settings
from analysis.targets import stiff_gaussian
from verdicts import Measurement, check

EXACT = ScoreError()
HIGHEST, LOWEST = 80.0, 0.02
"""The first and last noise of N2's schedules: the last is below the smallest standard deviation, 0.032."""


def marginal(law: GaussianLaw, sigma: float) -> Moments:
    """Return the target's law at noise `sigma`, variance ve_level."""
    return Moments(law.mean, law.variance + sigma**2)


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
    own = marginal(law, levels[0].sigma)
    first = gaussian_kl(own.mean, own.variance, start.mean, start.variance, law.multiplicity)
    tau = torch.tensor([level.sigma**2 for level in levels], dtype=torch.float64)
    return first + float(discretisation(tau, law)) + score_part(levels, law, error)


def ended(levels: Sequence[Level], law: GaussianLaw, error: ScoreError, start: Moments) -> Moments:
    """Return the sampler's exact law at the last level."""
    begin = law.start(start.mean.tolist(), start.variance.tolist())
    states = run(one_step_per_level(affine(reverse_sde), levels), begin, error.score(law), law.noise, law)
    return law.moments(last(states)[0].x)


def divergences(levels: Sequence[Level], law: GaussianLaw, error: ScoreError, start: Moments) -> tuple[float, float]:
    """Return `KL(target || law)` and `KL(law || target)` at the last level, in nats."""
    return both_divergences(law, marginal(law, levels[-1].sigma), ended(levels, law, error, start))


def both_divergences(law: GaussianLaw, own: Moments, found: Moments) -> tuple[float, float]:
    """Return `KL(own || found)` and `KL(found || own)` in nats."""
    return gaussian_kl(*own, *found, law.multiplicity), gaussian_kl(*found, *own, law.multiplicity)


def squared_change(now: sp.Expr, before: sp.Expr, shared: sp.Expr) -> sp.Expr:
    """Return `E |Y / now - Y_- / before|^2` for variances `now`, `before` and covariance `shared`: of the score."""
    return 1 / now - 2 * shared / (now * before) + 1 / before


@check("N2.martingale")
def girsanov_is_the_formula(settings: Settings) -> Measurement:
    """SymPy: the integral over a step of the score's mean squared change is the formula's term.

    Along the reverse process Y at `t < T` is `Y_t ~ N(0, v + t)`, `Y_T = Y_t + noise`, so `E Y_t Y_T = v + t`.
    """
    v, t, low, high = sp.symbols("v t t_1 t_0", positive=True)
    change = squared_change(v + t, v + high, v + t)
    integral = sp.integrate(sp.simplify(change), (t, low, high))
    d = (high - low) / (v + high)
    term = -d - sp.log((v + low) / (v + high))
    return left_over(sp.expand_log(integral - term, force=True), (1 - d) - (v + low) / (v + high))


@check("N2.chain")
def parts_from_the_samplers_own_kernel(settings: Settings) -> Measurement:
    """Return the largest relative error of the parts of one step against the divergence of its kernel, random cases.

    The kernel is read off the exact law's transition; the exact one is Bayes' rule.
    """
    draw, gaps = np.random.default_rng(settings.seed), []
    for _ in range(settings.cases):
        law = GaussianLaw(10 ** draw.uniform(-3, 1, 3), mean=draw.standard_normal(3))
        sigma = 10 ** draw.uniform(-2, 2)
        levels = ve_levels([sigma, sigma * draw.uniform(0.2, 0.9)])
        error = random_error(draw, 3)
        tau = torch.tensor([level.sigma**2 for level in levels], dtype=torch.float64)
        parts = float(discretisation(tau, law)) + score_part(levels, law, error)
        gaps.append(abs(kernel_divergence(levels[0], levels[1], law, error) / parts - 1))
    return Measurement(value=max(gaps), n=len(gaps), seeds=(settings.seed,))


def random_error(draw: np.random.Generator, directions: int) -> ScoreError:
    """Return a score wrong by a random factor (0.5 to 1.5) and a random shift in the predicted noise."""
    shift, factor = torch.as_tensor(draw.standard_normal(directions)), float(draw.uniform(0.5, 1.5))
    size = 10 ** draw.uniform(-3, 0)
    return ScoreError(lambda level: size * shift / level.sigma, factor)


def kernel_divergence(level: Level, after: Level, law: GaussianLaw, error: ScoreError) -> float:
    """Return the mean over the target's law at `level` of KL(exact reverse kernel || the step's kernel)."""
    state = law.start(0.0, 1.0)
    moved, _ = affine(reverse_sde)(state, error.score(law), law.noise, level, law)
    constant, matrix, spread = law.transition(moved)
    own, kept = marginal(law, level.sigma), marginal(law, after.sigma).variance / (law.variance + level.sigma**2)
    width = kept * (level.sigma**2 - after.sigma**2)
    miss = constant[:, 0] + (matrix[:, 0, 0] - 1) * law.mean
    spare = (matrix[:, 0, 0] - kept) ** 2 * own.variance + miss**2
    ratio = width / spread[:, 0] ** 2
    return float((ratio - 1 - ratio.log() + spare / spread[:, 0] ** 2).sum()) / 2


@check("N2.bound")
def no_run_violates_the_bound(settings: Settings) -> Measurement:
    """Return the largest KL(target || law) over the path bound: random spectra, levels, score errors and starts.

    `other direction` counts the runs whose KL(law || target) is above it: the bound does not speak of that one.
    """
    draw, ratios = np.random.default_rng(settings.seed + 1), []
    for _ in range(settings.cases):
        law = GaussianLaw(10 ** draw.uniform(-3, 1, 3), mean=draw.standard_normal(3))
        sigmas = np.sort(10 ** draw.uniform(-2, 2, draw.integers(2, 20)))[::-1]
        start = Moments(torch.zeros(3).double(), torch.full((3,), sigmas[0] ** 2).double())
        case = ve_levels(sigmas), law, random_error(draw, 3), start
        limit = path_bound(*case)
        ratios.append([found / limit for found in divergences(*case)])
    forward, backward = np.array(ratios).T
    detail: dict[str, JsonValue] = {
        "median": float(np.median(forward)),
        "other direction above": int((backward > 1).sum()),
    }
    return Measurement(value=forward.max(), n=len(forward), seeds=(settings.seed + 1,), detail=detail)


@cache
def exact_runs(counts: tuple[int, ...]) -> tuple[list[float], list[tuple[float, float]]]:
    """Return path bounds and true divergences (both directions) of exact scores and starts over geometric levels."""
    law = stiff_gaussian()
    bounds, true = [], []
    for count in counts:
        case = ve_levels(geometric_sigmas(HIGHEST, LOWEST, count + 1)), law, EXACT, marginal(law, HIGHEST)
        bounds.append(path_bound(*case))
        true.append(divergences(*case))
    return bounds, true


@check("N2.order_bound")
def the_bound_is_first_order(settings: Settings) -> Measurement:
    """Return the order in 1/N of the path bound."""
    bounds, _ = exact_runs(settings.counts)
    return _measured(asymptotic_order([1 / count for count in settings.counts], bounds))


@check("N2.order_true")
def the_divergence_is_second_order(settings: Settings) -> Measurement:
    """Return the order in 1/N of KL(target || law); that of KL(law || target) in the detail."""
    _, true = exact_runs(settings.counts)
    steps = [1 / count for count in settings.counts]
    forward, backward = (asymptotic_order(steps, list(values)) for values in zip(*true, strict=True))
    return _measured(forward, other_direction=backward.value)


def _measured(order: Order, **detail: JsonValue) -> Measurement:
    return Measurement(value=order.value, low=order.low, high=order.high, n=len(order.steps), detail=detail)
