"""P2, P2a to P2d, B2: how many times as many evaluations annealed Langevin needs for adaptive momentum's error."""

import math
from collections.abc import Iterable, Sequence
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
    Case,
    SpeedUp,
    curve,
    edges,
    judged,
    needed,
    speed_ups,
    stretch,
)
from analysis.annealed.settings import BASELINE, PAPER, Settings
from verdicts import Measurement, check

_CEILING = 1e6
"""Stands for a number without end: annealed Langevin does not get there within its budgets, or there is no stretch."""


def on_edge(settings: Settings, cases: Iterable[tuple[Case, str]]) -> Measurement:
    """Return the number of tuned optima on an edge of what tuning tried, natural bounds aside."""
    ends = [edge for case, sampler in cases for edge in edges(case, settings, sampler)]
    return Measurement(value=len(ends), detail={"edges": [*ends]})


def first_of(points: Sequence[SpeedUp]) -> float:
    """Return the first budget of a stretch, 1e6 where there is none."""
    return points[0].budget if points else _CEILING


def last_of(points: Sequence[SpeedUp]) -> float:
    """Return the last budget of a stretch, 0 where there is none."""
    return points[-1].budget if points else 0.0


def bounded(one: SpeedUp, points: Sequence[SpeedUp] = ()) -> Measurement:
    """Return a speed-up between its bounds, as its value the upper one, or the lower one where there is no upper one.

    The detail has its budget, and the bounds at all `points`.
    """
    bounds: dict[str, JsonValue] = {f"NFE {each.budget}": [each.low, min(each.high, _CEILING)] for each in points}
    value = one.high if math.isfinite(one.high) else one.low
    detail: dict[str, JsonValue] = {"NFE": one.budget, **bounds}
    return Measurement(value=value, low=one.low, high=min(one.high, _CEILING), n=len(points) or 1, detail=detail)


def largest(points: Sequence[SpeedUp]) -> Measurement:
    """Return the largest speed-up."""
    return bounded(max(points, key=lambda point: point.low), points)


def least(points: Sequence[SpeedUp]) -> Measurement:
    """Return the smallest speed-up."""
    return bounded(min(points, key=lambda point: point.low), points)


def overtaken(points: Sequence[SpeedUp]) -> Measurement:
    """Return the first budget, beyond that of the largest speed-up, at which it is below 1."""
    top = max(points, key=lambda point: point.low).budget
    below = (point.budget for point in points if point.budget > top and point.high < 1.0)
    return Measurement(value=next(below, _CEILING), unit="NFE")


def never_reached(points: Sequence[SpeedUp]) -> list[SpeedUp]:
    """Return the budgets whose error annealed Langevin does not reach within its budgets."""
    return [point for point in points if math.isinf(point.high)]


@check("P2.kl_first")
def first_budget_of_twice_by_kl(settings: Settings) -> Measurement:
    """Measure the first budget of the stretch where the speed-up by KL is at least 2, Gaussian, defaults."""
    return Measurement(value=first_of(stretch(speed_ups(KL, settings))), unit="NFE")


@check("P2.kl_last")
def last_budget_of_twice_by_kl(settings: Settings) -> Measurement:
    """Measure the last budget of the stretch where the speed-up by KL is at least 2, Gaussian, defaults."""
    return Measurement(value=last_of(stretch(speed_ups(KL, settings))), unit="NFE")


@check("P2.kl_most")
def largest_speed_up_by_kl(settings: Settings) -> Measurement:
    """Measure the largest speed-up by KL at any budget, Gaussian, defaults."""
    return largest(speed_ups(KL, settings))


@check("P2.kl_overtaken")
def first_budget_of_a_loss_by_kl(settings: Settings) -> Measurement:
    """Measure from which budget on the speed-up by KL is below 1, Gaussian, defaults."""
    return overtaken(speed_ups(KL, settings))


@check("P2.w2_first")
def first_budget_of_twice_by_w2(settings: Settings) -> Measurement:
    """Measure the first budget of the stretch where the speed-up by W2 is at least 2, Gaussian, defaults."""
    return Measurement(value=first_of(stretch(speed_ups(W2, settings))), unit="NFE")


