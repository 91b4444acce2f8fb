"""Two choices of each corrector's hyperparameters at each number of evaluations, on images that
judge nothing.

The kernel distance in features to training images that the network did not learn from decides. All
correctors try the same points in a race of the same rounds: all points run a trial batch, the
better ones further batches, so that many draws compare the last ones. Starts and noise of a batch
are common to all points. The second choice repeats the first with other starts, other noise and
other held-out images: what is measured is averaged over both.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from itertools import product
from pathlib import Path

import torch

from ams import metrics
from ams.errors import UserError, unknown
from ams.samplers import NonFiniteState
from ams.samplers.presets import AUTHORS, Family, Hyperparameters
from experiments.images.colour_network import quality
from experiments.images.colour_network.settings import EARLY, LATE
from experiments.images.pretrained.samplers import BY_NAME
from experiments.images.runs import chosen_values, denoised, generator, run
from verdicts.records.files import write_whole

FILE = Path(__file__).parent / "tuned.json"
SNR: Mapping[int, tuple[float, ...]] = {
    EARLY: (0.2939, 0.36, 0.4409, 0.54, 0.6614),
    LATE: (0.196, 0.24, 0.2939, 0.36, 0.4409),
}
"""What is tried, by score evaluations."""
RHO = (7.0, 10.0, 15.0, 0.0)
"""What is tried of the exponent of the noise levels; 0 stands for geometric ones, the limit of
large exponents.
"""
ROUNDS = ((1, 5), (2, 2), (4, 1))
"""Of a race: trial batches that each point left runs, and how many points stay."""
CHOICES = (1, 2)
SIZE, COMPARED = 12, 500
"""Samples of a trial batch, and the images held out that they are compared with, others for each
choice.
"""
LAST_SIGMA, SEED, DIVERGED = 0.01, 2405, 1e6
Values = dict[str, float]
Trials = dict[str, list[float]]
"""The kernel distances of a point's trial batches, by the point in words."""


def points(budget: int) -> list[Values]:
    """Return what is tried at a number of evaluations, by every corrector."""
    return [{"snr": snr, "rho": rho} for snr, rho in product(SNR[budget], RHO)]


def raced(
    error: Callable[[Values, int], float], entered: Sequence[Values]
) -> tuple[Values, Trials]:
    """Return the winner among points and all trials; `error(point, number)` is that of the trial
    batch of a number.
    """
    left, trials, number = list(entered), {in_words(point): list[float]() for point in entered}, 0
    for batches, stay in ROUNDS:
        for point in left:
            trials[in_words(point)] += [error(point, number + k) for k in range(batches)]
        number += batches
        left = sorted(left, key=lambda point: sum(trials[in_words(point)]))[:stay]
    return left[0], trials


def in_words(point: Values) -> str:
    """Return a point as the file names it."""
    return ", ".join(f"{name} {value:g}" for name, value in point.items())


@cache
def chosen(sampler: str, budget: int) -> tuple[Hyperparameters, ...]:
    """Return both choices for a sampler at a number of evaluations; the authors' for one that is
    not tuned.
    """
    held = json.loads(FILE.read_text(encoding="utf-8"))["chosen"]
    if sampler not in held:
        return (AUTHORS,) * len(CHOICES)
    return tuple(
        chosen_values(AUTHORS, held[sampler][str(budget)][str(choice)]) for choice in CHOICES
    )


def tune(samplers: Sequence[str], budgets: Sequence[int], out: Path) -> int:
    """Write both choices for each sampler and number of evaluations, beside what the file held;
    returns 0.

    The file also holds the kernel distances of all trials. Raises UserError for what is no
    corrector and for evaluations that `SNR` lacks, and DataUnavailable as `quality` does.
    """
    known = [name for name, spec in BY_NAME.items() if spec.family is Family.PREDICTOR_CORRECTOR]
    for name in set(samplers).difference(known):
        raise unknown("corrector", name, known)
    for budget in set(budgets).difference(SNR):
        raise UserError(f"{budget} evaluations: correctors are tuned at {', '.join(map(str, SNR))}")
    for budget, choice, sampler in product(budgets, CHOICES, samplers):
        best, trials = raced(partial(distance, sampler, budget, choice), points(budget))
        _add(out, (sampler, str(budget), str(choice)), best, trials)
        last = trials[in_words(best)]
        said = (
            f"{in_words(best)}, kernel distance {sum(last) / len(last):.5f} ({len(trials)} tried)"
        )
        sys.stdout.write(f"{sampler}, {budget}, choice {choice}: {said}\n")
        sys.stdout.flush()
    return 0


def _add(out: Path, place: tuple[str, str, str], best: Values, trials: Trials) -> None:
    """Write a choice into the file, whole or not at all. Raises UserError for a file of another
    kind.
    """
    sampler, budget, choice = place
    try:
        held = (
            json.loads(out.read_text(encoding="utf-8"))
            if out.exists()
            else {"chosen": {}, "tried": {}}
        )
        for kind, value in (("chosen", best), ("tried", trials)):
            held[kind].setdefault(sampler, {}).setdefault(budget, {})[choice] = value
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(
            f"{out}: no file of this command's choices: name another place with --out"
        ) from None
    write_whole(out, f"{json.dumps(held, indent=1)}\n".encode())


def distance(sampler: str, budget: int, choice: int, point: Values, number: int) -> float:
    """Return a trial batch's kernel distance to images held out; `DIVERGED` for a run without an
    end.
    """
    features, within = held_out(choice)
    problem, draws = quality.problem(LAST_SIGMA), generator(SEED, 10_000 * choice + number)
    try:
        x = run(problem, BY_NAME[sampler], budget, chosen_values(AUTHORS, point), SIZE, draws).x
    except NonFiniteState:
        return DIVERGED
    return round(
        metrics.kernel_distance(quality.extractor()(denoised(problem, x)), features, within), 6
    )


@cache
def held_out(choice: int) -> tuple[torch.Tensor, float]:
    """Return the features of a choice's training images held out, and the mean of the kernel
    over their pairs.
    """
    features = quality.extractor()(quality.learned().held_out[(choice - 1) * COMPARED :][:COMPARED])
    return features, metrics.kernel_within(features)
