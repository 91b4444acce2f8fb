"""What the group samples and judges by: a pretrained network's score, MNIST's test images, a classifier's features.

Every run starts at the largest noise level that the VE network was trained for and ends at that of the exact-score
runs, so that the sampler's errors and the network's can be told apart. The first test images are the reference, those
after it the floor: real images against real images.
"""

from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor

from ams.data import images
from ams.samplers import Score
from ams.samplers.presets import AUTHORS, SigmaRange
from experiments.images.features.extractors import Extractor, digit_features
from experiments.images.features.scores import Judge as FeatureJudge
from experiments.images.networks.ddpm import ddpm
from experiments.images.networks.unet_ve import ExponentialVE, mnist_ve
from experiments.images.pretrained.quality import Judge, blank
from experiments.images.pretrained.settings import Setup
from experiments.images.runs import Problem

DATA = ("mnist-ve", "mnist-test")
"""The registered files that every run needs."""
SHAPE = (28, 28)
FIRST_SIGMA = ExponentialVE().marginal(1.0)[1]
DEFAULTS = AUTHORS._replace(churn_below=FIRST_SIGMA / 2**0.5)
"""Hyperparameters of the authors' code; EDM adds noise only where the raised noise level was trained."""


@cache
def _score(weights: str, device: str) -> Score:
    return (mnist_ve(weights, device) if weights == "mnist-ve" else ddpm(weights, device)).score


def score(setup: Setup) -> Score:
    """Return the network's score, of states on the CPU wherever the network is.

    Raises DataUnavailable without its file.
    """
    device = "cuda" if setup.accelerated and torch.cuda.is_available() else "cpu"
    loaded = _score(setup.weights, device)
    return loaded if device == "cpu" else lambda x, level: loaded(x.to(device), level).to(x.device)


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
    """Return the judge of batches by the first test images. Raises DataUnavailable without the file."""
    return Judge(test_images()[:reference], blank(test_images()), last_sigma)


@cache
def extractor() -> Extractor:
    """Return the features that samples are judged in: those of the committed classifier of MNIST."""
    return digit_features("mnist-classifier")


@cache
def feature_judge(count: int) -> FeatureJudge:
    """Return the judge in features by the first test images. Raises DataUnavailable without the file."""
    return FeatureJudge(extractor(), f"first {count} MNIST test images", test_images()[:count])
