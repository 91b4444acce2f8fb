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
from experiments.images.pretrained import inputs, runs, samplers
from experiments.images.pretrained.inputs import DATA, DEFAULTS
from experiments.images.pretrained.runs import Batch
from experiments.images.pretrained.settings import Settings, Setup
from verdicts.studies import Cell, cell

R = TypeVar("R")
FIRST_TRIAL = 10_000
"""The number of the first trial batch: trials share nothing with the batches that judge."""
FLOOR = "held-out images"


@cell(data=DATA)
def tuned_setting(
    setup: Setup, sampler: str, budget: int, tried: tuple[Hyperparameters, ...], trials: int
) -> Hyperparameters:
    """Choose the setting of least mean energy distance over trial batches."""

    def error(setting: Hyperparameters) -> float:
        numbers = range(FIRST_TRIAL, FIRST_TRIAL + trials)
        return sum(runs.batch(setup, sampler, budget, setting, number).quality.energy for number in numbers)

    return min(tried, key=error)


@cell(data=DATA)
def tuned_batch(
    setup: Setup, sampler: str, budget: int, tried: tuple[Hyperparameters, ...], trials: int, number: int
) -> Batch:
    """Run one batch at the setting that trial batches choose."""
    return runs.batch(setup, sampler, budget, tuned_setting(setup, sampler, budget, tried, trials), number)


def plan(settings: Settings) -> list[tuple[str, int]]:
    """Return every sampler and control with each of its budgets."""
    controls = (spec.name for spec in samplers.CONTROLS)
    side = (*settings.others, samplers.PLAIN_CORRECTOR, samplers.ADAPTIVE_CORRECTOR, *controls)
    budgets = dict.fromkeys(settings.samplers, settings.budgets)
    budgets |= {sampler: (settings.side,) for sampler in side if sampler not in budgets}
    budgets |= dict.fromkeys((samplers.SOLVER, samplers.KINETIC), (settings.late,))
    budgets |= dict.fromkeys(settings.rivals, settings.rival_budgets)
    return [(sampler, budget) for sampler, several in budgets.items() for budget in several]


def grid(settings: Settings, sampler: str) -> tuple[Hyperparameters, ...]:
    """Return the settings that tuning tries: a corrector's snr, else factors of the step and steps per noise level."""
    if sampler.startswith("PC"):
        return tuple(DEFAULTS._replace(snr=snr) for snr in settings.snrs)
    return tuple(DEFAULTS._replace(factor=f, repeats=r) for f, r in product(settings.factors, settings.repeats))


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
    runs_made = {budget: results(settings, sampler, budget) for budget in settings.budgets}
    return {budget: np.array([batch.quality.energy for batch in made]) for budget, made in runs_made.items()}


def tuning(settings: Settings, sampler: str) -> Cell[Hyperparameters]:
    """Return a sampler's setting of least energy distance at `side` evaluations."""
    return tuned_setting.cell(settings.setup, sampler, settings.side, grid(settings, sampler), settings.trials)


def tuned_batches(settings: Settings, sampler: str) -> list[Cell[Batch]]:
    """Return a sampler's batches at the setting that tuning chooses."""
    tried = tuning(settings, sampler).arguments
    return [tuned_batch.cell(**tried, number=number) for number in range(1, settings.batches + 1)]


def tuned_results(settings: Settings, sampler: str) -> tuple[Hyperparameters, list[Batch]]:
    """Return the setting that tuning chooses for a sampler, and the values of its batches there."""
    return read(tuning(settings, sampler)), [read(batch) for batch in tuned_batches(settings, sampler)]


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
    for sampler in settings.tried:
        yield tuning(settings, sampler)
        yield from tuned_batches(settings, sampler)
    for sampler in samplers.COUPLED:
        yield runs.exchange.cell(setup, sampler, side, settings.exchanged)
        yield runs.exchange.cell(setup, f"{sampler}, per sample", side, settings.exchanged)
        yield runs.rule_along_run.cell(setup, sampler, side, DEFAULTS)
        yield runs.predicted_betas.cell(sampler, settings.last_sigma, side)
    for steps in (settings.noisy, settings.clean):
        yield runs.tutorial_residuals.cell(setup, steps, settings.tutorial)
    yield runs.held_out_quality.cell(setup, settings.batches)
    yield runs.denoising_loss.cell(setup, settings.images, settings.times)
