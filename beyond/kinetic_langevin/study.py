"""What the group computes once, for checks, figures and tables."""

from collections.abc import Iterable, Iterator
from itertools import chain

from beyond.kinetic_langevin import drift_calibration, invariance_and_order, nfe_comparison, one_level, rates, samplers
from beyond.kinetic_langevin.family import Kind
from beyond.kinetic_langevin.nfe_comparison import KINDS, development, judged, third
from beyond.kinetic_langevin.samplers import COMPARED, MOMENTUM, SAME_WITHOUT
from beyond.kinetic_langevin.settings import Settings
from verdicts.studies import Cell

SHOWN = {
    Kind.EXACT: (
        *(samplers.CRITICAL, MOMENTUM, samplers.DECAYING, "DEIS-4", "UniPC-3", "SA-Solver, tau 1"),
        *("DPM-Solver++", "SDE-DPM-Solver++", "ancestral", *samplers.ANNEALED),
    ),
    Kind.START: (
        *(samplers.CRITICAL, samplers.MEMORYLESS, samplers.RESTART, MOMENTUM, SAME_WITHOUT),
        *("UniPC-3", "SA-Solver, tau 1", "EDM stochastic", "annealed Langevin"),
    ),
}
"""The samplers that the figure of errors shows, by kind of problem."""
PAIRS = ((SAME_WITHOUT, MOMENTUM), (samplers.MEMORYLESS, samplers.CRITICAL))
"""A sampler without momentum and one with it, otherwise alike: the figure of ratios has both pairs."""


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
    yield from _of_development(settings)
    yield from _of_the_judged_families(settings)
    if settings.tuned:
        yield from nfe_comparison.optimal_momentum_cells(settings)
        yield from nfe_comparison.mixture_cells(settings)
        yield from invariance_and_order.conformance_cells()


def _of_development(settings: Settings) -> Iterator[Cell]:
    for name, tuning in samplers.TUNINGS.items() if settings.tuned else ():
        for problem in development():
            for tried in (tuning.chosen, *(other for _, other in tuning.neighbours())):
                yield samplers.tuned_curve.cell(name, tuple(tried.values()), problem, settings.budget)


def _of_the_judged_families(settings: Settings) -> Iterator[Cell]:
    needed = dict[Kind, Iterable[str]](dict.fromkeys(KINDS, ())) | {
        Kind(name): (*COMPARED, *SHOWN.get(Kind(name), ())) for name in settings.compared
    }
    needed[Kind.EXACT] = (*needed[Kind.EXACT], samplers.CURVATURE, *samplers.MOMENTA.values())
    needed[Kind.START] = (*needed[Kind.START], samplers.CURVATURE, samplers.DECAYING_HALF)
    for kind, names in needed.items():
        for name in dict.fromkeys((*names, *chain.from_iterable(PAIRS))):
            yield samplers.curve.cell(name, judged(settings, kind), settings.budget)
    low = third(settings, Kind.LOW)
    yield from (samplers.divergences.cell(name, low, 160) for name in (MOMENTUM, SAME_WITHOUT, "DPM-Solver++"))
