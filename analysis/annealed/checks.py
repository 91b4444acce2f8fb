"""B1 to B4 and P2: how many evaluations, against what, and why."""

from __future__ import annotations

from itertools import pairwise

from pydantic import JsonValue

from analysis.annealed.nfe_to_threshold import (
    BASELINE,
    KL,
    LINE_KL,
    PAPER,
    W2,
    Case,
    needed,
    reached,
    speed_up,
    track,
)
from analysis.annealed.settings import Settings
from verdicts import Measurement, check

_CEILING = 1e6
"""Stands for a ratio without end (annealed Langevin never gets there within its budgets)."""


@check("B1.minimum")
def least_error_of_the_released_rule(settings: Settings) -> Measurement:
    """Return the least KL of adaptive momentum over the budgets, at the defaults (nats)."""
    least = min(track(KL, settings, PAPER), key=lambda point: point.error)
    return Measurement(value=least.error, unit="nats", detail={"evaluations": least.evaluations})


@check("B1.where")
def budget_of_the_least_error(settings: Settings) -> Measurement:
    """Return the budget of that minimum."""
    least = min(track(KL, settings, PAPER), key=lambda point: point.error)
    return Measurement(value=least.evaluations, unit="NFE")


@check("B1.grows")
def error_at_the_largest_budget(settings: Settings) -> Measurement:
    """Return adaptive momentum's KL at the largest budget (nats)."""
    *_, last = track(KL, settings, PAPER)
    return Measurement(value=last.error, unit="nats", detail={"evaluations": last.evaluations})


@check("B1.langevin")
def langevin_falls(settings: Settings) -> Measurement:
    """Return the largest ratio of annealed Langevin's KL at a budget to that at the budget before."""
    errors = [point.error for point in track(KL, settings, BASELINE)]
    return Measurement(value=max(after / before for before, after in pairwise(errors)))


def ratios(case: Case, settings: Settings, first: int, last: int, tuned: bool = False) -> dict[int, float]:
    """Return the speed-up over annealed Langevin at each of adaptive momentum's budgets in [first, last]."""
    budgets = case.tuned(settings) if tuned else case.budgets(settings, PAPER)
    found = {b: speed_up(case, settings, b, tuned) for b in budgets if first <= b <= last}
    return {budget: min(ratio, _CEILING) for budget, ratio in found.items()}


def _told(found: dict[int, float]) -> dict[str, JsonValue]:
    return {f"NFE {budget}": ratio for budget, ratio in found.items()}


@check("P2.least")
def least_gain_at_the_defaults(settings: Settings) -> Measurement:
    """Return the least speed-up by KL at 60 to 100 evaluations, both samplers at the defaults."""
    found = ratios(KL, settings, 60, 100)
    return Measurement(value=min(found.values()), n=len(found), detail=_told(found))


@check("P2.most")
def largest_gain_at_the_defaults(settings: Settings) -> Measurement:
    """Return the largest of them."""
    found = ratios(KL, settings, 60, 100)
    return Measurement(value=max(found.values()), n=len(found), detail=_told(found))


@check("P2.tuned_least")
def least_gain_when_tuned(settings: Settings) -> Measurement:
    """Return the least speed-up by KL at 60 to 150 evaluations, both samplers tuned for each budget."""
    found = ratios(KL, settings, 60, 150, tuned=True)
    return Measurement(value=min(found.values()), n=len(found), detail=_told(found))


@check("P2.tuned_most")
def largest_gain_when_tuned(settings: Settings) -> Measurement:
    """Return the largest of them."""
    found = ratios(KL, settings, 60, 150, tuned=True)
    return Measurement(value=max(found.values()), n=len(found), detail=_told(found))


@check("P2.mixture")
def gain_on_the_mixture(settings: Settings) -> Measurement:
    """Return the speed-up by KL at 40 evaluations on the mixture, at the defaults.

    Adaptive momentum's KL is estimated from particles; annealed Langevin's curve is exact (grid law), so the interval
    of the one is carried through the other.
    """
    errors = LINE_KL.default(settings, PAPER, 40).errors
    baseline = list(track(LINE_KL, settings, BASELINE))
    ends = (errors.kl.value, errors.kl.high, errors.kl.low)
    value, low, high = (min(needed(baseline, max(kl, 1e-9)) / 40, _CEILING) for kl in ends)
    return Measurement(value=value, low=low, high=high, n=errors.kl.n, seeds=(settings.seed,))


@check("B2.least")
def least_gain_anywhere(settings: Settings) -> Measurement:
    """Return the least speed-up at 20 to 150 evaluations at the defaults, by KL and W2."""
    by_kl, by_w2 = (ratios(case, settings, 20, 150) for case in (KL, W2))
    detail: dict[str, JsonValue] = {"by KL": _told(by_kl), "by W2": _told(by_w2)}
    return Measurement(value=min([*by_kl.values(), *by_w2.values()]), detail=detail)


