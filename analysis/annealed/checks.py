"""What annealed runs show, on the stiff Gaussian and on the mixture.

P2, P2a to P2d, B2: how many times as many evaluations annealed Langevin needs for adaptive
momentum's error. B1, B3 to B5, P3a, P3b: adaptive momentum's best budget and settings, what
explains its gain, rivals, what it loses.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise, product
from typing import NamedTuple

from pydantic import JsonValue

from ams.samplers.presets import RK45
from ams_suite.measures import named_extreme, of_interval
from analysis.annealed import mixture, study
from analysis.annealed.nfe_to_threshold import (
    ELSEWHERE,
    ELSEWHERE_W2,
    KL,
    LINE_ELSEWHERE,
    LINE_KL,
    W2,
    SpeedUp,
    curve,
    default_line_run,
    edges,
    error_at,
    judged,
    needed,
    sizes_of,
    speed_ups,
    stretch,
)
from analysis.annealed.settings import BASELINE, EXACT_RIVALS, PAPER, Settings
from verdicts import Measurement

CEILING = 1e6
"""Stands for a number without end: a sampler does not get there within its budgets, or there is
no stretch.
"""


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
    """Return a speed-up between its bounds, as its value the upper one, or the lower one where
    there is no upper one.

    The detail has its budget, and the bounds at all `points`.
    """
    bounds: dict[str, JsonValue] = {
        f"NFE {each.budget}": [each.low, min(each.high, CEILING)] for each in points
    }
    value = one.high if math.isfinite(one.high) else one.low
    detail: dict[str, JsonValue] = {"NFE": one.budget, **bounds}
    return Measurement(
        value=value, low=one.low, high=min(one.high, CEILING), n=len(points) or 1, detail=detail
    )


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
    "least up to 200": lambda points: least([point for point in points if point.budget <= 200]),
    "largest up to 200": lambda points: largest([point for point in points if point.budget <= 200]),
    "nearest to 50": lambda points: bounded(
        min(points, key=lambda point: abs(math.log(point.budget / 50)))
    ),
}
"""What a check reads off a curve of speed-ups."""


def of_curve(settings: Settings, feature: str, by: str, tuned: str = "") -> Measurement:
    """Return a feature of the speed-ups at all compared budgets on the stiff Gaussian, by KL or by
    W2.

    Both samplers are at the defaults, or `tuned` "on it" or "elsewhere", on other Gaussians.
    """
    return FEATURES[feature](speed_ups(CASES[by, tuned or "on it"], settings, tuned=bool(tuned)))


def optima_on_edge(
    settings: Settings,
    by: Sequence[str],
    tuned: str = "on it",
    samplers: Sequence[str] = (BASELINE, PAPER),
) -> Measurement:
    """Return how many optima of samplers, at all budgets, are on an edge of what tuning tried,
    natural bounds aside.
    """
    cases = product([CASES[each, tuned] for each in by], samplers)
    ends = [edge for case, sampler in cases for edge in edges(case, settings, sampler)]
    return Measurement(value=len(ends), detail={"edges": [*ends]})


def on_mixture(settings: Settings, tuned: str = "") -> Measurement:
    """Return the speed-up by KL at 40 evaluations on the mixture.

    Adaptive momentum's KL is estimated from particles, when tuned of `judged` batches; annealed
    Langevin's is exact (a density on a grid) at each of its budgets. The interval holds every
    speed-up that the estimate's interval and the gaps between these budgets allow.
    """
    case = CASES["KL on the mixture", tuned or "on it"]
    (run,) = case.runs(judged(settings) if tuned else settings, PAPER, 40, bool(tuned))
    kl, baseline = run.errors.kl, list(curve(case, settings, BASELINE, bool(tuned)))
    bounds = [needed(baseline, max(end, 1e-9), bool(tuned)) for end in (kl.high, kl.value, kl.low)]
    low, value, high = (
        min(each / 40, CEILING) for each in (bounds[0][0], bounds[1][1], bounds[2][1])
    )
    return Measurement(value=value, low=low, high=high, n=kl.n, seeds=(settings.seed,))


def least_speed_up_up_to_150_evaluations(settings: Settings) -> Measurement:
    """Measure the least speed-up at any budget from 20 to 150 on the Gaussian at the defaults,
    by KL and by W2.
    """
    points = (
        (case.name, each)
        for case in (KL, W2)
        for each in speed_ups(case, settings)
        if each.budget <= 150
    )
    return named_extreme(
        {f"{name}, NFE {each.budget}": min(each.high, CEILING) for name, each in points}, min
    )


def speed_up_at_largest_budget(settings: Settings) -> Measurement:
    """Measure the speed-up by KL on the Gaussian at the largest budget: below 1, adaptive
    momentum is the slower.
    """
    return bounded(speed_ups(KL, settings)[-1])


def _least(settings: Settings) -> tuple[int, float]:
    """Return the budget of adaptive momentum's least KL on the Gaussian at the defaults, and
    that KL.
    """
    return min(curve(KL, settings, PAPER), key=lambda point: point[1])


def least_kl_of_adaptive_momentum(settings: Settings) -> Measurement:
    """Measure adaptive momentum's least KL over all budgets, on the Gaussian at the defaults
    (nats).
    """
    evaluations, error = _least(settings)
    return Measurement(value=error, unit="nats", detail={"evaluations": evaluations})


def budget_of_least_kl(settings: Settings) -> Measurement:
    """Measure the budget at which adaptive momentum's KL on the Gaussian is least, at the
    defaults.
    """
    return Measurement(value=_least(settings)[0], unit="NFE")


def kl_at_largest_budget(settings: Settings) -> Measurement:
    """Measure adaptive momentum's KL on the Gaussian at the largest budget, at the defaults
    (nats).
    """
    *_, (evaluations, error) = curve(KL, settings, PAPER)
    return Measurement(value=error, unit="nats", detail={"evaluations": evaluations})


def largest_kl_ratio_of_neighbouring_budgets(settings: Settings) -> Measurement:
    """Measure the largest ratio of annealed Langevin's KL at a budget to its KL at the budget
    before, Gaussian.
    """
    errors = [error for _, error in curve(KL, settings, BASELINE)]
    return Measurement(value=max(after / before for before, after in pairwise(errors)))


def optima_of_rivals_on_an_edge(settings: Settings) -> Measurement:
    """Measure how many tuned optima of the rivals and of all samplers in the tables are on an
    edge: KL, W2.
    """
    rivals = dict.fromkeys(
        [*EXACT_RIVALS, *(name for name in study.tabulated(settings) if name != RK45.name)]
    )
    return optima_on_edge(settings, ("KL", "W2"), samplers=tuple(rivals))


def nfe_ratio(settings: Settings, sampler: str, other: str, error: float) -> float:
    """Return the first budget at which a sampler has a KL on the Gaussian at the defaults, over
    that of `other`.

    All budgets that T = 5 allows are computed of the annealed samplers named in `PARTS` and of the
    two compared; of others only some, so that they may need fewer evaluations.
    """
    theirs, ours = (needed(curve(KL, settings, name), error)[1] for name in (other, sampler))
    return min(ours / theirs, CEILING)


def tuned_kl_ratio(settings: Settings, sampler: str, budget: int, other: str = BASELINE) -> float:
    """Return a sampler's KL over another's at one budget on the Gaussian, both tuned."""
    return error_at(KL, settings, budget, True, sampler) / error_at(
        KL, settings, budget, True, other
    )


def least_tuned_ratio(settings: Settings, sampler: str) -> Measurement:
    """Return the least `tuned_kl_ratio` over the tuned budgets from 40 evaluations on."""
    budgets = [budget for budget in settings.tuned if budget >= 40]
    return named_extreme(
        {f"{b} evaluations": tuned_kl_ratio(settings, sampler, b) for b in budgets}, min
    )


def largest_nfe_ratio_of_three_rivals(settings: Settings) -> Measurement:
    """Measure the largest ratio of three rivals' evaluations to adaptive momentum's, for KL =
    0.3 and 0.1, Gaussian.
    """
    cases = product(EXACT_RIVALS, (0.3, 0.1))
    return named_extreme(
        {f"{name}, KL {kl:g}": nfe_ratio(settings, name, PAPER, kl) for name, kl in cases}
    )


def largest_kl_ratio_of_three_rivals_on_the_mixture(settings: Settings) -> Measurement:
    """Measure the largest KL of three rivals over adaptive momentum's at 20 evaluations on the
    mixture.
    """
    theirs = [default_line_run(settings, name, 20).errors.kl for name in EXACT_RIVALS]
    ours = default_line_run(settings, PAPER, 20).errors.kl
    worst = max(theirs, key=lambda kl: kl.high)
    value, low, high = worst.value / ours.value, worst.low / ours.high, worst.high / ours.low
    return Measurement(value=value, low=low, high=high, n=ours.n, seeds=(settings.seed,))


def largest_tuned_ratio(settings: Settings, samplers: Sequence[str]) -> Measurement:
    """Return the largest ratio of a sampler's KL on the Gaussian to adaptive momentum's, over
    all tuned budgets.
    """
    cases = product(samplers, settings.tuned)
    return named_extreme(
        {f"{name}, NFE {b}": tuned_kl_ratio(settings, name, b, PAPER) for name, b in cases}
    )


class SettingsRatios(NamedTuple):
    """A sampler's KL on the Gaussian at the settings best for another one.

    It is over the sampler's `own` least KL, and over the `other`'s.
    """

    own: float
    other: float


def settings_ratios(
    settings: Settings,
    other: str = BASELINE,
    sampler: str = PAPER,
) -> dict[int, SettingsRatios]:
    """Return, by budget, what the settings best for another sampler make of a sampler's KL."""
    budgets = settings.tuned
    return {budget: _ratios_at(settings, other, sampler, budget) for budget in budgets}


