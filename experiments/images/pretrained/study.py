"""What the group computes once: which cells its settings ask for; samplers tuned, and judged in features."""

from collections.abc import Iterator, Sequence
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
from experiments.images.pretrained.runs import Batch
from experiments.images.pretrained.settings import Settings
from verdicts.studies import Cell

R = TypeVar("R")
FIRST_FRESH, EXCHANGES = 20_000, 4
"""The number of the first batch that tuned samplers and I12's corrector run on; how many batches I7 exchanges."""
FLOOR = "held-out images"


def between(settings: Settings) -> int:
    """Return the evaluations at which I3's baselines run too: half as many again as adaptive momentum's."""
    return 3 * settings.side // 2


def plan(settings: Settings) -> list[tuple[str, int]]:
    """Return every sampler and control with each of its budgets."""
    controls = (spec.name for spec in samplers.CONTROLS)
    side = (*settings.others, samplers.PLAIN_CORRECTOR, samplers.ADAPTIVE_CORRECTOR, *controls)
    budgets = dict.fromkeys(settings.samplers, settings.budgets)
    budgets |= {sampler: (settings.side,) for sampler in side if sampler not in budgets}
    budgets |= dict.fromkeys((samplers.SOLVER, samplers.KINETIC), (settings.late,))
    budgets |= dict.fromkeys(settings.rivals, settings.rival_budgets)
    for baseline in (name for name in (samplers.BASELINE, samplers.PLAIN_CORRECTOR) if name in settings.samplers):
        budgets[baseline] = tuple(sorted({*settings.budgets, between(settings)}))
    return [(sampler, budget) for sampler, several in budgets.items() for budget in several]


def read(asked: Cell[R]) -> R:
    """Return the value of a cell."""
    value: R = asked.function(**asked.arguments)
    return value


def batches(settings: Settings, sampler: str, budget: int) -> list[Cell[Batch]]:
    """Return a sampler's batches at the defaults: few of one that no claim compares, and of rivals but early."""
    few = dict.fromkeys(settings.others, settings.few)
    if budget != settings.early:
        few |= dict.fromkeys(settings.rivals, settings.rival_batches)
    count = few.get(sampler, settings.batches)
    return [runs.batch.cell(settings.setup, sampler, budget, DEFAULTS, number) for number in range(1, count + 1)]


def results(settings: Settings, sampler: str, budget: int) -> list[Batch]:
    """Return the values of a sampler's batches at the defaults."""
    return [read(batch) for batch in batches(settings, sampler, budget)]


def energies(settings: Settings, sampler: str) -> dict[int, np.ndarray]:
    """Return the energy distance of a sampler's batches at the defaults, by evaluations."""
    made = (results(settings, name, budget) for name, budget in plan(settings) if name == sampler)
    return {batches[-1].evaluations: np.array([batch.quality.energy for batch in batches]) for batches in made}


def fresh_batches(
    settings: Settings, sampler: str, budget: int, count: int, hyperparameters: Hyperparameters = DEFAULTS
) -> list[Cell[Batch]]:
    """Return so many batches on which no choice and no earlier look was made."""
    numbers = range(FIRST_FRESH, FIRST_FRESH + count)
    return [runs.batch.cell(settings.setup, sampler, budget, hyperparameters, number) for number in numbers]


def fresh_results(settings: Settings, sampler: str, budget: int) -> list[Batch]:
    """Return the values of the fresh batches at the defaults."""
    return [read(batch) for batch in fresh_batches(settings, sampler, budget, settings.fresh)]


def tuned_runs(settings: Settings) -> list[tuple[str, int]]:
    """Return the samplers that are tuned, each with those of the budgets at which choices were made for it."""
    return [(name, n) for name in settings.tried for n in settings.tuned if n in tuning.budgets(name)]


def tuned_results(settings: Settings, sampler: str, budget: int) -> list[tuple[Hyperparameters, list[Batch]]]:
    """Return the hyperparameters of each choice for a sampler, and the values of its batches there."""
    return [
        (chosen, [read(batch) for batch in fresh_batches(settings, sampler, budget, settings.batches, chosen)])
        for chosen in tuning.chosen(sampler, budget)
    ]


def exchanges(settings: Settings, sampler: str, count: int = EXCHANGES) -> list[Cell[runs.Exchange]]:
    """Return so many batches whose other samples are exchanged, each of a seed of its own."""
    seeds = range(settings.seed, settings.seed + count)
    setups = (settings.setup._replace(seed=seed) for seed in seeds)
    return [runs.exchange.cell(setup, sampler, settings.side, settings.exchanged) for setup in setups]


def rule(settings: Settings, sampler: str) -> list[tuple[float, float]]:
    """Return beta and `A / a` along a sampler's first batch at `side` evaluations."""
    return runs.rule_along_run(settings.setup, sampler, settings.side, DEFAULTS)


def in_features(settings: Settings, pairs: Sequence[tuple[str, int]] = ()) -> list[Pooled]:
    """Return samplers judged in features, held-out images first: as many batches as samplers have.

    `pairs` are samplers with their budgets; all of them where none is given.
    """
    pairs = pairs or plan(settings)
    floors = dict.fromkeys((settings.batches, *(len(batches(settings, *pair)) for pair in pairs)))
    images = [digit_features(inputs.CLASSIFIER)(batch) for batch in inputs.held_out(settings.setup, settings.batches)]
    entries = [Entry(FLOOR, "", 0, images[:count]) for count in floors]
    for sampler, budget in pairs:
        runs_made = results(settings, sampler, budget)
        sets = [torch.from_numpy(batch.features) for batch in runs_made if batch.features.size]
        entries.append(Entry(sampler, "defaults", runs_made[-1].evaluations, sets))
    return judged(inputs.feature_judge(min(settings.compared, settings.reference)), entries, CONFIDENCE)


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that checks, figures and tables read."""
    setup, side = settings.setup, settings.side
    for pair in plan(settings):
        yield from batches(settings, *pair)
    for sampler, budget in tuned_runs(settings):
        for chosen in tuning.chosen(sampler, budget):
            yield from fresh_batches(settings, sampler, budget, settings.batches, chosen)
    for sampler, budget in (samplers.ADAPTIVE_CORRECTOR, settings.late), *product(samplers.FAST, [settings.early]):
        yield from fresh_batches(settings, sampler, budget, settings.fresh)
    for sampler in samplers.COUPLED:
        yield from exchanges(settings, sampler)
        yield from exchanges(settings, f"{sampler}, per sample", 1)
        yield runs.rule_along_run.cell(setup, sampler, side, DEFAULTS)
        yield runs.predicted_betas.cell(sampler, settings.last_sigma, side)
    for steps in (settings.noisy, settings.clean):
        yield runs.tutorial_residuals.cell(setup, steps, settings.tutorial)
    yield runs.held_out_quality.cell(setup, settings.batches)
    yield runs.denoising_loss.cell(setup, settings.images, settings.times)
