"""The choice of each sampler's hyperparameters at each number of evaluations, on images that judge nothing.

The kernel distance in features to training images that the network did not learn from decides, on trial batches whose
starts and noise are common to all that is tried. From a start in the middle of its grid each choice descends: a point
is left for a neighbour while that is better. So a chosen value is no end of its grid, but for ends that are not the
grid's making.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import product
from pathlib import Path

import torch

from ams import metrics
from ams.errors import UserError, unknown
from ams.samplers import NonFiniteState
from ams.samplers.presets import AUTHORS, Family, Hyperparameters
from experiments.images.colour_network import quality
from experiments.images.pretrained.samplers import BY_NAME
from experiments.images.runs import chosen_values, denoised, generator, run
from verdicts.records.files import write_whole

FILE = Path(__file__).parent / "tuned.json"
GRIDS: Mapping[str, tuple[float, ...]] = {
    "snr": tuple(round(0.16 * 1.5 ** (k / 2), 4) for k in range(-16, 19)),
    "factor": tuple(round(1.6**k, 3) for k in range(-4, 9)),
    "repeats": (1, 2, 4, 8),
    "rho": (1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 0.0),
}
"""What may be tried, in order; `rho` 0 stands for geometric noise levels, the limit of large exponents."""
NATURAL = (("repeats", 1), ("rho", 0.0))
"""Ends of grids that are not the grid's making."""
START = {"snr": 0.24, "factor": 1.0, "repeats": 2, "rho": 7.0}
FIRST_TRIAL, TRIALS, SIZE, COMPARED = 10_000, 2, 32, 500
"""Trial batches: the first's number, how many, samples in each; the images held out that they are compared with."""
LAST_SIGMA, SEED, DIVERGED = 0.01, 2405, 1e6
Values = dict[str, float]


def names(sampler: str) -> tuple[str, ...]:
    """Return the hyperparameters that are chosen for a sampler."""
    family = BY_NAME[sampler].family
    if family is Family.ANNEALED:
        return ("factor", "repeats")
    return ("snr", "rho") if family is Family.PREDICTOR_CORRECTOR else ("rho",)


def descended(error: Callable[[Values], float], grids: Mapping[str, Sequence[float]], start: Values) -> Values:
    """Return a point of the grids that no neighbour betters, along an axis or a diagonal; `start` is where to begin."""
    best = _along_axes(error, grids, start)
    while error(nearest := min(_around(grids, best), key=error)) < error(best):
        best = _along_axes(error, grids, nearest)
    return best


def _along_axes(error: Callable[[Values], float], grids: Mapping[str, Sequence[float]], start: Values) -> Values:
    """Descend along one axis after another until none leads further down."""
    best, moved = dict(start), True
    while moved:
        moved = False
        for name, way in product(grids, (1, -1)):
            while (place := grids[name].index(best[name]) + way) in range(len(grids[name])):
                tried = best | {name: grids[name][place]}
                if error(tried) >= error(best):
                    break
                best, moved = tried, True
    return best


def _around(grids: Mapping[str, Sequence[float]], point: Values) -> list[Values]:
    """Return the neighbours of a point along axes and diagonals, and the point itself."""
    places = {name: grid.index(point[name]) for name, grid in grids.items()}
    near = (grid[max(places[name] - 1, 0) : places[name] + 2] for name, grid in grids.items())
    return [dict(zip(grids, values, strict=True)) for values in product(*near)]


def chosen(sampler: str, budget: int) -> Hyperparameters:
    """Return what was chosen for a sampler at the nearest number of evaluations that it was tuned at (by ratio)."""
    tuned = _chosen()[sampler]
    nearest = min(map(int, tuned), key=lambda known: max(known / budget, budget / known))
    return hyperparameters(tuned[str(nearest)])


@cache
def _chosen() -> dict[str, dict[str, Values]]:
    held: dict[str, dict[str, Values]] = json.loads(FILE.read_text(encoding="utf-8"))["chosen"]
    return held


def hyperparameters(values: Mapping[str, float]) -> Hyperparameters:
    """Return the authors' hyperparameters with these in their place."""
    return chosen_values(AUTHORS, values)


def tune(samplers: Sequence[str], budgets: Sequence[int], out: Path) -> int:
    """Write what is chosen for each sampler and number of evaluations, beside what the file held; returns 0.

    The file also holds the kernel distances of all that was tried. Raises UserError for an unknown sampler, and
    DataUnavailable as `quality` does.
    """
    for sampler in samplers:
        if sampler not in BY_NAME:
            raise unknown("sampler", sampler, BY_NAME)
    for sampler, budget in product(samplers, budgets):
        tried: dict[str, float] = {}

        def error(values: Values, sampler: str = sampler, budget: int = budget, known: Values = tried) -> float:
            text = ", ".join(f"{name} {value:g}" for name, value in values.items())
            if text not in known:
                known[text] = round(distance(sampler, budget, hyperparameters(values)), 6)
            return known[text]

        grids = {name: GRIDS[name] for name in names(sampler)}
        if "repeats" in grids:
            grids["repeats"] = tuple(count for count in grids["repeats"] if 2 * count <= budget)  # two noise levels
        best = descended(error, grids, {name: START[name] for name in grids})
        _add(out, sampler, str(budget), best, tried)
        sys.stdout.write(f"{sampler}, {budget}: {best}, kernel distance {error(best):.5f} ({len(tried)} tried)\n")
        sys.stdout.flush()
    return 0


def _add(out: Path, sampler: str, budget: str, best: Values, tried: Values) -> None:
    """Write a choice into the file, whole or not at all. Raises UserError for a file of another kind."""
    try:
        held = json.loads(out.read_text(encoding="utf-8")) if out.exists() else {"chosen": {}, "tried": {}}
        held["chosen"].setdefault(sampler, {})[budget] = best
        held["tried"].setdefault(sampler, {})[budget] = tried
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(f"{out}: no file of this command's choices: name another place with --out") from None
    write_whole(out, f"{json.dumps(held, indent=1)}\n".encode())


def distance(sampler: str, budget: int, given: Hyperparameters) -> float:
    """Return the mean kernel distance of trial batches to images held out; `DIVERGED` for a run without an end."""
    features, within = held_out()
    problem, distances = quality.problem(LAST_SIGMA), []
    for number in range(FIRST_TRIAL, FIRST_TRIAL + TRIALS):
        try:
            x = run(problem, BY_NAME[sampler], budget, given, SIZE, generator(SEED, number)).x
        except NonFiniteState:
            return DIVERGED
        distances.append(metrics.kernel_distance(quality.extractor()(denoised(problem, x)), features, within))
    return sum(distances) / TRIALS


@cache
def held_out() -> tuple[torch.Tensor, float]:
    """Return the features of training images held out, and the mean of the kernel over their pairs."""
    features = quality.extractor()(quality.learned().held_out[:COMPARED])
    return features, metrics.kernel_within(features)