def _ratios_at(settings: Settings, other: str, sampler: str, budget: int) -> SettingsRatios:
    theirs, ours = (KL.runs(settings, name, budget, tuned=True) for name in (other, sampler))
    best = min(theirs, key=KL.error)
    here = next(KL.error(run) for run in ours if run.hyperparameters == best.hyperparameters)
    return SettingsRatios(here / min(map(KL.error, ours)), here / KL.error(best))


def cost_of_others_settings(settings: Settings, other: str, sampler: str) -> Measurement:
    """Return the largest ratio of a sampler's KL on the Gaussian at the settings best for
    another to its least KL.
    """
    ratios = settings_ratios(settings, other, sampler)
    return named_extreme({f"NFE {budget}": ratio.own for budget, ratio in ratios.items()})


def kl_ratio_to_langevin_at_its_best_step(settings: Settings) -> Measurement:
    """Measure the largest ratio of adaptive momentum's KL to Langevin's, both at Langevin's best
    step and T, to 200.
    """
    ratios = settings_ratios(settings)
    small = [budget for budget in ratios if budget <= 200]
    return named_extreme({f"NFE {budget}": ratios[budget].other for budget in small})


def kl_ratio_to_langevin_at_the_largest_budget(settings: Settings) -> Measurement:
    """Measure the ratio of adaptive momentum's KL to Langevin's, both at Langevin's best
    settings.
    """
    budget = max(settings.tuned)
    return Measurement(value=settings_ratios(settings)[budget].other, detail={"NFE": budget})


