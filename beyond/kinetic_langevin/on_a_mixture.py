r"""K11: the compared samplers on a mixture of two modes, whose score is not linear; no setting was chosen there.

The modes at -1 and 1 have the standard deviation 0.1 and the weights 0.3 and 0.7; runs lead from N(0, 20^2) to noise
0.02. Errors are KL(run || target at the last noise level) in nats: exact on a grid or by moved quantiles where the
sampler allows it, otherwise by particles, with jackknife intervals of confidence 1 - 1e-6.
"""

from collections.abc import Iterator
from itertools import product

from ams.samplers.presets import DEFAULT, SPECS
from ams.statistics import Interval
from ams_suite.measures import of_interval
from analysis.annealed.mixture import line_run
from analysis.annealed.particles import Sizes
from beyond.kinetic_langevin.samplers import COMPARED, DECAYING, MOMENTUM
from beyond.kinetic_langevin.settings import Settings
from verdicts import Measurement
from verdicts.studies import Cell

FEW, MANY = 20, 60
"""Budgets in score evaluations."""
NAMES = tuple(name for name in COMPARED if name in SPECS)
"""Without this group's own variants of annealed BAOAB, tapered at e = 0 and u = 1.9: both are as near as `NEAR`."""
NEAR = (MOMENTUM, "SDE-DPM-Solver++", "CLD, splitting")
"""What 160,000 particles hardly tell from annealed BAOAB, e = 0, at 20 evaluations with another seed."""
LATE = ("ancestral", "EDM stochastic")
"""What has more error than all others at 60 evaluations."""


def _sizes(settings: Settings) -> Sizes:
    return Sizes(settings.mixture_batch, 64, 20_000, settings.seed)


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield the runs on the mixture."""
    yield from (line_run.cell(name, n, DEFAULT, _sizes(settings)) for name, n in product(NAMES, (FEW, MANY)))


def kl(settings: Settings, sampler: str, budget: int) -> Interval:
    """Return KL of a sampler's run at a budget (nats), a point where it is exact."""
    return line_run(sampler, budget, DEFAULT, _sizes(settings)).errors.kl


def least_excess(settings: Settings, names: tuple[str, ...], sampler: str) -> Measurement:
    """Return the least KL of some samplers less that of another one at 20 evaluations, an interval by both ends."""
    ours, theirs = kl(settings, sampler, FEW), {name: kl(settings, name, FEW) for name in names}
    least = min(theirs, key=lambda name: theirs[name].low)
    value, low, high, n = theirs[least]
    excess = Interval(value - ours.value, low - ours.high, high - ours.low, n)
    return of_interval(excess, settings.seed, unit="nats", least=least)


def least_excess_of_another_sampler(settings: Settings) -> Measurement:
    """Measure the least KL of other samplers less that of annealed BAOAB, e = 0, at 20 evaluations."""
    return least_excess(settings, tuple(name for name in NAMES if name not in (DECAYING, *NEAR)), DECAYING)


def largest_error_at_many_evaluations(settings: Settings) -> Measurement:
    """Measure the largest KL at 60 evaluations over all samplers but ancestral sampling and EDM's."""
    all_of = {name: kl(settings, name, MANY) for name in NAMES if name not in LATE}
    worst = max(all_of, key=lambda name: all_of[name].value)
    return of_interval(all_of[worst], settings.seed, unit="nats", largest=worst)
