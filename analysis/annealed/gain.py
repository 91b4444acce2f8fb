"""P2, P2a to P2d, B2: how many times as many evaluations annealed Langevin needs for adaptive momentum's error."""

import math
from collections.abc import Callable, Sequence
from itertools import product

from pydantic import JsonValue

from ams_suite.measures import named_extreme
from analysis.annealed.nfe_to_threshold import (
    ELSEWHERE,
    ELSEWHERE_W2,
    KL,
    LINE_ELSEWHERE,
    LINE_KL,
    W2,
    SpeedUp,
    curve,
    edges,
    judged,
    needed,
    speed_ups,
    stretch,
)
from analysis.annealed.settings import BASELINE, PAPER, Settings
from verdicts import Measurement

CEILING = 1e6
"""Stands for a number without end: a sampler does not get there within its budgets, or there is no stretch."""


def first_of(points: Sequence[SpeedUp]) -> float:
    """Return the first budget of a stretch, 1e6 where there is none."""
    return points[0].budget if points else CEILING


def last_of(points: Sequence[SpeedUp]) -> float:
    """Return the last budget of a stretch, 0 where there is none."""
    return points[-1].budget if points else 0.0


def budget(evaluations: float) -> Measurement:
    """Return a budget as a measurement."""
    return Measurement(value=evaluations, unit="NFE")


def bounded(one: SpeedUp, points: Sequence[SpeedUp] = ()) -> Measurement:
    """Return a speed-up between its bounds, as its value the upper one, or the lower one where there is no upper one.

    The detail has its budget, and the bounds at all `points`.
    """
    bounds: dict[str, JsonValue] = {f"NFE {each.budget}": [each.low, min(each.high, CEILING)] for each in points}
    value = one.high if math.isfinite(one.high) else one.low
    detail: dict[str, JsonValue] = {"NFE": one.budget, **bounds}
    return Measurement(value=value, low=one.low, high=min(one.high, CEILING), n=len(points) or 1, detail=detail)


def largest(points: Sequence[SpeedUp]) -> Measurement:
    """Return the largest speed-up."""
    return bounded(max(points, key=lambda point: point.low), points)


def least(points: Sequence[SpeedUp]) -> Measurement:
    """Return the smallest speed-up."""
    return bounded(min(points, key=lambda point: point.low), points)


def overtaken(points: Sequence[SpeedUp]) -> list[SpeedUp]:
    """Return the budgets, beyond that of the largest speed-up, at which it is below 1."""
    top = max(points, key=lambda point: point.low).budget
    return [point for point in points if point.budget > top and point.high < 1.0]


def never_reached(points: Sequence[SpeedUp]) -> list[SpeedUp]:
    """Return the budgets whose error annealed Langevin does not reach within its budgets."""
    return [point for point in points if math.isinf(point.high)]


CASES = {
    ("KL", "on it"): KL,
    ("W2", "on it"): W2,
    ("KL", "elsewhere"): ELSEWHERE,
    ("W2", "elsewhere"): ELSEWHERE_W2,
    ("KL on the mixture", "on it"): LINE_KL,
    ("KL on the mixture", "elsewhere"): LINE_ELSEWHERE,
}
"""What a run's error is measured by, and on which targets both samplers are tuned."""
FEATURES: dict[str, Callable[[Sequence[SpeedUp]], Measurement]] = {
    "first of at least 2": lambda points: budget(first_of(stretch(points))),
    "last of at least 2": lambda points: budget(last_of(stretch(points))),
    "first never reached": lambda points: budget(first_of(never_reached(points))),
    "last never reached": lambda points: budget(last_of(never_reached(points))),
    "overtaken": lambda points: budget(first_of(overtaken(points))),
    "largest": largest,
    "least": least,
    "least up to 80": lambda points: least([point for point in points if point.budget <= 80]),
}
"""What a check reads off a curve of speed-ups."""


def of_curve(settings: Settings, feature: str, by: str, tuned: str = "") -> Measurement:
    """Return a feature of the speed-ups at all compared budgets on the stiff Gaussian, by KL or by W2.

    Both samplers are at the defaults, or `tuned` "on it" or "elsewhere", on other Gaussians.
    """
    return FEATURES[feature](speed_ups(CASES[by, tuned or "on it"], settings, tuned=bool(tuned)))


def optima_on_edge(
    settings: Settings, by: Sequence[str], tuned: str = "on it", samplers: Sequence[str] = (BASELINE, PAPER)
) -> Measurement:
    """Return how many optima of samplers, at all budgets, are on an edge of what tuning tried, natural bounds aside."""
    cases = product([CASES[each, tuned] for each in by], samplers)
    ends = [edge for case, sampler in cases for edge in edges(case, settings, sampler)]
    return Measurement(value=len(ends), detail={"edges": [*ends]})


def on_mixture(settings: Settings, tuned: str = "") -> Measurement:
    """Return the speed-up by KL at 40 evaluations on the mixture.

    Adaptive momentum's KL is estimated from particles, when tuned of `judged` batches; annealed Langevin's is exact (a
    density on a grid) at each of its budgets. The interval holds every speed-up that the estimate's interval and the
    gaps between these budgets allow.
    """
    case = CASES["KL on the mixture", tuned or "on it"]
    (run,) = case.runs(judged(settings) if tuned else settings, PAPER, 40, bool(tuned))
    kl, baseline = run.errors.kl, list(curve(case, settings, BASELINE, bool(tuned)))
    bounds = [needed(baseline, max(end, 1e-9), bool(tuned)) for end in (kl.high, kl.value, kl.low)]
    low, value, high = (min(each / 40, CEILING) for each in (bounds[0][0], bounds[1][1], bounds[2][1]))
    return Measurement(value=value, low=low, high=high, n=kl.n, seeds=(settings.seed,))


def least_speed_up_up_to_150_evaluations(settings: Settings) -> Measurement:
    """Measure the least speed-up at any budget from 20 to 150 on the Gaussian at the defaults, by KL and by W2."""
    points = ((case.name, each) for case in (KL, W2) for each in speed_ups(case, settings) if each.budget <= 150)
    return named_extreme({f"{name}, NFE {each.budget}": min(each.high, CEILING) for name, each in points}, min)


def speed_up_at_largest_budget(settings: Settings) -> Measurement:
    """Measure the speed-up by KL on the Gaussian at the largest budget: below 1, adaptive momentum is the slower."""
    return bounded(speed_ups(KL, settings)[-1])
