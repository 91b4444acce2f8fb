r"""What the group samples and judges by: a pretrained network's score, MNIST's test images, a
classifier's features.

Every run starts at the largest noise level that the VE network was trained for and ends at that of
the exact-score runs, so that the sampler's errors and the network's can be told apart. The first
test images are the reference, those after it the floor: real images against real images. The
distribution of the samples is not known, so they are judged by held-out images, and on blank
pixels:

- energy distance of the denoised samples to the uniform distribution on reference images, `2 E|X -
  Y| - E|X - X'| - E|Y - Y'|` in pixel units: proper, without an extractor, unbiased in the sample;
  that of as many held-out images is the least that a sampler can reach;
- variance ratio of the samples at the last noise level, on pixels that are 0 in every image. There
  the samples of a perfect score are `N(0, sigma_L^2)`, so `T = (median |x| / (0.6745 sigma_L))^2`
  is 1 whatever the digits are like: above 1 too much noise is left, below 1 the variance is too
  small. A few stray strokes do not move the median;
- residual noise of the denoised samples: that median as a standard deviation (pixel units).
"""

from functools import cache
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ams.data import images
from ams.metrics import MixtureReference
from ams.samplers import Score
from ams.samplers.presets import AUTHORS, SigmaRange
from experiments.images.features.extractors import digit_features
from experiments.images.features.scores import Judge as FeatureJudge
from experiments.images.networks.ddpm import ddpm
from experiments.images.networks.unet_ve import ExponentialVE, mnist_ve
from experiments.images.pretrained.settings import Setup
from experiments.images.runs import Problem, on_device

DATA = ("mnist-ve", "mnist-test")
"""The registered files that every run needs."""
SHAPE, CLASSIFIER = (28, 28), "mnist-classifier"
"""Of an image; in whose features samples are judged."""
FIRST_SIGMA = ExponentialVE().marginal(1.0)[1]
DEFAULTS = AUTHORS._replace(churn_below=FIRST_SIGMA / 2**0.5)
"""Hyperparameters of the authors' code; EDM adds noise only where the raised noise level was
trained.
"""

_QUARTILE = 0.674489750196082
"""Median of a standard normal variable's modulus."""


class Quality(NamedTuple):
    """What a batch of samples is judged by; the module's text defines each."""

    energy: float
    variance_ratio: float
    residual: float


def blank(images: Float[Tensor, "n h w"]) -> Bool[Tensor, "h w"]:
    """Return the pixels that are 0 in every image."""
    return images.amax(0) == 0


def noise_level(x: Float[Tensor, "n h w"], pixels: Bool[Tensor, "h w"]) -> float:
    """Return the standard deviation of centred normal noise on the pixels, by the median of its
    modulus.
    """
    return x[:, pixels].abs().median().item() / _QUARTILE


class Judge:
    """Judges batches by reference images and by the pixels that are blank; the reference's part
    is computed once.
    """

    def __init__(
        self, reference: Float[Tensor, "n h w"], pixels: Bool[Tensor, "h w"], last_sigma: float
    ) -> None:
        self.reference = MixtureReference(reference, 0.0)
        self.pixels, self.last_sigma = pixels, last_sigma

    def __call__(self, x: Float[Tensor, "b h w"], clean: Float[Tensor, "b h w"]) -> Quality:
        """Return the quality of samples at the last noise level and of their denoised form."""
        ratio = (noise_level(x, self.pixels) / self.last_sigma) ** 2
        return Quality(
            self.reference.energy_distance(clean), ratio, noise_level(clean, self.pixels)
        )


@cache
def _score(weights: str, device: str) -> Score:
    network = mnist_ve(weights, device) if weights == "mnist-ve" else ddpm(weights, device)
    return on_device(network.score, device)


def score(setup: Setup) -> Score:
    """Return the network's score, of states on the CPU wherever the network is.

    Raises DataUnavailable without its file.
    """
    return _score(
        setup.weights, "cuda" if setup.accelerated and torch.cuda.is_available() else "cpu"
    )


def problem(setup: Setup) -> Problem:
    """Return what is sampled. Raises DataUnavailable without the network's file."""
    return Problem(score(setup), SHAPE, SigmaRange(FIRST_SIGMA, setup.last_sigma))


@cache
def test_images() -> Float[Tensor, "n 28 28"]:
    """Return MNIST's test images. Raises DataUnavailable without the file."""
    return images("mnist-test").x


def held_out(setup: Setup, count: int) -> tuple[Tensor, ...]:
    """Return the test images after the reference, in `count` batches."""
    return test_images()[setup.reference :].split(setup.size)[:count]


@cache
def judge(reference: int, last_sigma: float) -> Judge:
    """Return the judge of batches by the first test images. Raises DataUnavailable without the
    file.
    """
    return Judge(test_images()[:reference], blank(test_images()), last_sigma)


@cache
def feature_judge(count: int) -> FeatureJudge:
    """Return the judge in features by the first test images. Raises DataUnavailable without the
    file.
    """
    extractor = digit_features(CLASSIFIER)
    return FeatureJudge(
        extractor, f"first {count} MNIST test images", extractor(test_images()[:count])
    )