@check("P2.w2_last")
def last_budget_of_twice_by_w2(settings: Settings) -> Measurement:
    """Measure the last budget of the stretch where the speed-up by W2 is at least 2, Gaussian, defaults."""
    return Measurement(value=last_of(stretch(speed_ups(W2, settings))), unit="NFE")


@check("P2.w2_never_first")
def first_budget_never_reached_by_w2(settings: Settings) -> Measurement:
    """Measure the first budget whose W2 annealed Langevin does not reach within 3000 evaluations, defaults."""
    return Measurement(value=first_of(never_reached(speed_ups(W2, settings))), unit="NFE")


@check("P2.w2_never_last")
def last_budget_never_reached_by_w2(settings: Settings) -> Measurement:
    """Measure the last budget whose W2 annealed Langevin does not reach within 3000 evaluations, defaults."""
    return Measurement(value=last_of(never_reached(speed_ups(W2, settings))), unit="NFE")


@check("P2.w2_overtaken")
def first_budget_of_a_loss_by_w2(settings: Settings) -> Measurement:
    """Measure from which budget on the speed-up by W2 is below 1, Gaussian, defaults."""
    return overtaken(speed_ups(W2, settings))


def on_mixture(settings: Settings, tuned: bool = False, case: Case = LINE_KL) -> Measurement:
    """Return the speed-up by KL at 40 evaluations on the mixture.

    Adaptive momentum's KL is estimated from particles, when tuned of `judged` batches; annealed Langevin's is exact (a
    density on a grid) at each of its budgets. The interval holds every speed-up that the estimate's interval and the
    gaps between these budgets allow.
    """
    (run,) = case.runs(judged(settings) if tuned else settings, PAPER, 40, tuned)
    kl, baseline = run.errors.kl, list(curve(case, settings, BASELINE, tuned))
    low, _ = needed(baseline, max(kl.high, 1e-9), tuned)
    _, high = needed(baseline, max(kl.low, 1e-9), tuned)
    _, value = needed(baseline, max(kl.value, 1e-9), tuned)
    low, value, high = (min(each / 40, _CEILING) for each in (low, value, high))
    return Measurement(value=value, low=low, high=high, n=kl.n, seeds=(settings.seed,))


@check("P2b.least")
def speed_up_on_the_mixture_tuned_on_others(settings: Settings) -> Measurement:
    """Measure the speed-up by KL at 40 evaluations on the mixture, both samplers tuned on other mixtures."""
    return on_mixture(settings, tuned=True, case=LINE_ELSEWHERE)


@check("P2a.edges")
def optima_on_the_mixture_on_an_edge(settings: Settings) -> Measurement:
    """Measure how many optima tuned on the mixture are on an edge of what tuning tried: both samplers, all budgets."""
    return on_edge(settings, product((LINE_KL,), (BASELINE, PAPER)))


@check("P2b.edges")
def optima_on_other_mixtures_on_an_edge(settings: Settings) -> Measurement:
    """Measure how many optima tuned on other mixtures are on an edge of what tuning tried: both samplers."""
    return on_edge(settings, product((LINE_ELSEWHERE,), (BASELINE, PAPER)))


@check("P2c.kl_first")
def first_budget_of_twice_by_kl_when_tuned(settings: Settings) -> Measurement:
    """Measure the first budget of the stretch where the speed-up by KL is at least 2, Gaussian, both tuned on it."""
    return Measurement(value=first_of(stretch(speed_ups(KL, settings, tuned=True))), unit="NFE")


@check("P2c.kl_last")
def last_budget_of_twice_by_kl_when_tuned(settings: Settings) -> Measurement:
    """Measure the last budget of the stretch where the speed-up by KL is at least 2, Gaussian, both tuned on it."""
    return Measurement(value=last_of(stretch(speed_ups(KL, settings, tuned=True))), unit="NFE")


