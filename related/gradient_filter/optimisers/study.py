"""N10d and N10j: steps to a fixed loss, SGDF over its rivals, each at its tuned rate.

Each optimiser's grid has seven rates, each twice the one before. The rate of an optimiser is the
one with the fewest steps to the problem's loss (geometric mean over the seeds of development; a run
that does not reach it in the steps of tuning counts as infinite): a test tries them again. Losses
and grids were chosen on these seeds alone. The quadratic's were chosen twice: at first to a loss of
.002, on 4 seeds. That loss is near what the noise leaves at the larger rates, so that 4 seeds chose
SGDF's rate (1) by luck: on the judged seeds it took about 1.4 times SGD's steps. The second choice,
to .004 on 16 seeds, is judged on seeds that the first had not seen.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ams.statistics import CONFIDENCE
from ams.statistics.nfe_to_threshold import nfe_to_threshold
from ams_suite.measures import geometric_mean_ratio
from related.gradient_filter.optimisers.descents import (
    DIGITS,
    FILTER,
    OPTIMISERS,
    QUADRATIC,
    Descent,
    losses,
)
from related.gradient_filter.optimisers.settings import Settings
from verdicts import InsufficientData, Measurement, Unavailable
from verdicts.studies import Cell

DEVELOPMENT = 11
"""The first seed of tuning; judged runs have the group's."""


class Budget(NamedTuple):
    """The loss to reach, steps of a judged run, of one of tuning, steps between readings, seeds of
    tuning.

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
}

_SLOWEST: Mapping[str, tuple[float, ...]] = {
    QUADRATIC: (1 / 16, 1 / 16, 1 / 128, 1 / 128, 0.008, 0.008),
    DIGITS: (1 / 8, 1 / 16, 1 / 64, 1 / 64, 0.002, 0.002),
}
"""The smallest rate of each grid, in the order of `OPTIMISERS`."""
RATES: Mapping[str, tuple[float, ...]] = {
    QUADRATIC: (1.0, 1.0, 1 / 16, 1 / 8, 0.128, 0.128),
    DIGITS: (2.0, 1.0, 1 / 4, 1 / 4, 0.032, 0.032),
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
    """Return the runs of a rate on the seeds of development; each ends where the loss is
    reached.
    """
    budget = BUDGETS[problem]
    seeds = range(DEVELOPMENT, DEVELOPMENT + budget.seeds)
    return [
        Descent(problem, optimiser, rate, budget.tuning, budget.every, budget.threshold, seed)
        for seed in seeds
    ]


def steps_to_threshold(run: Descent, threshold: float) -> float:
    """Return the steps after which a run reaches a loss, by log-log interpolation; infinite
    where it does not.
    """
    points = ((number * run.every, loss) for number, loss in enumerate(losses(run)) if number)
    return nfe_to_threshold(points, threshold)


def runs(settings: Settings, problem: str, optimiser: str) -> list[Descent]:
    """Return the judged runs of an optimiser, at its tuned rate, one a seed. Raises Unavailable."""
    if problem not in settings.problems:
        raise Unavailable(f"{problem}: this profile does not descend it")
    budget, chosen = BUDGETS[problem], rate(problem, optimiser)
    first = settings.seed + budget.later
    seeds = range(first, first + settings.seeds)
    return [
        Descent(problem, optimiser, chosen, budget.steps, budget.every, 0.0, seed) for seed in seeds
    ]


def steps(settings: Settings, problem: str, optimiser: str) -> np.ndarray:
    """Return the steps to the problem's loss of each seed; infinite for a run that does not
    reach it.
    """
    threshold = BUDGETS[problem].threshold
    return np.array(
        [steps_to_threshold(run, threshold) for run in runs(settings, problem, optimiser)]
    )


def final_loss(settings: Settings, problem: str, optimiser: str) -> float:
    """Return the median over seeds of the loss that is read last."""
    return float(np.median([losses(run)[-1] for run in runs(settings, problem, optimiser)]))


def step_ratio(
    settings: Settings, problem: str, rival: str, confidence: float, ours: str = FILTER
) -> Measurement:
    """Return the steps of `ours` over a rival's, geometric mean over seeds, paired by start and
    batches.

    A run that does not reach the loss counts with all of its steps: the ratio is then nearer to 1
    than it is. Raises InsufficientData where, at a seed, neither reaches it.
    """
    one, other = (steps(settings, problem, name) for name in (ours, rival))
    if not np.isfinite(np.minimum(one, other)).all():
        raise InsufficientData(
            f"{problem}: at some seed neither {ours} nor {rival} reaches the loss"
        )
    unreached = {name: int(np.isinf(each).sum()) for name, each in ((ours, one), (rival, other))}
    most = BUDGETS[problem].steps
    return geometric_mean_ratio(
        np.minimum(one, most),
        np.minimum(other, most),
        confidence,
        settings.seed,
        rival=rival,
        unreached=dict(unreached),
        **{f"last loss, {name}": final_loss(settings, problem, name) for name in (ours, rival)},
    )


def hardest(settings: Settings, problem: str, rivals: Sequence[str]) -> Measurement:
    """Return the ratio of steps over the rival that says most against SGDF; their miss is shared
    among the rivals.

    That is the one whose interval begins last above 1, and if none does so the one whose interval
    ends last.
    """
    confidence = 1 - (1 - CONFIDENCE) / len(rivals)
    ratios = [step_ratio(settings, problem, rival, confidence) for rival in rivals]
    worst = max(ratios, key=lambda ratio: (max(ratio.interval[0], 1.0), ratio.interval[1]))
    others = {f"over {name}": ratio.value for name, ratio in zip(rivals, ratios, strict=True)}
    return worst.model_copy(update={"detail": {**worst.detail, **others}})


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that the checks read: the runs that are judged."""
    for problem in settings.problems:
        for name in OPTIMISERS:
            yield from map(losses.cell, runs(settings, problem, name))
