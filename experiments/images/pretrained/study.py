"""What the group computes once: which cells its settings ask for; samplers tuned, and judged in
features.
"""

from collections.abc import Iterator
from itertools import product
from typing import TypeVar

import numpy as np
import torch

from ams.samplers.presets import Hyperparameters
from ams.statistics import CONFIDENCE
from experiments.images.features.extractors import digit_features
from experiments.images.features.pooled import Entry, Pooled, judged
from experiments.images.pretrained import inputs, runs, samplers, tuning
from experiments.images.pretrained.inputs import DEFAULTS
from experiments.images.pretrained.runs import FEATURED, FIRST_FRESH, Batch
from experiments.images.pretrained.settings import Settings
from verdicts.studies import Cell

R = TypeVar("R")
FLOOR = "held-out images"


def plan(settings: Settings) -> list[tuple[str, int]]:
    """Return every sampler and control with each of its budgets."""
    controls = (spec.name for spec in samplers.CONTROLS)
    compared = samplers.DOUBLED, samplers.PLAIN_CORRECTOR, samplers.ADAPTIVE_CORRECTOR
    side = (*settings.others, *compared, *controls)
    budgets = dict.fromkeys(settings.samplers, settings.budgets)
    budgets |= {sampler: (settings.side,) for sampler in side if sampler not in budgets}
    factors = (2, 3, 4)  # in halves: I3 reads how many times as many a baseline needs
    wanted = {factor * budget // 2 for factor, budget in product(factors, settings.budgets)}
    for baseline in (samplers.BASELINE, samplers.PLAIN_CORRECTOR):
        budgets[baseline] = tuple(sorted(wanted))
    return [(sampler, budget) for sampler, several in budgets.items() for budget in several]


def read(asked: Cell[R]) -> R:
    """Return the value of a cell."""
    value: R = asked.function(**asked.arguments)
    return value


def batches(settings: Settings, sampler: str, budget: int) -> list[Cell[Batch]]:
    """Return a sampler's batches at the defaults."""
    numbers = range(1, settings.batches + 1)
    return [
        runs.batch.cell(settings.setup, sampler, budget, DEFAULTS, number) for number in numbers
    ]


def results(settings: Settings, sampler: str, budget: int) -> list[Batch]:
    """Return the values of a sampler's batches at the defaults."""
    return [read(batch) for batch in batches(settings, sampler, budget)]


def energies(settings: Settings, sampler: str) -> dict[int, np.ndarray]:
    """Return the energy distance of a sampler's batches at the defaults, by evaluations."""
    made = (results(settings, name, budget) for name, budget in plan(settings) if name == sampler)
    return {
        batches[-1].evaluations: np.array([batch.quality.energy for batch in batches])
        for batches in made
    }


def tuned_batches(
    settings: Settings, sampler: str, budget: int, chosen: Hyperparameters
) -> list[Cell[Batch]]:
    """Return batches on which no choice and no earlier look was made."""
    numbers = range(FIRST_FRESH, FIRST_FRESH + settings.batches)
    return [runs.batch.cell(settings.setup, sampler, budget, chosen, number) for number in numbers]


def tuned_runs(settings: Settings) -> list[tuple[str, int]]:
    """Return the samplers that are tuned, each with those of the budgets at which choices were made
    for it.
    """
    return [
        (name, n) for name in settings.tried for n in settings.tuned if n in tuning.budgets(name)
    ]


def tuned_results(
    settings: Settings, sampler: str, budget: int
) -> list[tuple[Hyperparameters, list[Batch]]]:
    """Return the hyperparameters of each choice for a sampler, and the values of its batches
    there.
    """
    return [
        (chosen, [read(batch) for batch in tuned_batches(settings, sampler, budget, chosen)])
        for chosen in tuning.chosen(sampler, budget)
    ]


def rule(settings: Settings, sampler: str) -> list[tuple[float, float]]:
    """Return beta and `A / a` along a sampler's first batch at `side` evaluations."""
    return runs.rule_along_run(settings.setup, sampler, settings.side, DEFAULTS)


def in_features(settings: Settings) -> list[Pooled]:
    """Return samplers judged in features, held-out images first: as many batches as samplers
    have.
    """
    held_out = inputs.held_out(settings.setup, min(settings.batches, FEATURED))
    entries = [
        Entry(FLOOR, "", 0, [digit_features(inputs.CLASSIFIER)(batch) for batch in held_out])
    ]
    for sampler, budget in plan(settings):
        runs_made = results(settings, sampler, budget)
        sets = [torch.from_numpy(batch.features) for batch in runs_made if batch.features.size]
        entries.append(Entry(sampler, "defaults", runs_made[-1].evaluations, sets))
    return judged(
        inputs.feature_judge(min(settings.compared, settings.reference)), entries, CONFIDENCE
    )


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that checks, figures and tables read."""
    setup, side = settings.setup, settings.side
    for pair in plan(settings):
        yield from batches(settings, *pair)
    for sampler, budget in tuned_runs(settings):
        for chosen in tuning.chosen(sampler, budget):
            yield from tuned_batches(settings, sampler, budget, chosen)
    for sampler in samplers.COUPLED:
        yield runs.rule_along_run.cell(setup, sampler, side, DEFAULTS)
        yield runs.predicted_betas.cell(sampler, settings.last_sigma, side)
    yield runs.held_out_quality.cell(setup, settings.batches)
