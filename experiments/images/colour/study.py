"""What the group computes once: batches of samples, denoised, in every kind of features, and what
they are worth.

A network is given by its file and that file's sha256 in the configuration: score_sde's checkpoints
have no published checksums, so none is registered, and without an entry its claims are not run.
"""

import math
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ams import metrics
from ams.data import images
from ams.data.arrays import load_array, load_arrays
from ams.errors import DataUnavailable, UserError
from ams.samplers import NonFiniteState
from ams.samplers.presets import AUTHORS, SPECS, Hyperparameters, noise_schedule
from experiments.images.colour.settings import Features, Network, Settings
from experiments.images.colour_task import at_half, shuffled
from experiments.images.features.extractors import Extractor, efficientnet, inception, pixels
from experiments.images.features.scores import Judge
from experiments.images.networks.colour import SHA256 as COMMITTED, colour_score
from experiments.images.networks.ncsnpp import LARGEST
from experiments.images.networks.pretrained_cifar import checkpoint, diffusers_folder, verified
from experiments.images.runs import Problem, denoised, generator, of_network, run
from verdicts.studies import Array, Cell, Kept, cell

DATA = ("cifar10-test", "efficientnet-lite0")
LOST = 1e9
"""The kernel distance of a batch whose state did not stay finite: as far as can be."""
FEWER, FID_REFERENCE = 10_000, 50_000
"""Images of the smaller published sets, and reference images of a Frechet distance at most."""
FLIPPED = 2e-3
"""Of precision and recall: two of 1000 images may lie on the other side of a sphere after
rounding.
"""
NEAREST, SPLITS = 3, 10
"""Of precision and recall, the neighbours; of the Inception score, the parts. As published."""


class Reference(NamedTuple):
    """Images that samples are judged by: a registered set, or a file where there is a `sha256`; at
    half their side where they are `halved`.
    """

    name: str
    sha256: str | None = None
    halved: bool = False

    def __str__(self) -> str:
        """Return the name in tables: of a file, with its checksum, since another may have its
        name.
        """
        return self.name if self.sha256 is None else f"{Path(self.name).name} {self.sha256[:12]}"


EXACT_TARGET = 10_000, 0.02
"""Images and last noise level of an exact target of old: no run reads them, but kept cells are
named with them.
"""