@check("B2.most")
def largest_gain_anywhere(settings: Settings) -> Measurement:
    """Return the largest of them; 1e6 stands for a precision that annealed Langevin does not reach."""
    by_kl, by_w2 = (ratios(case, settings, 20, 150) for case in (KL, W2))
    return Measurement(value=max([*by_kl.values(), *by_w2.values()]))


@check("B2.large")
def gain_at_the_largest_budget(settings: Settings) -> Measurement:
    """Return the speed-up by KL at 2000 evaluations: below 1, adaptive momentum is the slower one."""
    return Measurement(value=min(speed_up(KL, settings, max(settings.long)), _CEILING))


def compared(settings: Settings, sampler: str, other: str, error: float, case: Case = KL) -> float:
    """Return the evaluations that `sampler` needs for an error at the defaults, over those of `other`."""
    theirs, ours = (needed(track(case, settings, name), error) for name in (other, sampler))
    return min(ours / theirs, _CEILING)


def tuned_ratio(settings: Settings, sampler: str, budget: int = 100) -> float:
    """Return a sampler's KL over annealed Langevin's at the same budget, both tuned."""
    return reached(KL, settings, budget, True, sampler) / reached(KL, settings, budget, True, BASELINE)


@check("B3.drift")
def drift_alone_keeps_the_gain(settings: Settings) -> Measurement:
    """Return the evaluations for KL = 0.1 of the drift factor without averaging, over adaptive momentum's."""
    return Measurement(value=compared(settings, "adaptive, drift only", PAPER, 0.1))


@check("B3.average")
def averaging_alone_gains_nothing(settings: Settings) -> Measurement:
    """Return the evaluations for KL = 0.3 of averaging without the drift factor, over annealed Langevin's."""
    return Measurement(value=compared(settings, "adaptive, average only", BASELINE, 0.3))


@check("B3.average_tuned")
def averaging_alone_gains_nothing_tuned(settings: Settings) -> Measurement:
    """Return the smallest KL of averaging without the drift factor over annealed Langevin's, both tuned."""
    return _least_tuned_ratio(settings, "adaptive, average only")


@check("B3.noise")
def corrected_noise_gains_nothing_tuned(settings: Settings) -> Measurement:
    """Return the smallest KL with noise to match the drift over annealed Langevin's, both tuned."""
    return _least_tuned_ratio(settings, "adaptive, noise corrected")


def _least_tuned_ratio(settings: Settings, sampler: str) -> Measurement:
    """Return the smallest of `tuned_ratio` over the tuned budgets from 40 evaluations on."""
    found = {budget: tuned_ratio(settings, sampler, budget) for budget in settings.tuned if budget >= 40}
    detail: dict[str, JsonValue] = {f"{budget} evaluations": ratio for budget, ratio in found.items()}
    return Measurement(value=min(found.values()), n=len(found), detail=detail)


@check("B3.adaptive")
def the_whole_rule_gains(settings: Settings) -> Measurement:
    """Return adaptive momentum's KL over annealed Langevin's, 100 evaluations, both tuned: what is to be explained."""
    return Measurement(value=tuned_ratio(settings, PAPER))


@check("B3.control")
def a_larger_drift_gains_more(settings: Settings) -> Measurement:
    """Return the evaluations for KL = 0.1 of Langevin with its drift times 1.5, over adaptive momentum's."""
    return Measurement(value=compared(settings, "Langevin, drift x1.5", PAPER, 0.1))


_RIVALS = ("consistent annealed sampling", "Heun ODE", "EDM stochastic")


@check("B4.gaussian")
def rivals_at_the_defaults(settings: Settings) -> Measurement:
    """Return the largest ratio, over three rivals and KL = 0.3 and 0.1, of their evaluations to adaptive momentum's."""
    found = {
        f"{name}, KL {error:g}": compared(settings, name, PAPER, error) for name in _RIVALS for error in (0.3, 0.1)
    }
    detail: dict[str, JsonValue] = dict(found)
    return Measurement(value=max(found.values()), n=len(found), detail=detail)


@check("B4.tuned")
def rivals_when_tuned(settings: Settings) -> Measurement:
    """Return the largest ratio of the rivals' KL to adaptive momentum's at 60 and 100 evaluations, each tuned."""
    ours = {budget: reached(KL, settings, budget, True) for budget in (60, 100)}
    found = {f"{name}, NFE {b}": reached(KL, settings, b, True, name) / ours[b] for name in _RIVALS for b in ours}
    detail: dict[str, JsonValue] = dict(found)
    return Measurement(value=max(found.values()), n=len(found), detail=detail)


@check("B4.mixture")
def rivals_on_the_mixture(settings: Settings) -> Measurement:
    """Return the largest KL of the three rivals at 20 evaluations over adaptive momentum's, with its interval."""
    theirs = [LINE_KL.default(settings, name, 20).errors.kl for name in _RIVALS]
    ours = LINE_KL.default(settings, PAPER, 20).errors.kl
    worst = max(theirs, key=lambda kl: kl.high)
    bounds = worst.value / ours.value, worst.low / ours.high, worst.high / ours.low
    return Measurement(value=bounds[0], low=bounds[1], high=bounds[2], n=ours.n, seeds=(settings.seed,))
