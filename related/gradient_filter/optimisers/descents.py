"""One run of an optimiser on a problem at a constant rate: the loss that is read, every few steps."""

import math
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.optim import SGD, Adam, AdamW, Optimizer

from ams.optim import SGDF
from experiments.images.tasks import Denoising, DenoisingTask
from experiments.training import drawn_from
from related.gradient_filter.optimisers.tasks import DigitsTask, MnistTask, QuadraticTask
from verdicts.studies import Array, Cell, cell

QUADRATIC, DIGITS, MNIST, SCORE = "noisy quadratic", "digits, perceptron", "MNIST, convolutions", "digits' score"
PROBLEMS: Mapping[str, Callable[[], Any]] = {
    QUADRATIC: QuadraticTask,
    DIGITS: DigitsTask,
    MNIST: MnistTask,
    SCORE: partial(DenoisingTask, Denoising()),
}
"""Tasks, `experiments.training.Task`."""
FILTER, FIRST = "SGDF", "SGDF, gamma 1"
OPTIMISERS: Mapping[str, Callable[..., Optimizer]] = {
    FILTER: SGDF,
    FIRST: partial(SGDF, gamma=1.0),
    "SGD": SGD,
    "momentum": partial(SGD, momentum=0.9),
    "Nesterov": partial(SGD, momentum=0.9, nesterov=True),
    "Adam": Adam,
    "AdamW": AdamW,
}
"""Hyperparameters other than the rate are PyTorch's or the authors' defaults; momentum's coefficient is .9."""


class Descent(NamedTuple):
    """Problem, optimiser, rate; steps at most, steps between two readings, the loss at which it ends, seed.

    A seed has the same start, batches and dropout for each optimiser and rate.
    """

    problem: str
    optimiser: str
    rate: float
    steps: int
    every: int
    until: float
    seed: int


@cache
def task(problem: str) -> Any:
    """Return the task of a problem, made once."""
    return PROBLEMS[problem]()


def descend(run: Descent) -> np.ndarray:
    """Return the loss that is read at the start and after each `every` steps: infinite once it is not finite.

    It ends after the first that is at most `until`.
    """
    with drawn_from(run.seed, 0) as generator:
        read = [*islice(_losses(run, generator), run.steps // run.every + 1)]
    return np.array([loss if math.isfinite(loss) else math.inf for loss in read])


def _losses(run: Descent, generator: torch.Generator) -> Iterator[float]:
    """Yield the loss that is read, then make `every` steps, as long as it is finite and above `until`."""
    learned, cpu = task(run.problem), torch.device("cpu")
    network = learned.network()
    optimizer = OPTIMISERS[run.optimiser](network.parameters(), lr=run.rate)
    while True:
        with torch.no_grad():
            loss = float(learned.held_out(network.eval(), cpu))
        yield loss
        if not run.until < loss < math.inf:
            return
        network.train()
        for _ in range(run.every):
            optimizer.zero_grad()
            learned.losses(network, generator, cpu).sum().backward()
            optimizer.step()


@cell
def losses(run: Descent) -> Array:
    """The loss that is read along a run, (readings,)."""
    return descend(run)


@cell(data=("mnist-train", "mnist-test"))
def losses_on_mnist(run: Descent) -> Array:
    """The loss that is read along a run on MNIST, (readings,)."""
    return descend(run)


def cell_of(run: Descent) -> Cell[np.ndarray]:
    """Return the cell of a run."""
    return (losses_on_mnist if run.problem == MNIST else losses).cell(run)


def curve(run: Descent) -> np.ndarray:
    """Return what was read along a run."""
    return (losses_on_mnist if run.problem == MNIST else losses)(run)