class Setup(NamedTuple):
    """What a network's batches share: the network; `EXACT_TARGET`; the reference and how many of
    its images are used; the kinds of features; the samples of a batch; the seed.
    """

    network: Network
    points: int
    last_sigma: float
    reference: Reference
    compared: int
    features: tuple[Features, ...]
    size: int
    seed: int

    def hyperparameters(self, problem: Problem, budget: int) -> Hyperparameters:
        """Return those of the authors' configuration, at a budget."""
        network = self.network
        repeats = max(1, budget // network.levels) if network.levels else network.repeats
        usual = noise_schedule(problem.sigmas, max(2, budget // repeats), repeats)[1]
        return AUTHORS._replace(
            snr=network.snr, repeats=repeats, factor=network.step / usual if network.step else 1.0
        )


@cell(data=DATA)
def batch(setup: Setup, sampler: str, budget: int, number: int) -> dict[Features, Array]:
    """Run one batch, and return the features of its images (float32, n x d) by their name.

    Batches of one number start alike and draw the same noise, whatever the sampler. One whose state
    did not stay finite has no features.
    """
    problem = network_problem(setup.network)
    draws = generator(setup.seed, number)
    try:
        x = run(
            problem,
            SPECS[sampler],
            budget,
            setup.hyperparameters(problem, budget),
            setup.size,
            draws,
        ).x
    except NonFiniteState:
        return {}
    clean = denoised(problem, x)
    return {name: extractor(name)(clean).float().numpy() for name in setup.features}


class Quality(NamedTuple):
    """What a sampler's images are worth together, lost batches left out.

    `fewer_frechet`, precision and recall are of the first `FEWER` images. `inception_score` is NaN
    for features without classes; `kernel` is the kernel distance of each batch.
    """

    images: int
    frechet: float
    fewer_frechet: float
    inception_score: float
    precision: float
    recall: float
    kernel: tuple[float, ...]


def a_quarter_of_an_hour(**arguments: object) -> float:
    """Return about how long a table's row takes one core, in seconds: ten batches, judged in
    features of 224 pixels.
    """
    return 800.0


@cell(
    data=DATA,
    kept=Kept(
        "colour_network.quality", 1e-3, {".4": FLIPPED, ".5": FLIPPED}, seconds=a_quarter_of_an_hour
    ),
)
def quality(setup: Setup, sampler: str, budget: int, batches: int, features: Features) -> Quality:
    """Judge so many batches, in features; Frechet distances by moments, summed batch by batch."""
    given = [
        batch(setup, sampler, budget, number).get(features) for number in range(1, batches + 1)
    ]
    kept = [torch.from_numpy(one).double() for one in given if one is not None]
    judged, logits = judge(setup.reference, setup.compared, features), extractor(features).logits
    kernel = tuple(
        LOST if one is None else judged.kernel(torch.from_numpy(one).double()) for one in given
    )
    if not kept:
        return Quality(0, math.nan, math.nan, math.nan, math.nan, math.nan, kernel)
    count, first = sum(map(len, kept)), torch.cat(kept)[:FEWER]
    published = metrics.Moments(
        *map(torch.from_numpy, reference_moments(setup.reference, features))
    )
    whole, fewer = (
        metrics.frechet_of_moments(metrics.moments(blocks), published) for blocks in (kept, [first])
    )
    score = math.nan
    if logits and count >= SPLITS:
        score = metrics.inception_score((logits(block.float()) for block in kept), count, SPLITS)
    support = metrics.support(first, judged.reference[:FEWER], NEAREST)
    return Quality(count, whole, fewer, score, support.precision, support.recall, kernel)


class StoredMoments(NamedTuple):
    """Mean and covariance of features."""

    mean: Array
    covariance: Array


@cell(data=DATA)
def reference_moments(reference: Reference, features: Features) -> StoredMoments:
    """The moments of the features of all reference images, `FID_REFERENCE` at most."""
    blocks = pictures(reference, FID_REFERENCE).split(FEWER)
    return StoredMoments(
        *(each.numpy() for each in metrics.moments(extractor(features)(block) for block in blocks))
    )


@cell(data=DATA)
def reference_features(reference: Reference, count: int, features: Features) -> Array:
    """The features (float32, n x d) of so many reference images."""
    short: Array = extractor(features)(pictures(reference, count)).float().numpy()
    return short


@cache
def network_problem(network: Network) -> Problem:
    """Return a network's score. Raises DataUnavailable where its file is missing, UserError for
    another.
    """
    path, sha256 = network.path, network.sha256
    if str(path) in COMMITTED:
        loaded = colour_score(str(path))
    elif path.is_dir():
        loaded = diffusers_folder(path, sha256, network.config_sha256, network.largest, device())
    else:
        loaded = checkpoint(path, sha256, network.side, network.trained, device())
    return of_network(loaded, max(network.last_sigma, loaded.smallest))


def device() -> str:
    """Return the device of the runs."""
    return "cuda" if torch.cuda.is_available() else "cpu"


@cache
def pictures(reference: Reference, count: int) -> Float[Tensor, "n c h w"]:
    """Return so many images, shuffled, pixels in [0, 1].

    Raises DataUnavailable where the file is missing, UserError for another.
    """
    x = (
        images(reference.name).x
        if reference.sha256 is None
        else _own(Path(reference.name), reference.sha256)
    )
    chosen = shuffled(x, count)
    chosen = chosen.float().div_(255) if chosen.dtype is torch.uint8 else chosen
    return at_half(chosen) if reference.halved else chosen


def _own(path: Path, sha256: str) -> Tensor:
    """Return the images of a user's file, as they are there. Raises as `pictures`."""
    content, where = verified(path, sha256), str(path)
    single = path.suffix == ".npy"
    arrays = (
        [load_array(content, where, LARGEST)]
        if single
        else [*load_arrays(content, where, LARGEST).values()]
    )
    x = arrays[0] if len(arrays) == 1 else np.empty(0)
    if (
        x.dtype != np.uint8
        or x.ndim != 4
        or not len(x)
        or x.shape[1] != x.shape[2]
        or x.shape[3] != 3
    ):
        held = ", ".join(f"{array.dtype} {array.shape}" for array in arrays[:4])
        raise UserError(f"{path}: {held}; expected one array of images, uint8 (n, side, side, 3)")
    return torch.from_numpy(x)


@cache
def extractor(name: Features) -> Extractor:
    """Return the features, by name. Raises DataUnavailable."""
    return (
        pixels()
        if name == "pixels"
        else inception(device())
        if name == "inception"
        else efficientnet(device())
    )


@cache
def judge(reference: Reference, count: int, features: Features) -> Judge:
    """Return the judge in these features by reference images. Raises as `pictures`."""
    return Judge(
        extractor(features),
        str(reference),
        torch.from_numpy(reference_features(reference, count, features)).double(),
    )


def available(settings: Settings) -> tuple[Features, ...]:
    """Return the features that samples are judged in: the checks' own first, then those of
    `also` that can be had.
    """
    names = [settings.features]
    for name in settings.also:
        try:
            extractor(name)
        except DataUnavailable:
            continue  # the table's caption says so
        names.append(name)
    return tuple(dict.fromkeys(names))


def setup_of(settings: Settings, name: str) -> Setup:
    """Return what a network's batches share. Raises DataUnavailable for one that the
    configuration lacks.
    """
    network = settings.named(name)
    reference = Reference(network.reference, network.reference_sha256, network.halved)
    features, size = available(settings), settings.of(name).batch
    return Setup(
        network.alone, *EXACT_TARGET, reference, settings.reference, features, size, settings.seed
    )


def judged(settings: Settings, name: str, sampler: str, budget: int, features: Features) -> Quality:
    """Return what a sampler's images are worth. Raises DataUnavailable."""
    return quality(setup_of(settings, name), sampler, budget, settings.of(name).batches, features)


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that checks and tables read."""
    for network in settings.networks:
        setup, asked = setup_of(settings, network), settings.of(network)
        for features in setup.features:
            yield reference_features.cell(setup.reference, setup.compared, features)
            yield reference_moments.cell(setup.reference, features)
        for sampler, budget in product(asked.samplers, asked.budgets):
            yield from (
                batch.cell(setup, sampler, budget, number) for number in range(1, asked.batches + 1)
            )
        yield from qualities(settings, network)


def qualities(settings: Settings, name: str) -> Iterator[Cell]:
    """Yield the cells that a network's table reads."""
    setup, asked = setup_of(settings, name), settings.of(name)
    for sampler, budget, features in product(asked.samplers, asked.budgets, setup.features):
        yield quality.cell(setup, sampler, budget, asked.batches, features)
