"""What the group computes once: batches of samples, judged after the last denoising in every kind of features.

The exact target is uniform on CIFAR-10's test images, blurred at the last noise level. A network is given by its file
and that file's sha256 in the configuration: score_sde's checkpoints have no published checksums, so none is registered,
and without an entry its claims are not run.
"""

import math
from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from ams.errors import DataUnavailable
from ams.samplers import NonFiniteState
from ams.samplers.presets import AUTHORS, SPECS
from ams.schedules import Level
from experiments.images.colour import inputs
from experiments.images.colour.inputs import CIFAR_TEST, Reference
from experiments.images.colour.settings import CIFAR, Features, Network, Settings
from experiments.images.features.scores import Judge
from experiments.images.runs import denoised, generator, run
from verdicts.studies import Cell, cell

README = "https://github.com/yang-song/score_sde_pytorch#pretrained-checkpoints"


class Distances(NamedTuple):
    """Distances of a batch to the reference images, in features."""

    frechet: float
    kernel: float
    coverage: float


LOST = Distances(1e9, 1e9, 0.0)
"""Of a batch whose state did not stay finite: as far as can be."""


class Batch(NamedTuple):
    """Distances by the name of the features; `variance_ratio` is `E |x - nearest|^2 / (d sigma_L^2)`.

    It is 1 for the exact distribution, and NaN without an exact score and for a batch that was lost, so X0 fails of it.
    """

    distances: dict[Features, Distances]
    variance_ratio: float


class Setup(NamedTuple):
    """What a problem's batches share: the network, None for the exact score of `points` images; the last noise level;
    the number of reference images; the kinds of features; the samples of a batch; the seed."""

    network: Network | None
    points: int
    last_sigma: float
    reference: int
    features: tuple[Features, ...]
    size: int
    seed: int

    @property
    def snr(self) -> float:
        """Return the correctors' signal-to-noise ratio."""
        return self.network.snr if self.network else AUTHORS.snr

    def judge(self, features: Features) -> Judge:
        """Return the judge by the reference images. Raises DataUnavailable, and UserError for another file."""
        own = self.network and Reference(self.network.reference, self.network.reference_sha256)
        return inputs.judge(own or CIFAR_TEST, self.reference, features)


@cell(data=("cifar10-test", "efficientnet-lite0"))
def batch(setup: Setup, sampler: str, budget: int, number: int) -> Batch:
    """Run one batch; batches of one number start alike and draw the same noise, whatever the sampler."""
    network, points, last_sigma = setup[:3]
    problem = inputs.network_problem(network) if network else inputs.exact_problem(points, last_sigma)
    hyperparameters, draws = AUTHORS._replace(snr=setup.snr), generator(setup.seed, number)
    try:
        x = run(problem, SPECS[sampler], budget, hyperparameters, setup.size, draws).x
    except NonFiniteState:
        return Batch(dict.fromkeys(setup.features, LOST), math.nan)
    clean = denoised(problem, x)
    scores = {features: setup.judge(features).scores(clean) for features in setup.features}
    distances = {features: Distances(one.frechet, one.kernel, one.coverage) for features, one in scores.items()}
    return Batch(distances, math.nan if network else variance_ratio(x, points, last_sigma))


def variance_ratio(x: Float[Tensor, "n c h w"], points: int, last_sigma: float) -> float:
    """Return `E |x - nearest|^2 / (d sigma_L^2)` of samples of the exact target."""
    nearest = inputs.exact_target(points).nearest(x, Level(0, sigma=last_sigma))
    return nearest.residual.square().mean().item() / last_sigma**2


def setup_of(settings: Settings, problem: str) -> Setup:
    """Return what a problem's batches share. Raises DataUnavailable for a network that the configuration lacks."""
    if problem not in (CIFAR, *settings.networks):
        raise DataUnavailable(
            f"{problem}: no file is named: have it from {README}; give path and sha256 under colour.networks"
        )
    s = settings
    network, features = s.networks.get(problem), available(s)
    return Setup(network, s.points, s.last_sigma, s.reference, features, s.batch, s.seed)


def available(settings: Settings) -> tuple[Features, ...]:
    """Return the features that samples are judged in: the checks' own first, then those of `also` that can be had."""
    names = [settings.features]
    for name in settings.also:
        try:
            inputs.extractor(name)
        except DataUnavailable:
            continue  # the table's caption says so
        names.append(name)
    return tuple(dict.fromkeys(names))


def batches(settings: Settings, problem: str, sampler: str, budget: int) -> list[Batch]:
    """Return a sampler's batches. Raises DataUnavailable."""
    setup = setup_of(settings, problem)
    return [batch(setup, sampler, budget, number) for number in range(1, settings.batches + 1)]


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that checks and tables read."""
    for problem in (CIFAR, *settings.networks):
        setup = setup_of(settings, problem)
        for sampler, budget in product(settings.samplers, settings.budgets):
            yield from (batch.cell(setup, sampler, budget, number) for number in range(1, settings.batches + 1))
