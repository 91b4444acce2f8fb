"""One run of an optimiser on a problem at a constant rate: the loss that is read, every few steps.

Problems: a noisy quadratic, and digits by a small network. Each has a network, the loss of a batch,
and a loss that is read but not learned (`experiments.training.HeldOut`). The quadratic is `sum_i
lam_i x_i^2 / 2` in `DIMENSION` dimensions, lam from .01 to 1 evenly in the logarithm, start N(0,
1), gradient `lam_i x_i + .1 z`. What is read of it is the exact mean of `lam_i x_i^2 / 2`.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import SGD, Adam, AdamW, Optimizer

from ams.optim import SGDF
from experiments.images.tasks import Classifying, ClassifyingTask
from experiments.training import drawn_from
from verdicts.studies import Array, cell

DIMENSION, NOISE = 100, 0.1


class QuadraticTask:
    """Find the minimum of the noisy quadratic."""

    def __init__(self) -> None:
        self.eigenvalues = torch.logspace(-2, 0, DIMENSION)

    def network(self) -> nn.Module:
        """Return the start, a parameter x."""
        return nn.ParameterDict({"x": torch.randn(DIMENSION)})

    def losses(
        self, network: nn.Module, generator: torch.Generator, device: torch.device
    ) -> Float[Tensor, " 1"]:
        """Return the loss, with the draw of noise whose gradient it adds."""
        x, z = network.get_parameter("x"), torch.randn(DIMENSION, generator=generator)
        return (self.eigenvalues * x.square() / 2 + NOISE * z * x).sum()[None]

    def held_out(self, network: nn.Module, device: torch.device) -> Float[Tensor, " 1"]:
        """Return the mean of `lam_i x_i^2 / 2`."""
        return (self.eigenvalues * network.get_parameter("x").square() / 2).mean()[None]


class DigitsTask(ClassifyingTask):
    """Learn the classes of digits as they are, neither noisy nor moved, with a perceptron."""

    def __init__(self) -> None:
        super().__init__(Classifying(data="digits", batch=64, moved=0, noise=0.0))

    def losses(
        self, network: nn.Module, generator: torch.Generator, device: torch.device
    ) -> Float[Tensor, " 1"]:
        """Return the cross entropy of a batch drawn with replacement."""
        x, y = self.split.train
        rows = torch.randint(len(x), (self.settings.batch,), generator=generator)
        return cross_entropy(network(x[rows].to(device)), y[rows].to(device))[None]

    def network(self) -> nn.Module:
        """Return random weights of the classes' logits: one layer of 64 features behind a
        rectifier.
        """
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))


QUADRATIC, DIGITS = "noisy quadratic", "digits, perceptron"
PROBLEMS: Mapping[str, Callable[[], Any]] = {QUADRATIC: QuadraticTask, DIGITS: DigitsTask}
"""Tasks, `experiments.training.Task`."""
FILTER = "SGDF"
OPTIMISERS: Mapping[str, Callable[..., Optimizer]] = {
    FILTER: SGDF,
    "SGD": SGD,
    "momentum": partial(SGD, momentum=0.9),
    "Nesterov": partial(SGD, momentum=0.9, nesterov=True),
    "Adam": Adam,
    "AdamW": AdamW,
}
"""Hyperparameters other than the rate are PyTorch's or the authors' defaults; momentum's
coefficient is .9.
"""


class Descent(NamedTuple):
    """Problem, optimiser, rate; steps at most, steps between two readings, the loss at which it
    ends, seed.

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
    """Return the loss that is read at the start and after each `every` steps: infinite once it is
    not finite.

    It ends after the first that is at most `until`.
    """
    with drawn_from(run.seed, 0) as generator:
        read = [*islice(_losses(run, generator), run.steps // run.every + 1)]
    return np.array([loss if math.isfinite(loss) else math.inf for loss in read])


def _losses(run: Descent, generator: torch.Generator) -> Iterator[float]:
    """Yield the loss that is read, then make `every` steps, as long as it is finite and above
    `until`.
    """
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
