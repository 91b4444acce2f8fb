"""P3: does the rule add a hyperparameter? How far its clip `1 - delta` moves exact laws on Gaussians."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ams.laws.gaussian import GaussianLaw
from ams.laws.stationary import solved
from ams.samplers import adaptive, momentum_rule
from analysis.update_rule import study
from analysis.update_rule.settings import Settings
from verdicts import Measurement, check


def stationary_variance(u: float, delta: float) -> float:
    """Return `lam Var x` of adaptive momentum's stationary distribution at `u = a lam`."""
    return solved(GaussianLaw([1.0]), momentum_rule(adaptive(delta)), u, 1.0 - delta).variance.item()


def _largest_change(runs: Sequence[Any] | np.ndarray) -> float:
    """Return the largest relative change at any place of arrays over `runs`."""
    values = np.array(runs)
    return float((np.ptp(values, axis=0) / np.abs(values).min(axis=0)).max())


@check("P3.stationary")
def largest_change_of_the_stationary_variance(settings: Settings) -> Measurement:
    """Measure the largest relative change of the stationary variance over all deltas, at each step size."""
    variances = [[stationary_variance(u, delta) for u in settings.steps] for delta in settings.deltas]
    return Measurement(value=_largest_change(variances), n=np.size(variances), detail={"steps": list(settings.steps)})


@check("P3.annealed")
def largest_change_of_the_annealed_variance(settings: Settings) -> Measurement:
    """Measure the largest relative change of any direction's final variance over all deltas, annealed runs."""
    budgets, deltas = settings.budgets, settings.deltas
    changes = [_largest_change(study.annealed_variances(budget, deltas, settings.repeats)) for budget in budgets]
    return Measurement(value=max(changes), n=len(budgets) * len(deltas), detail={"nfe": list(budgets)})


@check("P3.far_start")
def largest_change_of_the_mean_from_far_away(settings: Settings) -> Measurement:
    """Measure the largest relative change of the mean between the extreme deltas, 100 standard deviations away.

    Over 800 steps at u = 1e-4 the score hardly changes from step to step, and beta comes near its clip.
    """
    extremes = (min(settings.deltas), max(settings.deltas))
    return Measurement(value=_largest_change([study.means_on_the_way(delta) for delta in extremes]))


@check("P3.larger")
def largest_change_of_the_mean_by_a_larger_delta(settings: Settings) -> Measurement:
    """Measure the largest relative change of the mean between the authors' delta, 1e-3, and ten times that."""
    return Measurement(value=_largest_change([study.means_on_the_way(delta) for delta in study.LARGER]))