@check("P2c.kl_most")
def largest_speed_up_by_kl_when_tuned(settings: Settings) -> Measurement:
    """Measure the largest speed-up by KL at any compared budget, Gaussian, both tuned on it."""
    return largest(speed_ups(KL, settings, tuned=True))


@check("P2c.kl_least")
def least_speed_up_by_kl_when_tuned(settings: Settings) -> Measurement:
    """Measure the smallest speed-up by KL at any compared budget, Gaussian, both tuned on it."""
    return least(speed_ups(KL, settings, tuned=True))


@check("P2c.w2_least")
def least_speed_up_by_w2_when_tuned(settings: Settings) -> Measurement:
    """Measure the smallest speed-up by W2 at any compared budget, Gaussian, both tuned on it."""
    return least(speed_ups(W2, settings, tuned=True))


@check("P2c.w2_most")
def largest_speed_up_by_w2_when_tuned(settings: Settings) -> Measurement:
    """Measure the largest speed-up by W2 at any compared budget, Gaussian, both tuned on it."""
    return largest(speed_ups(W2, settings, tuned=True))


@check("P2c.edges")
def optima_of_both_samplers_on_an_edge(settings: Settings) -> Measurement:
    """Measure how many tuned optima of annealed Langevin and adaptive momentum are on an edge: all budgets, KL, W2."""
    return on_edge(settings, product((KL, W2), (BASELINE, PAPER)))


@check("P2d.kl_least")
def least_speed_up_by_kl_tuned_on_others(settings: Settings) -> Measurement:
    """Measure the smallest speed-up by KL at any compared budget, both tuned on other Gaussians."""
    return least(speed_ups(ELSEWHERE, settings, tuned=True))


@check("P2d.kl_most")
def largest_speed_up_by_kl_tuned_on_others(settings: Settings) -> Measurement:
    """Measure the largest speed-up by KL at any compared budget, both tuned on other Gaussians."""
    return largest(speed_ups(ELSEWHERE, settings, tuned=True))


@check("P2d.w2_least")
def least_speed_up_by_w2_tuned_on_others(settings: Settings) -> Measurement:
    """Measure the smallest speed-up by W2 at any compared budget, both tuned on other Gaussians."""
    return least(speed_ups(ELSEWHERE_W2, settings, tuned=True))


@check("P2d.w2_most")
def largest_speed_up_by_w2_tuned_on_others(settings: Settings) -> Measurement:
    """Measure the largest speed-up by W2 at any compared budget, both tuned on other Gaussians."""
    return largest(speed_ups(ELSEWHERE_W2, settings, tuned=True))


@check("P2d.w2_small")
def least_speed_up_by_w2_at_small_budgets(settings: Settings) -> Measurement:
    """Measure the smallest speed-up by W2 up to 80 evaluations, both tuned on other Gaussians."""
    return least([point for point in speed_ups(ELSEWHERE_W2, settings, tuned=True) if point.budget <= 80])


@check("P2d.edges")
def optima_on_other_gaussians_on_an_edge(settings: Settings) -> Measurement:
    """Measure how many optima tuned on other Gaussians are on an edge of what tuning tried: both samplers, KL, W2."""
    return on_edge(settings, product((ELSEWHERE, ELSEWHERE_W2), (BASELINE, PAPER)))


@check("B2.least")
def least_speed_up_up_to_150_evaluations(settings: Settings) -> Measurement:
    """Measure the least speed-up at any budget from 20 to 150 on the Gaussian at the defaults, by KL and by W2."""
    points = ((case.name, each) for case in (KL, W2) for each in speed_ups(case, settings) if each.budget <= 150)
    return named_extreme({f"{name}, NFE {each.budget}": min(each.high, _CEILING) for name, each in points}, min)


@check("B2.large")
def speed_up_at_largest_budget(settings: Settings) -> Measurement:
    """Measure the speed-up by KL on the Gaussian at the largest budget: below 1, adaptive momentum is the slower."""
    (point,) = speed_ups(KL, settings, budgets=[max(settings.long)])
    return bounded(point)
