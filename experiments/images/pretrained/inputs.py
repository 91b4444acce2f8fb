"""What the group samples and judges by: a pretrained network's score, MNIST's test images, a classifier's features.

Every run starts at the largest noise level that the VE network was trained for and ends at that of the exact-score
runs, so that the sampler's errors and the network's can be told apart. The first test images are the reference, those
after it the floor: real images against real images.
"""

from functools import cache
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ams.data import images as load
from ams.samplers import Score
from ams.samplers.presets import AUTHORS, SigmaRange
from experiments.images.features.extractors import Extractor, digit_features
from experiments.images.features.scores import Judge as FeatureJudge
from experiments.images.networks.ddpm import ddpm
from experiments.images.networks.score_adapter import NetworkScore
from experiments.images.networks.unet_ve import ExponentialVE, mnist_ve
from experiments.images.pretrained.quality import Judge, blank
from experiments.images.runs import Problem

DATA = ("mnist-ve", "mnist-test")
"""The registered files that every run needs."""
SHAPE = (28, 28)
FIRST_SIGMA = ExponentialVE().marginal(1.0)[1]
DEFAULTS = AUTHORS._replace(churn_below=FIRST_SIGMA / 2**0.5)
"""Hyperparameters of the authors' code; EDM adds noise only where its raised noise level was trained."""


class Network(NamedTuple):
    """A network by its registered name, on a CUDA device where it is `accelerated` and there is one."""

    weights: str = "mnist-ve"
    accelerated: bool = False


class Setup(NamedTuple):
    """What every batch shares: network, last noise level, number of reference images, samples of a batch, seed."""

    network: Network
    last_sigma: float
    reference: int
    size: int
    seed: int

    @property
    def sigmas(self) -> SigmaRange:
        """Return the first and last noise level."""
        return SigmaRange(FIRST_SIGMA, self.last_sigma)


@cache
def _loaded(weights: str, device: str) -> NetworkScore:
    return mnist_ve(weights, device) if weights == "mnist-ve" else ddpm(weights, device)


def score(network: Network) -> Score:
    """Return a network's score, of states on the CPU wherever the network is.

    Raises DataUnavailable without its file.
    """
    device = "cuda" if network.accelerated and torch.cuda.is_available() else "cpu"
    loaded = _loaded(network.weights, device).score
    return loaded if device == "cpu" else lambda x, level: loaded(x.to(device), level).to(x.device)


def problem(setup: Setup) -> Problem:
    """Return what is sampled. Raises DataUnavailable without the network's file."""
    return Problem(score(setup.network), SHAPE, setup.sigmas)


@cache
def test_images() -> Float[Tensor, "n 28 28"]:
    """Return MNIST's test images. Raises DataUnavailable without the file."""
    return load("mnist-test").x


@cache
def judge(reference: int, last_sigma: float) -> Judge:
    """Return the judge of batches by the first `reference` test images. Raises DataUnavailable without the file."""
    return Judge(test_images()[:reference], blank(test_images()), last_sigma)


def held_out(reference: int, size: int, count: int) -> tuple[Tensor, ...]:
    """Return the test images after the reference, in `count` batches of `size`."""
    return test_images()[reference:].split(size)[:count]


@cache
def extractor() -> Extractor:
    """Return the features that samples are judged in: those of the committed classifier of MNIST."""
    return digit_features("mnist-classifier")


@cache
def feature_judge(count: int) -> FeatureJudge:
    """Return the judge in features by the first `count` test images. Raises DataUnavailable without the file."""
    return FeatureJudge(extractor(), f"first {count} MNIST test images", test_images()[:count])
