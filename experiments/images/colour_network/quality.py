r"""How good samples of colour images are: in EfficientNet-Lite0's features, in pixels, and by their variance.

Samples are compared with test images of CIFAR-10, each 2 x 2 block of pixels averaged, which the network has not seen:

- kernel and Frechet distance of the denoised samples, in 1280 features of ImageNet's EfficientNet-Lite0 (images are
  enlarged to 224 pixels; no published FID is in these features);
- energy distance of the denoised samples, in pixel units;
- variance ratio of the samples before the last denoising,

      V = E |noise(x, sigma_L)|^2 / E |noise(y, sigma_L)|^2 ,   y = x_0 + sigma_L z ,

  with `noise = -sigma score` by the network, x_0 test images: 1 for samples as noisy as the noise level says.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ams import metrics
from ams.data import images
from ams.data.cifar_archive import halved
from ams.targets import Gaussian
from experiments.images.colour_task import Colour, ColourTask, Parts, shuffled
from experiments.images.features.extractors import Extractor, efficientnet
from experiments.images.features.scores import Judge
from experiments.images.loss import fitted
from experiments.images.networks.colour import colour_score
from experiments.images.runs import Problem, denoised, generator, of_network, seen_noise
from verdicts.studies import Array, cell

NETWORK = "cifar16-score"
DATA = ("cifar10-test", "efficientnet-lite0")
"""The registered files that every run is judged by."""
LEARNED = "cifar10-train-16"
SHOWN = 7
"""Samples of a first batch that are kept for a grid of pictures."""


class Batch(NamedTuple):
    """One batch: score evaluations, energy distance, variance ratio, features (n, 1280) of the denoised samples.

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
    """Return CIFAR-10's test images at 16 x 16 pixels, shuffled. Raises DataUnavailable without their file."""
    small = halved(pictures(shuffled(images("cifar10-test").x)))
    return torch.from_numpy(small).float().div_(255).movedim(-1, 1).contiguous()


@cache
def learned() -> Parts:
    """Return the training images, and those held out of the training. Raises DataUnavailable without their file."""
    return ColourTask(Colour(kind=NETWORK)).split


@cache
def gaussian() -> Gaussian:
    """Return the Gaussian with the mean and the covariance of the training images. Raises DataUnavailable."""
    return fitted(learned().train.double())


@cache
def extractor() -> Extractor:
    """Return the features. Raises DataUnavailable without weights or package."""
    return efficientnet()


@cell(data=DATA)
def reference_features(count: int) -> Array:
    """The features (n, 1280) of the first test images."""
    return _short(extractor()(test_images()[:count]))


@cache
def judge(count: int) -> Judge:
    """Return what compares samples with the first test images, in features."""
    return Judge(
        extractor(), f"first {count} CIFAR-10 test images", torch.from_numpy(reference_features(count)).double()
    )


@cell(data=DATA)
def real_noise(last_sigma: float) -> float:
    """The mean square noise that the network sees in test images with the last noise level's noise."""
    x = test_images()[:500]
    return seen_noise(problem(last_sigma), x + last_sigma * torch.randn(x.shape, generator=generator(1, 0)))


def judged(x: Float[Tensor, "n 3 16 16"], last_sigma: float, reference: int, evaluations: int, first: bool) -> Batch:
    """Judge samples at the last noise level."""
    asked = problem(last_sigma)
    clean = denoised(asked, x)
    energy = metrics.energy_distance(clean, test_images()[:reference])
    ratio = seen_noise(asked, x) / real_noise(last_sigma)
    return Batch(evaluations, energy, ratio, _short(extractor()(clean)), pictures(clean[: SHOWN if first else 0]))


def kernel(batch: Batch, reference: int) -> float:
    """Return a batch's kernel distance to the first test images, in features."""
    known = judge(reference)
    return metrics.kernel_distance(torch.from_numpy(batch.features).double(), known.reference, known.within)


def pictures(x: Float[Tensor, "n 3 h w"]) -> Array:
    """Return images as uint8 (n, h, w, 3)."""
    picture: Array = (255 * x.clamp(0, 1)).round().byte().movedim(1, -1).numpy()
    return picture


def _short(features: Tensor) -> Array:
    short: Array = features.numpy().astype(np.float32)
    return short