def budgets_over_twice_the_least_kl(settings: Settings) -> Measurement:
    """Count the budgets at which Langevin's best settings cost more than twice the least KL."""
    ratios = {budget: ratio.own for budget, ratio in settings_ratios(settings).items()}
    return _counted(ratios, lambda ratio: ratio > 2)


def budgets_below_langevin(settings: Settings) -> Measurement:
    """Count the budgets at which adaptive momentum's KL is below Langevin's, at Langevin's best."""
    ratios = {budget: ratio.other for budget, ratio in settings_ratios(settings).items()}
    return _counted(ratios, lambda ratio: ratio < 1)


def _counted(ratios: dict[int, float], wanted: Callable[[float], bool]) -> Measurement:
    """Return how many of the ratios at some budgets are wanted; the detail has them all."""
    detail: dict[str, JsonValue] = {f"NFE {budget}": ratio for budget, ratio in ratios.items()}
    return Measurement(value=sum(map(wanted, ratios.values())), n=len(ratios), detail=detail)


def minority_weight(settings: Settings, sampler: str) -> Measurement:
    """Return the probability left of 0 at the end of the longest run at the defaults; the target
    has 0.3 there.
    """
    weight = default_line_run(settings, sampler, settings.line_long).errors.minority
    return of_interval(weight, settings.seed) if weight.n > 1 else Measurement(value=weight.value)


def particle_error(settings: Settings, quantity: str) -> Measurement:
    """Return annealed Langevin's error at 100 evaluations by particles, less that of its density on
    a grid.

    The tolerance is the interval's half-width: it must not count twice.
    """
    estimate = getattr(mixture.langevin_particles(100, sizes_of(settings)).errors, quantity)
    exact = getattr(default_line_run(settings, BASELINE, 100).errors, quantity)
    half, error = (estimate.high - estimate.low) / 2, estimate.value - exact.value
    return Measurement(
        value=error, n=estimate.n, seeds=(settings.seed,), detail={"half-width": half}
    )
