r"""How good samples of colour images are: in EfficientNet-Lite0's features, in pixels, and by their
variance.

Samples are compared with test images of CIFAR-10, each 2 x 2 block of pixels averaged, which the
network has not seen. Each batch has a reference of its own, so that what differs between batches is
due to samples and references alike:

- kernel and Frechet distance of the denoised samples, in 1280 features of ImageNet's
  EfficientNet-Lite0 (images are enlarged to 224 pixels; no published FID is in these features);
- energy distance of the denoised samples, in pixel units;
- variance ratio of the samples before the last denoising,

      V = E |noise(x, sigma_L)|^2 / E |noise(y, sigma_L)|^2 ,   y = x_0 + sigma_L z ,

  with `noise = -sigma score` by the network, x_0 test images: 1 for samples as noisy as the noise
  level says.
"""

from functools import cache
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ams import metrics
from ams.data import images
from experiments.images.colour_network.settings import Setup
from experiments.images.colour_task import Colour, ColourTask, Parts, at_half, shuffled
from experiments.images.features.extractors import Extractor, efficientnet
from experiments.images.features.scores import Judge
from experiments.images.networks.colour import colour_score
from experiments.images.runs import Problem, denoised, generator, of_network, seen_noise
from verdicts.studies import Array, cell

NETWORK = "cifar16-score"
DATA = ("cifar10-test", "efficientnet-lite0")
"""The registered files that every run is judged by."""
SHOWN = 7
"""Samples of a first batch that are kept for a grid of pictures."""


class Batch(NamedTuple):
    """One batch: score evaluations, energy distance, variance ratio, features (n, 1280) of the
    denoised samples.

    `shown` holds the first denoised samples of a first batch, uint8 (n, 16, 16, 3).
    """

    evaluations: int
    energy: float
    variance_ratio: float
    features: Array
    shown: Array


@cache
def problem(last_sigma: float) -> Problem:
    """Return what is sampled: the committed network's score. Raises UserError for another file."""
    return of_network(colour_score(NETWORK), last_sigma)


@cache
def test_images() -> Float[Tensor, "n 3 16 16"]:
    """Return CIFAR-10's test images at 16 x 16 pixels, shuffled. Raises DataUnavailable without
    their file.
    """
    return at_half(shuffled(images("cifar10-test").x))


@cache
def learned() -> Parts:
    """Return the training images, and those held out of the training. Raises DataUnavailable
    without their file.
    """
    return ColourTask(Colour(kind=NETWORK)).split


@cache
def extractor() -> Extractor:
    """Return the features. Raises DataUnavailable without weights or package."""
    return efficientnet()


class Shares(NamedTuple):
    """A batch's own test images: those that samples are compared with, those that are compared
    in their place.
    """

    reference: Float[Tensor, "n 3 16 16"]
    real: Float[Tensor, "m 3 16 16"]


def shares(setup: Setup, number: int) -> Shares:
    """Return the test images of the batch of a number, from 1 on. Raises ValueError where they
    are all given out.
    """
    count = setup.reference + setup.size
    own = test_images()[(number - 1) * count :][:count]
    if len(own) < count:
        raise ValueError(f"batch {number} of {setup}: there are {len(test_images())} test images")
    return Shares(own[: setup.reference], own[setup.reference :])


@cell(data=DATA)
def reference_features(setup: Setup, number: int) -> Array:
    """The features (n, 1280) of a batch's reference."""
    return _short(extractor()(shares(setup, number).reference))


@cache
def judge(setup: Setup, numbers: range) -> Judge:
    """Return what compares samples with the references of all batches as one, in features."""
    features = torch.cat([_reference(setup, number)[0] for number in numbers])
    return Judge(extractor(), f"{len(features)} CIFAR-10 test images", features)


@cache
def _reference(setup: Setup, number: int) -> tuple[Float[Tensor, "n d"], float]:
    """Return the features of a batch's reference, and the mean of the kernel over their pairs."""
    features = torch.from_numpy(reference_features(setup, number)).double()
    return features, metrics.kernel_within(features)


@cell(data=DATA)
def real_noise(last_sigma: float) -> float:
    """The mean square noise that the network sees in test images with the last noise level's
    noise.
    """
    x = test_images()[:500]
    return seen_noise(
        problem(last_sigma), x + last_sigma * torch.randn(x.shape, generator=generator(1, 0))
    )


def judged(x: Float[Tensor, "n 3 16 16"], setup: Setup, number: int, evaluations: int) -> Batch:
    """Judge the batch of a number at the last noise level."""
    asked = problem(setup.last_sigma)
    clean = denoised(asked, x)
    energy = metrics.energy_distance(clean, shares(setup, number).reference)
    ratio = seen_noise(asked, x) / real_noise(setup.last_sigma)
    return Batch(
        evaluations,
        energy,
        ratio,
        _short(extractor()(clean)),
        pictures(clean[: SHOWN * (number == 1)]),
    )


def kernel(batch: Batch, setup: Setup, number: int) -> float:
    """Return the kernel distance of the batch of a number to its reference, in features."""
    return metrics.kernel_distance(
        torch.from_numpy(batch.features).double(), *_reference(setup, number)
    )


def pictures(x: Float[Tensor, "n 3 h w"]) -> Array:
    """Return images as uint8 (n, h, w, 3)."""
    return x.clamp(0, 1).mul(255).round().byte().movedim(1, -1).numpy()


def _short(features: Tensor) -> Array:
    return features.float().numpy()
