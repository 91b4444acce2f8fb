r"""N1b: the prediction-correction method, in laws: stop the forward process at a fixed T1, correct there, then reverse.

Forward Ornstein-Uhlenbeck `dx = -x dt + sqrt 2 dW` (the library's `VP(2, 2)` at time T1: scale `exp(-T1)`); start
from N(0, I); Langevin at T1 for a time; probability flow down to 0. With a score wrong by a constant `e` at all times
the flow alone collects about `e sqrt v` a unit of T1 (`x = (y - mu) sqrt v / sd` is what it keeps, and `sd -> 1`),
while the start's error falls as `exp(-T1)`: its best T1 grows like `log(1/e)`, and so does its error over `e`. The
corrected run has no such logarithm. Source: Pedrotti, Maas and Mondelli (arXiv 2305.14164); the constants are
computed here.
"""

from __future__ import annotations

import math
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from pydantic import JsonValue
from scipy.optimize import minimize_scalar
from torch import Tensor

from ams.laws import GaussianLaw, Moments
from ams.metrics import gaussian_w2
from ams.samplers import flow_rk45, langevin, vp_level
from ams.schedules import VP, Level
from ams.statistics import asymptotic_order
from analysis.related_work.inexact import Case, Law, Problem, diffused
from analysis.related_work.misspecified_score import ScoreError
from analysis.related_work.settings import Settings
from verdicts import Measurement, check

FIXED = 0.5
"""The fixed T1 of the corrected runs."""
ERRORS = (1e-1, 1e-2, 1e-3, 1e-4)
"""Norms of the score error."""


def target() -> GaussianLaw:
    """Return the target: 8 variances log-spaced from 1 to 0.01, a mean of norm 2."""
    return GaussianLaw(np.logspace(0.0, -2.0, 8), mean=2.0 / 8**0.5)


def at_time(t: float) -> Level:
    """Return the level of the Ornstein-Uhlenbeck process at time t: scale `exp(-t)`, `sigma^2 = 1 - exp(-2 t)`."""
    scale, sigma = VP(2.0, 2.0).marginal(t)
    return Level(0, sigma=sigma, scale=scale, t=t)


def marginal(law: GaussianLaw, level: Level) -> Moments:
    """Return the target's own law at a level."""
    return Moments(level.scale * law.mean, level.scale**2 * law.variance + level.sigma**2)


def standard(law: GaussianLaw) -> Moments:
    """Return the start N(0, I)."""
    return Moments(torch.zeros_like(law.mean), torch.ones_like(law.variance))


class Run(NamedTuple):
    """A law on the way, and what a score error adds to its mean: with the error's other sign it is taken off."""

    law: Moments
    response: Tensor


def reversed_flow(law: GaussianLaw, error: Tensor, t: float, start: Run) -> Run:
    """Return what the probability flow makes at time 0 of `start` at time t, its score wrong by `error`; to 1e-8.

    Mean, response and standard deviation are columns that the flow moves alike; the error enters the response alone.
    """

    def score(rows: Tensor, level: Level) -> Tensor:
        s = law.score(rows, level)
        s[:, 1] += error
        return s

    level = at_time(t)
    rows = torch.stack([start.law.mean, start.response, start.law.variance.sqrt()], dim=1)
    end, _ = flow_rk45(rows, score, level.sigma / level.scale, 0.0, 1e-8, 1e-10, vp_level)
    return Run(Moments(end[:, 0], end[:, 2].square()), end[:, 1])


def corrected(law: GaussianLaw, error: Tensor, t: float, time: float, start: Moments) -> Moments:
    """Return the law after Langevin at time t for `time`, its score wrong by the constant vector `error`."""
    own = marginal(law, at_time(t))
    problem = Problem(own.variance[None].numpy(), np.zeros((1, len(error), len(error))), error[None].numpy())
    begin = Law((start.mean - own.mean)[None].numpy(), torch.diag(start.variance)[None].numpy())
    end = diffused(Case(problem, begin, np.array([time])))
    mean, variance = end.mean[0], end.covariance[0].diagonal()
    return Moments(own.mean + torch.as_tensor(mean), torch.as_tensor(variance.copy()))


def evenly(law: GaussianLaw, size: float) -> Tensor:
    """Return a score error of norm `size`, alike in all directions."""
    return torch.full_like(law.mean, size / len(law.mean) ** 0.5)


def final_error(law: GaussianLaw, size: float, t: float, time: float) -> float:
    """Return the final W2 for a score error of norm `size`, root mean square over its sign.

    Langevin for `time` at t, then the flow. With one sign alone start's and score's errors cancel at some t.
    """
    error, start = evenly(law, size), standard(law)
    begin = corrected(law, 0 * error, t, time, start)
    response = corrected(law, error, t, time, start).mean - begin.mean
    return missed(law, reversed_flow(law, error, t, Run(begin, response)))


def missed(law: GaussianLaw, end: Run) -> float:
    """Return the distance W2 to the target, root mean square over the error's sign."""
    without = gaussian_w2(end.law.mean, end.law.variance, law.mean, law.variance)
    return math.hypot(without, float(end.response.norm()))


