"""What the group computes once: batches of samples, denoised, in every kind of features, and what they are worth.

The exact target is uniform on CIFAR-10's test images, blurred at the last noise level. A network is given by its file
and that file's sha256 in the configuration: score_sde's checkpoints have no published checksums, so none is registered,
and without an entry its claims are not run.
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
from ams.samplers.presets import AUTHORS, SPECS, Hyperparameters, SigmaRange, noise_schedule
from ams.schedules import Level
from ams.targets import Empirical
from experiments.images.colour.settings import CIFAR, Features, Network, Settings
from experiments.images.colour_task import at_half, shuffled
from experiments.images.features.extractors import Extractor, efficientnet, inception, pixels
from experiments.images.features.scores import Judge
from experiments.images.networks.colour import SHA256 as COMMITTED, colour_score
from experiments.images.networks.ncsnpp import LARGEST
from experiments.images.networks.pretrained_cifar import checkpoint, diffusers_folder, verified
from experiments.images.runs import Problem, denoised, generator, of_network, on_device, run
from verdicts.studies import Array, Cell, Kept, cell

README = "https://github.com/yang-song/score_sde_pytorch#pretrained-checkpoints"
DATA = ("cifar10-test", "efficientnet-lite0")
LOST = 1e9
"""The kernel distance of a batch whose state did not stay finite: as far as can be."""
FEWER, FID_REFERENCE = 10_000, 50_000
"""Images of the smaller published sets, and reference images of a Frechet distance at most."""
NEAREST, SPLITS = 3, 10
"""Of precision and recall, the neighbours; of the Inception score, the parts. As published."""


class Reference(NamedTuple):
    """Images that samples are judged by: a registered set, or a file where there is a `sha256`; at half their side
    where they are `halved`."""

    name: str
    sha256: str | None = None
    halved: bool = False

    def __str__(self) -> str:
        """Return the name in tables: of a file, with its checksum, since another may have its name."""
        return self.name if self.sha256 is None else f"{Path(self.name).name} {self.sha256[:12]}"


class Setup(NamedTuple):
    """What a problem's batches share: the network, None for the exact score of `points` images; the last noise level;
    the reference and how many of its images are used; the kinds of features; the samples of a batch; the seed."""

    network: Network | None
    points: int
    last_sigma: float
    reference: Reference
    compared: int
    features: tuple[Features, ...]
    size: int
    seed: int

    def hyperparameters(self, problem: Problem, budget: int) -> Hyperparameters:
        """Return those of the authors' configuration, at a budget."""
        if (network := self.network) is None:
            return AUTHORS
        repeats = max(1, budget // network.levels) if network.levels else network.repeats
        usual = noise_schedule(problem.sigmas, max(2, budget // repeats), repeats)[1]
        return AUTHORS._replace(snr=network.snr, repeats=repeats, factor=network.step / usual if network.step else 1.0)


class Batch(NamedTuple):
    """The features of its images (float32, n x d) by their name, and the variance over the exact one.

    A batch whose state did not stay finite has no features. The variance is NaN for it, so X0 fails of it, and without
    an exact score.
    """

    features: dict[Features, Array]
    variance_ratio: float


@cell(data=DATA)
def batch(setup: Setup, sampler: str, budget: int, number: int) -> Batch:
    """Run one batch; batches of one number start alike and draw the same noise, whatever the sampler."""
    network, points, last_sigma = setup[:3]
    problem = network_problem(network) if network else exact_problem(points, last_sigma)
    draws = generator(setup.seed, number)
    try:
        x = run(problem, SPECS[sampler], budget, setup.hyperparameters(problem, budget), setup.size, draws).x
    except NonFiniteState:
        return Batch({}, math.nan)
    clean = denoised(problem, x)
    features = {name: extractor(name)(clean).float().numpy() for name in setup.features}
    return Batch(features, math.nan if network else variance_ratio(x, points, last_sigma))


class Quality(NamedTuple):
    """What a sampler's images are worth together, lost batches left out.

    `fewer_frechet`, precision and recall are of the first `FEWER` images. `inception_score` is NaN for features without
    classes; `kernel` is the kernel distance of each batch.
    """

    images: int
    frechet: float
    fewer_frechet: float
    inception_score: float
    precision: float
    recall: float
    kernel: tuple[float, ...]


@cell(data=DATA, kept=Kept("colour_network.quality", tolerance=1e-3))
def quality(setup: Setup, sampler: str, budget: int, batches: int, features: Features) -> Quality:
    """Judge so many batches, in features; Frechet distances by moments, summed batch by batch."""
    given = [batch(setup, sampler, budget, number).features.get(features) for number in range(1, batches + 1)]
    kept = [torch.from_numpy(one).double() for one in given if one is not None]
    judged, logits = judge(setup.reference, setup.compared, features), extractor(features).logits
    kernel = tuple(LOST if one is None else judged.kernel(torch.from_numpy(one).double()) for one in given)
    if not kept:
        return Quality(0, math.nan, math.nan, math.nan, math.nan, math.nan, kernel)
    count, first = sum(map(len, kept)), torch.cat(kept)[:FEWER]
    published = metrics.Moments(*map(torch.from_numpy, reference_moments(setup.reference, features)))
    whole, fewer = (metrics.frechet_of_moments(metrics.moments(blocks), published) for blocks in (kept, [first]))
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
    return StoredMoments(*(each.numpy() for each in metrics.moments(extractor(features)(block) for block in blocks)))


@cell(data=DATA)
def reference_features(reference: Reference, count: int, features: Features) -> Array:
    """The features (float32, n x d) of so many reference images."""
    short: Array = extractor(features)(pictures(reference, count)).float().numpy()
    return short


def variance_ratio(x: Float[Tensor, "n c h w"], points: int, last_sigma: float) -> float:
    """Return `E |x - nearest|^2 / (d sigma_L^2)` of samples of the exact target."""
    nearest = exact_target(points).nearest(x, Level(0, sigma=last_sigma))
    return nearest.residual.square().mean().item() / last_sigma**2


@cache
def exact_target(points: int) -> Empirical:
    """Return CIFAR-10's test images as a target. Raises DataUnavailable without their file."""
    return Empirical(pictures(Reference("cifar10-test"), points))


@cache
def exact_problem(points: int, last_sigma: float) -> Problem:
    """Return the exact score of CIFAR-10's test images, from noise as wide as a thousand of them to `last_sigma`."""
    target = exact_target(points)
    widest, score = float(torch.pdist(target.cloud.points[:1000]).max()), target.to(torch.float32, device()).score
    return Problem(on_device(score, device()), target.shape, SigmaRange(widest, last_sigma))


@cache
def network_problem(network: Network) -> Problem:
    """Return a network's score. Raises DataUnavailable where its file is missing, UserError for another."""
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
    x = images(reference.name).x if reference.sha256 is None else _own(Path(reference.name), reference.sha256)
    chosen = shuffled(x, count)
    chosen = chosen.float().div_(255) if chosen.dtype is torch.uint8 else chosen
    return at_half(chosen) if reference.halved else chosen


def _own(path: Path, sha256: str) -> Tensor:
    """Return the images of a user's file, as they are there. Raises as `pictures`."""
    content, where = verified(path, sha256), str(path)
    single = path.suffix == ".npy"
    arrays = [load_array(content, where, LARGEST)] if single else [*load_arrays(content, where, LARGEST).values()]
    x = arrays[0] if len(arrays) == 1 else np.empty(0)
    if x.dtype != np.uint8 or x.ndim != 4 or not len(x) or x.shape[1] != x.shape[2] or x.shape[3] != 3:
        held = ", ".join(f"{array.dtype} {array.shape}" for array in arrays[:4])
        raise UserError(f"{path}: {held}; expected one array of images, uint8 (n, side, side, 3)")
    return torch.from_numpy(x)


@cache
def extractor(name: Features) -> Extractor:
    """Return the features, by name. Raises DataUnavailable."""
    return pixels() if name == "pixels" else inception(device()) if name == "inception" else efficientnet(device())


@cache
def judge(reference: Reference, count: int, features: Features) -> Judge:
    """Return the judge in these features by reference images. Raises as `pictures`."""
    return Judge(
        extractor(features), str(reference), torch.from_numpy(reference_features(reference, count, features)).double()
    )


def available(settings: Settings) -> tuple[Features, ...]:
    """Return the features that samples are judged in: the checks' own first, then those of `also` that can be had."""
    names = [settings.features]
    for name in settings.also:
        try:
            extractor(name)
        except DataUnavailable:
            continue  # the table's caption says so
        names.append(name)
    return tuple(dict.fromkeys(names))


def setup_of(settings: Settings, problem: str) -> Setup:
    """Return what a problem's batches share. Raises DataUnavailable for a network that the configuration lacks."""
    network = settings.networks.get(problem)
    if problem != CIFAR and network is None:
        raise DataUnavailable(
            f"{problem}: no file is named: have it from {README}; give path and sha256 under colour.networks",
            missing=f"a file for {problem}",
        )
    s, reference = settings, Reference("cifar10-test")
    if network:
        reference = Reference(network.reference, network.reference_sha256, network.halved)
    alone, size = network and network.alone, s.of(problem).batch
    return Setup(alone, s.points, s.last_sigma, reference, s.reference, available(s), size, s.seed)


def batches(settings: Settings, problem: str, sampler: str, budget: int) -> list[Batch]:
    """Return a sampler's batches. Raises DataUnavailable."""
    setup = setup_of(settings, problem)
    return [batch(setup, sampler, budget, number) for number in range(1, settings.of(problem).batches + 1)]


def judged(settings: Settings, problem: str, sampler: str, budget: int, features: Features) -> Quality:
    """Return what a sampler's images are worth. Raises DataUnavailable."""
    return quality(setup_of(settings, problem), sampler, budget, settings.of(problem).batches, features)


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that checks and tables read."""
    for problem in (CIFAR, *settings.networks):
        setup, asked = setup_of(settings, problem), settings.of(problem)
        for name in setup.features:
            yield reference_features.cell(setup.reference, setup.compared, name)
            yield reference_moments.cell(setup.reference, name)
        for sampler, budget in product(asked.samplers, asked.budgets):
            yield from (batch.cell(setup, sampler, budget, number) for number in range(1, asked.batches + 1))
        yield from qualities(settings, problem)


def qualities(settings: Settings, problem: str) -> Iterator[Cell]:
    """Yield the cells that a problem's table reads."""
    setup, asked = setup_of(settings, problem), settings.of(problem)
    for sampler, budget, name in product(asked.samplers, asked.budgets, setup.features):
        yield quality.cell(setup, sampler, budget, asked.batches, name)
