"""Tuned samplers: for each budget the setting of least misfit on trial batches, judged on the others.

Trial batches share nothing with those that judge, so a setting that was merely lucky gains nothing by it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from ams.samplers.catalogue import Hyperparameters

from ams.samplers import NonFiniteState
from experiments.images.exact import Errors, ImageTarget, Settings, judge, run_batch
from experiments.images.runs import RELEASED

Quantity = Callable[[Errors], float]
_TRIALS = 10_000  # trial batches are numbered from here


class Tuned(NamedTuple):
    """The setting that was chosen, its errors on the batches that judge."""

    choice: Hyperparameters
    errors: list[Errors]


def grid(settings: Settings, budget: int) -> list[Hyperparameters]:
    """Return the settings that are tried: those with two levels at least."""
    return [
        RELEASED._replace(factor=factor, repeats=repeats)
        for repeats in settings.repeats
        for factor in settings.factors
        if budget // repeats >= 2
    ]


def tune(settings: Settings, images: ImageTarget, sampler: str, budget: int, quantity: Quantity) -> Tuned:
    """Return a sampler tuned at a budget by the mean of `quantity`. Raises ValueError where every setting diverged."""
    judged = judge(settings, images)

    def errors(choice: Hyperparameters, numbers: Iterable[int]) -> list[Errors]:
        return [judged(run_batch(settings, images, sampler, budget, n, choice).x) for n in numbers]

    tried: dict[Hyperparameters, float] = {}
    for choice in grid(settings, budget):
        try:
            found = errors(choice, range(_TRIALS, _TRIALS + settings.trials))
        except NonFiniteState:
            continue
        tried[choice] = sum(map(quantity, found)) / len(found)
    if not tried:
        raise ValueError(f"{sampler}: no setting of the grid stays finite in {budget} evaluations")
    best = min(tried, key=tried.__getitem__)
    return Tuned(best, errors(best, range(1, settings.batches + 1)))
