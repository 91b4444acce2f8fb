"""What the group computes once, for checks, figures and tables."""

from collections.abc import Iterable, Iterator
from itertools import product

from analysis.kinetic_langevin import drift_calibration, invariance_and_order, one_level, rates, samplers
from analysis.kinetic_langevin.family import DEVELOPMENT, HELD_OUT, Kind, Problem
from analysis.kinetic_langevin.samplers import BEST_WITHOUT, COMPARED, MOMENTUM, SAME_WITHOUT
from analysis.kinetic_langevin.settings import Settings
from verdicts.studies import Cell

KINDS = (Kind.EXACT, Kind.HIGH, Kind.START, Kind.SHIFT)
"""The kinds that can be corrected; hyperparameters are chosen on the first three."""
SHOWN = {
    Kind.EXACT: (samplers.DECAYING, samplers.DECAYING_HALF, MOMENTUM, *samplers.PUBLISHED, *samplers.ANNEALED),
    Kind.START: (
        *(samplers.DECAYING, samplers.DECAYING_HALF, MOMENTUM, BEST_WITHOUT, SAME_WITHOUT),
        *("DPM-Solver++", "SDE-DPM-Solver++", "EDM stochastic", "annealed Langevin"),
    ),
}
"""The samplers that the figure of errors shows, by kind of problem."""
WITHOUT = {kind: SAME_WITHOUT if kind is Kind.EXACT else BEST_WITHOUT for kind in KINDS}
"""The sampler without momentum that the figure of ratios compares with the tapered one, by kind of problem."""


def held_out(settings: Settings, kind: Kind) -> Problem:
    """Return the problem of a kind on the held-out family."""
    return Problem(kind, HELD_OUT, settings.targets)


def development() -> list[Problem]:
    """Return the problems of the development family, of six targets, on which hyperparameters are chosen."""
    return [Problem(kind, DEVELOPMENT, 6) for kind in KINDS[:3]]


def error_budgets(settings: Settings) -> list[int]:
    """Return the budgets at which the figure of errors has points."""
    return samplers.budgets(min(settings.budget, 320))[::2]


def order_budgets(settings: Settings) -> list[int]:
    """Return the budgets at which the figure of orders has points: those of the orders, and smaller ones."""
    return [n for n in (20, 40, 80) if n < min(settings.orders)] + list(settings.orders)


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that checks, figures and tables read."""
    yield from (one_level.derivation.cell(method) for method in one_level.METHODS if method != "exponential Euler")
    yield from (rates.searched_rate.cell(condition) for condition in settings.conditions)
    yield from (drift_calibration.drift_factors.cell(nfe) for nfe in settings.factor_budgets)
    for variant in invariance_and_order.VARIANTS:
        yield from (invariance_and_order.gaussian_divergence.cell(variant, n) for n in order_budgets(settings))
    for rate, most in settings.tapers:
        for e, problem in product((0.8, 0.0), development()):
            yield samplers.tapered_evaluations.cell(rate, most, e, problem, settings.budget)
    yield from _of_held_out_targets(settings)


def _of_held_out_targets(settings: Settings) -> Iterator[Cell]:
    def needed(kind: Kind, names: Iterable[str]) -> Iterator[Cell]:
        problem = held_out(settings, kind)
        yield from (samplers.evaluations.cell(name, problem, settings.budget) for name in names)

    yield from needed(Kind.EXACT, (*COMPARED, *samplers.MOMENTA.values()))
    yield from needed(Kind.START, (*COMPARED, "annealed Langevin"))
    for kind in KINDS:
        yield from needed(kind, COMPARED if kind in settings.compared else (WITHOUT[kind], MOMENTUM))
        for name in SHOWN.get(kind, ()):
            problem = held_out(settings, kind)
            yield from (samplers.divergences.cell(name, problem, n) for n in error_budgets(settings))
    if set(KINDS) <= set(settings.compared):
        yield from needed(Kind.EXACT, samplers.ANNEALED)
    low = held_out(settings, Kind.LOW)
    yield from (samplers.divergences.cell(name, low, 160) for name in (MOMENTUM, SAME_WITHOUT, "DPM-Solver++"))