@check("N1b.diffusion")
def the_step_tends_to_the_diffusion(settings: Settings) -> Measurement:
    """Return the order in a of W2 between the library's Langevin step and the diffusion, at time 1, the score wrong."""
    law, level = target(), at_time(FIXED)
    error = evenly(law, 0.8)
    own, wrong = corrected(law, error, FIXED, 1.0, standard(law)), ScoreError(lambda level: error).score(law)
    counts, gaps = (32, 64, 128, 256, 512), []
    for count in counts:
        begin = law.start(0.0, 1.0)
        for _ in range(count):
            begin, _ = langevin()(begin, wrong, law.noise, level._replace(step=1.0 / count), law)
            begin = law.begin_step(begin)
        found = law.moments(begin.x)
        gaps.append(gaussian_w2(found.mean, found.variance, own.mean, own.variance))
    order = asymptotic_order([1 / count for count in counts], gaps)
    return Measurement(value=order.value, low=order.low, high=order.high, n=len(counts))


@check("N1b.contraction")
def exact_scores_forget_the_start(settings: Settings) -> Measurement:
    """Return the largest final W2 over `exp(-time / C)` times that without Langevin: random targets, T1 and times.

    `C` is the largest variance at T1. Each direction's mean contracts by `exp(-time / v_i)`, and its spread by more.
    """
    draw, worst = np.random.default_rng(settings.seed), []
    for _ in range(settings.targets):
        law = GaussianLaw(10 ** draw.uniform(-3, 1, 4), mean=draw.standard_normal(4))
        t, times = draw.uniform(0.1, 2.0), draw.uniform(0.2, 5.0)
        c = float(marginal(law, at_time(t)).variance.max())
        without, after = (final_error(law, 0.0, t, time) for time in (0.0, times * c))
        worst.append(after / (math.exp(-times) * without))
    detail: dict[str, JsonValue] = {"median": float(np.median(worst))}
    return Measurement(value=max(worst), n=len(worst), seeds=(settings.seed,), detail=detail)


@check("N1b.rate")
def the_fall_is_geometric(settings: Settings) -> Measurement:
    """Return `-C d log W2 / dtime` between 8 C and 12 C, exact scores, T1 = 0.1: the slowest direction's own rate."""
    law = target()
    c = float(marginal(law, at_time(0.1)).variance.max())
    early, late = (final_error(law, 0.0, 0.1, times * c) for times in (8.0, 12.0))
    return Measurement(value=math.log(early / late) / 4.0)


@check("N1b.grows")
def the_flow_collects_the_error(settings: Settings) -> Measurement:
    """Return the growth of the flow's final W2 a unit of T1 over `|e sqrt v|`, T1 from 6 to 10, exact starts."""
    law = target()
    error = evenly(law, 1e-2)
    ends = [reversed_flow(law, error, t, Run(marginal(law, at_time(t)), 0 * error)) for t in (6.0, 10.0)]
    short, long = (missed(law, end) for end in ends)
    return Measurement(value=(long - short) / 4.0 / float((error * law.variance.sqrt()).norm()))


class Gain(NamedTuple):
    """The flow alone at its best T1, `at`, over the corrected run at T1 = 0.5: ratio of final W2."""

    at: float
    ratio: float


@cache
def gains() -> dict[float, Gain]:
    """Return what the fixed time gains on the target, by norm of the score error."""
    law = target()
    best = {size: best_without(law, size) for size in ERRORS}
    return {size: Gain(at, error / final_error(law, size, FIXED, 40.0)) for size, (error, at) in best.items()}


def best_without(law: GaussianLaw, size: float) -> tuple[float, float]:
    """Return the smallest final W2 of the flow alone over T1, and the T1 that gives it, near `log(1 / size)`."""
    about = math.log(1.0 / size)
    found = minimize_scalar(
        lambda t: final_error(law, size, t, 0.0),
        bounds=(about - 2, about + 2),
        options={"xatol": 0.05},
        method="bounded",
    )
    return float(found.fun), float(found.x)


@check("N1b.fixed")
def a_fixed_time_is_better(settings: Settings) -> Measurement:
    """Return the smallest ratio, over score errors, of the flow's W2 at its best T1 to the corrected one's at 0.5."""
    found = gains()
    detail: dict[str, JsonValue] = {f"{size:g}": {**gain._asdict()} for size, gain in found.items()}
    return Measurement(value=min(gain.ratio for gain in found.values()), n=len(found), detail=detail)


@check("N1b.logarithmic")
def the_gain_grows_like_the_logarithm(settings: Settings) -> Measurement:
    """Return what the ratio of N1b.fixed gains by the last decade of the error over what it gains by the first."""
    ratios = [gain.ratio for _, gain in sorted(gains().items(), reverse=True)]
    gained = [after - before for before, after in pairwise(ratios)]
    return Measurement(value=gained[-1] / gained[0], n=len(gained), detail={"gained by each decade": [*gained]})
