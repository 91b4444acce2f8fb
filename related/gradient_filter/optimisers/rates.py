"""The rates that were tried, and how long: each optimiser's grid has seven, each twice the one before.

The rate of an optimiser is the one with the fewest steps to the problem's loss (geometric mean over the seeds of
development; a run that does not reach it in the steps of tuning counts as infinite). Losses and grids were chosen on
these seeds alone. The quadratic's were chosen twice: at first to a loss of .002, on 4 seeds. That loss is near what the
noise leaves at the larger rates, so that 4 seeds chose SGDF's rate (1) by luck: on the judged seeds it took about 1.4
times SGD's steps. The second choice, to .004 on 16 seeds, is judged on seeds that the first had not seen.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ams.statistics.nfe_to_threshold import nfe_to_threshold
from related.gradient_filter.optimisers.descents import DIGITS, MNIST, OPTIMISERS, QUADRATIC, SCORE, Descent, curve

DEVELOPMENT = 11
"""The first seed of tuning; judged runs have the group's."""


class Budget(NamedTuple):
    """The loss to reach, steps of a judged run, of one of tuning, steps between readings, seeds of tuning.

    The first judged seed is the group's plus `later`.
    """

    threshold: float
    steps: int
    tuning: int
    every: int
    seeds: int
    later: int = 0


BUDGETS: Mapping[str, Budget] = {
    QUADRATIC: Budget(0.004, 300, 200, 2, 16, later=100),
    DIGITS: Budget(0.2, 200, 200, 4, 4),
    MNIST: Budget(0.3, 390, 156, 6, 2),
    SCORE: Budget(0.68, 300, 300, 10, 2),
}

_SLOWEST: Mapping[str, tuple[float, ...]] = {
    QUADRATIC: (1 / 16, 1 / 16, 1 / 16, 1 / 128, 1 / 128, 0.008, 0.008),
    DIGITS: (1 / 8, 1 / 8, 1 / 16, 1 / 64, 1 / 64, 0.002, 0.002),
    MNIST: (1 / 16, 1 / 16, 1 / 32, 1 / 128, 1 / 128, 0.0005, 0.0005),
    SCORE: (1 / 4, 1 / 4, 1 / 8, 1 / 16, 1 / 16, 0.00025, 0.00025),
}
"""The smallest rate of each grid, in the order of `OPTIMISERS`."""
RATES: Mapping[str, tuple[float, ...]] = {
    QUADRATIC: (1.0, 1.0, 1.0, 1 / 16, 1 / 8, 0.128, 0.128),
    DIGITS: (2.0, 2.0, 1.0, 1 / 4, 1 / 4, 0.032, 0.032),
    MNIST: (1.0, 1.0, 0.5, 1 / 8, 1 / 8, 0.016, 0.016),
    SCORE: (4.0, 4.0, 2.0, 1.0, 1.0, 0.004, 0.004),
}
"""The chosen rates, in the order of `OPTIMISERS`."""


def rate(problem: str, optimiser: str) -> float:
    """Return the chosen rate."""
    return dict(zip(OPTIMISERS, RATES[problem], strict=True))[optimiser]


def tried(problem: str, optimiser: str) -> tuple[float, ...]:
    """Return the grid of rates."""
    slowest = dict(zip(OPTIMISERS, _SLOWEST[problem], strict=True))[optimiser]
    return tuple(slowest * 2**power for power in range(7))


def tuning_runs(problem: str, optimiser: str, rate: float) -> list[Descent]:
    """Return the runs of a rate on the seeds of development; each ends where the loss is reached."""
    budget = BUDGETS[problem]
    seeds = range(DEVELOPMENT, DEVELOPMENT + budget.seeds)
    return [Descent(problem, optimiser, rate, budget.tuning, budget.every, budget.threshold, seed) for seed in seeds]


def steps_to_threshold(run: Descent, threshold: float) -> float:
    """Return the steps after which a run reaches a loss, by log-log interpolation; infinite where it does not."""
    points = ((number * run.every, loss) for number, loss in enumerate(curve(run)) if number)
    return nfe_to_threshold(points, threshold)


def mean_steps(problem: str, optimiser: str, rate: float) -> float:
    """Return the geometric mean of the steps to the problem's loss over the seeds of development."""
    budget = BUDGETS[problem]
    steps = [steps_to_threshold(run, budget.threshold) for run in tuning_runs(problem, optimiser, rate)]
    return math.exp(float(np.mean(np.log(steps))))
