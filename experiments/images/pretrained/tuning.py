"""The choice of each sampler's hyperparameters at each number of evaluations, on batches that judge
nothing.

A choice runs one trial batch with each of a few coarse settings, then with four more around the
best of these, and takes the one of least energy distance. So both sides of a comparison have the
same number of trials. `CHOICES` choices are made, each on a trial batch of its own whose start and
noise are common to all settings: where they differ, results count all of them.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import product
from pathlib import Path

from ams.errors import unknown
from ams.samplers.presets import Hyperparameters
from ams.statistics.tuning import optima_on_edge
from experiments.images.pretrained import runs
from experiments.images.pretrained.inputs import DEFAULTS
from experiments.images.pretrained.samplers import ANCESTRAL, DOUBLED, TUNED
from experiments.images.pretrained.settings import Setup
from experiments.images.runs import chosen_values
from verdicts.records.files import write_whole

FILE = Path(__file__).parent / "tuned.json"
"""What was tried: by sampler and evaluations, for each choice, rows of hyperparameters with their
energy distance.
"""
COARSE: Mapping[str, tuple[float, ...]] = {
    "snr": (0.12, 0.24, 0.48, 0.96),
    "factor": (1.0, 2.0, 4.0),
    "repeats": (1.0, 2.0, 5.0),
    "rho": (2.0, 4.0, 8.0, 16.0),
}
DOUBLED_GRIDS = {"factor": (0.5, 1.0, 2.0), "repeats": (1.0, 3.0, 10.0)}
"""What is tried where the drift is doubled: steps with the drifts of the others, and more of
them.
"""
FINER = tuple(2 ** (k / 4) for k in (-2, -1, 1, 2))
"""What the best coarse snr or factor is multiplied by: up to half of the way to its neighbours."""
NATURAL = {("repeats", 1.0)}
"""Ends of what is tried that are not the grid's making."""
FIRST_TRIAL, CHOICES = 10_000, 2
"""The number of the first trial batch, which shares nothing with the batches that judge; how many
choices are made.
"""
Values = tuple[float, ...]


def names(sampler: str) -> tuple[str, ...]:
    """Return the hyperparameters that are chosen for a sampler."""
    if sampler == ANCESTRAL:
        return ("rho",)
    return ("snr",) if sampler.startswith("PC") else ("factor", "repeats")


def hyperparameters(sampler: str, values: Sequence[float]) -> Hyperparameters:
    """Return the defaults with the values of what is chosen for a sampler."""
    return chosen_values(DEFAULTS, dict(zip(names(sampler), values, strict=True)))


def coarse(sampler: str) -> list[tuple[float, ...]]:
    """Return the values that are tried first of each hyperparameter of a sampler."""
    grids = {**COARSE, **DOUBLED_GRIDS} if sampler == DOUBLED else COARSE
    return [grids[name] for name in names(sampler)]


def tried(
    error: Callable[[Values], float], grids: Sequence[tuple[float, ...]]
) -> dict[Values, float]:
    """Return the error of each setting of coarse grids, and of those around the best along the
    first.
    """
    errors = {values: error(values) for values in product(*grids)}
    first, *others = least(errors)
    finer = [(round(first * by, 4), *others) for by in FINER]
    return errors | {values: error(values) for values in finer}


def tune(samplers: Sequence[str], budgets: Sequence[int], setup: Setup, out: Path = FILE) -> int:
    """Write the energy distance of all that is tried into the file, beside what it holds of other
    runs; return 0.

    Raises UserError for a sampler that is not tuned, DataUnavailable without the network's file.
    """
    for sampler in samplers:
        if sampler not in TUNED:
            raise unknown("sampler", sampler, TUNED)
    for sampler, budget in product(samplers, budgets):
        trials = range(FIRST_TRIAL, FIRST_TRIAL + CHOICES)
        rows = [_rows(setup, sampler, budget, number) for number in trials]
        held = json.loads(out.read_text(encoding="utf-8")) if out.exists() else {}
        held.setdefault(sampler, {})[str(budget)] = rows
        write_whole(
            out, (json.dumps(held).replace("]], ", "]],\n").replace(": {", ":\n{") + "\n").encode()
        )
    return 0


def _rows(setup: Setup, sampler: str, budget: int, number: int) -> list[list[float]]:
    """Return the rows of a choice that is made on the trial batch of a number."""

    def error(values: Values) -> float:
        return runs.batch(
            setup, sampler, budget, hyperparameters(sampler, values), number
        ).quality.energy

    return [[*values, round(energy, 6)] for values, energy in tried(error, coarse(sampler)).items()]


@cache
def tried_of(sampler: str, budget: int) -> list[dict[Values, float]]:
    """Return what the file holds of a sampler at a number of evaluations: an error by setting, for
    each choice.
    """
    choices = json.loads(FILE.read_text(encoding="utf-8"))[sampler][str(budget)]
    return [{tuple(values): energy for *values, energy in rows} for rows in choices]


def budgets(sampler: str) -> list[int]:
    """Return the numbers of evaluations at which choices were made for a sampler, rising."""
    return sorted(map(int, json.loads(FILE.read_text(encoding="utf-8"))[sampler]))


def least(errors: Mapping[Values, float]) -> Values:
    """Return the setting of the least error."""
    return min(errors, key=lambda values: errors[values])


def chosen(sampler: str, budget: int) -> list[Hyperparameters]:
    """Return a sampler's hyperparameters at a number of evaluations, of each choice."""
    return [hyperparameters(sampler, least(errors)) for errors in tried_of(sampler, budget)]


def edges(sampler: str, budget: int) -> list[str]:
    """Return the chosen hyperparameters that are the least or the largest that their choice
    tried.
    """
    at_ends, axes = list[str](), names(sampler)
    for number, errors in enumerate(tried_of(sampler, budget), 1):
        best = dict(zip(axes, least(errors), strict=True))
        grids = {
            name: sorted({*column})
            for name, column in zip(axes, zip(*errors, strict=True), strict=True)
        }
        at_ends += optima_on_edge(
            grids, {f"{sampler}, {budget} NFE, choice {number}": best}, NATURAL
        )
    return at_ends
