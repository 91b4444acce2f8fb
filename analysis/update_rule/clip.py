"""P3: does the rule add a hyperparameter? How far its clip `1 - delta` moves the law (exact law on Gaussians)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from ams.laws.gaussian import GaussianLaw
from ams.laws.stationary import solved
from ams.samplers import adaptive, annealed, momentum, momentum_rule
from ams.schedules import Level, annealed_levels, geometric_sigmas, ncsnv2_step
from analysis.targets import stiff_gaussian
from analysis.update_rule.settings import Settings
from verdicts import Measurement, check


@check("P3.stationary")
def delta_leaves_the_stationary_law(settings: Settings) -> Measurement:
    """Return the largest relative change of the stationary variance over all deltas, at each step size."""
    moved = [_spread([stationary_variance(u, delta) for delta in settings.deltas]) for u in settings.steps]
    return Measurement(value=max(moved), n=len(moved) * len(settings.deltas), detail={"steps": list(settings.steps)})


def stationary_variance(u: float, delta: float) -> float:
    """Return `lam Var x` of adaptive momentum's stationary law at `u = a lam`."""
    return solved(GaussianLaw([1.0]), momentum_rule(adaptive(delta)), u, 1.0 - delta).variance.item()


@check("P3.annealed")
def delta_leaves_the_annealed_law(settings: Settings) -> Measurement:
    """Return the largest relative change of any direction's final variance over all deltas, over the budgets."""
    moved = [
        _spread([annealed_variance(budget, delta, settings.repeats) for delta in settings.deltas])
        for budget in settings.budgets
    ]
    return Measurement(value=max(moved), n=len(moved) * len(settings.deltas), detail={"nfe": list(settings.budgets)})


def annealed_variance(budget: int, delta: float, repeats: int) -> np.ndarray:
    """Return the final variances of an annealed run with `budget` evaluations on the stiff Gaussian (exact law)."""
    sigmas = geometric_sigmas(50.0, 0.02, budget // repeats)
    levels = annealed_levels(sigmas, ncsnv2_step(sigmas, repeats))
    law = stiff_gaussian()
    program = annealed(momentum(momentum_rule(adaptive(delta))), levels, repeats)
    state, _ = law.end(program, law.start(0.0, 50.0**2))
    return law.moments(state.x).variance.numpy()


@check("P3.far_start")
def delta_hardly_matters_from_far_away(settings: Settings) -> Measurement:
    """Return how far the means lag between the extreme deltas, at worst on 800 steps from 100 standard deviations away.

    There, at u = 1e-4, the score hardly changes from step to step and beta comes near its clip.
    """
    return Measurement(
        value=_spread([means_on_the_way(delta) for delta in (min(settings.deltas), max(settings.deltas))])
    )


@check("P3.larger")
def a_larger_delta_matters(settings: Settings) -> Measurement:
    """Return the same for the released delta, 1e-3, and ten times it."""
    return Measurement(value=_spread([means_on_the_way(delta) for delta in (1e-3, 1e-2)]))


@cache
def means_on_the_way(delta: float, steps: int = 800, every: int = 100) -> np.ndarray:
    """Return the mean after each `every` steps of adaptive momentum, u = 1e-4, from 100 standard deviations away."""
    law = GaussianLaw([1.0])
    program = [(momentum(momentum_rule(adaptive(delta))), Level(0, sigma=0.0, step=1e-4))] * steps
    states = law.run(program, law.start(100.0, 1.0))
    return np.array([law.moments(state.x).mean.item() for n, (state, _) in enumerate(states, 1) if n % every == 0])


def _spread(values: Sequence[float] | Sequence[np.ndarray]) -> float:
    stacked = np.array(values)
    return float((np.ptp(stacked, axis=0) / np.abs(stacked).min(axis=0)).max())
