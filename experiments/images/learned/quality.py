r"""How good samples of digits are: in a classifier's features, by their variance, by how far they
are from copies.

The network has learned from 1437 digits; samples are compared with the 360 that it has not seen.
Two scores drive the same samplers from the same starts with the same noise: `LEARNED`, the
network's, and `EXACT`, that of the uniform distribution on the 1437 digits, blurred: what the
network would be if it had memorised them.

Features are those of the samples after the last denoising. The variance ratio is that of the
samples before it,

    V = E |noise(x, sigma_L)|^2 / E |noise(y, sigma_L)|^2 ,   y = x_0 + sigma_L z ,

with `noise = -sigma score` by the same score. For the exact score x_0 is seen. The network sees
less noise in digits that it has learned from than in those held out, and its samples are neither:
x_0 is half of each. V is 1 for samples as noisy as the noise level says; for a Gaussian with V
times the variance it is V.
"""

from functools import cache
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ams.samplers.presets import SigmaRange
from ams.targets import Empirical
from experiments.images.features.extractors import digit_features
from experiments.images.features.scores import Judge
from experiments.images.networks.small import digits_score
from experiments.images.runs import Problem, denoised, seen_noise
from experiments.images.tasks import split_digits
from verdicts.studies import cell

LEARNED, EXACT = "learned", "exact"
"""The two scores."""


class Quality(NamedTuple):
    """The quality of one batch.

    In the features of its denoised samples, against the digits held out: `frechet` and `kernel`
    distance, `precision`, `recall`, `density`, `coverage`, total variation of the `classes`. Then
    the `variance_ratio`, and the `novelty`: the mean distance to the nearest digit that was learned
    from, over that of digits held out; 0 for copies.
    """

    frechet: float
    kernel: float
    precision: float
    recall: float
    density: float
    coverage: float
    classes: float
    variance_ratio: float
    novelty: float

    @property
    def missed(self) -> float:
        """Return the share of the digits held out that the batch does not cover."""
        return 1.0 - self.coverage


class Constants(NamedTuple):
    """What depends on the score and the last noise level alone: the mean square noise that the
    score sees, the mean distance from a digit held out to the nearest learned.
    """

    noise: float
    nearest: float


class Judged(NamedTuple):
    """A batch's quality, and the features of its denoised samples (n, 64)."""

    quality: Quality
    features: Tensor


@cache
def judge() -> Judge:
    """Return what compares samples with the digits held out, in our classifier's features."""
    return Judge(digit_features(), "digits held out", digit_features()(split_digits().test.x))


@cache
def problem(score: str, last_sigma: float) -> Problem:
    """Return a score, `LEARNED` or `EXACT`, as what is sampled, from noise as wide as the digits
    learned from.
    """
    train = split_digits().train.x
    asked = digits_score().score if score == LEARNED else Empirical(train).score
    return Problem(
        asked, (8, 8), SigmaRange(torch.pdist(train.flatten(1)).max().item(), last_sigma)
    )


@cell
def constants(score: str, last_sigma: float) -> Constants:
    """The constants of a score; the noise is measured on four noisy copies of each digit."""
    (train, _), (test, _) = split_digits()
    draws, noises = torch.Generator().manual_seed(1), []
    for x in (
        (test.repeat(4, 1, 1), train.repeat(4, 1, 1))
        if score == LEARNED
        else (train.repeat(4, 1, 1),)
    ):
        y = x + last_sigma * torch.randn(x.shape, generator=draws)
        noises.append(seen_noise(problem(score, last_sigma), y))
    return Constants(sum(noises) / len(noises), _to_nearest(test))


def judged(score: str, last_sigma: float, x: Float[Tensor, "n 8 8"]) -> Judged:
    """Judge samples at the last noise level."""
    asked, known = problem(score, last_sigma), constants(score, last_sigma)
    clean = denoised(asked, x)
    features, ratio = judge().extractor(clean), variance_ratio(score, last_sigma, x)
    quality = Quality(*judge().scores_of(features), ratio, _to_nearest(clean) / known.nearest)
    return Judged(quality, features)


def variance_ratio(score: str, last_sigma: float, x: Float[Tensor, "n 8 8"]) -> float:
    """Return the variance ratio of samples at the last noise level."""
    return seen_noise(problem(score, last_sigma), x) / constants(score, last_sigma).noise


def _to_nearest(x: Float[Tensor, "n 8 8"]) -> float:
    """Return the mean distance to the nearest digit that was learned from."""
    return float(
        torch.cdist(x.flatten(1).double(), split_digits().train.x.flatten(1).double())
        .min(1)
        .values.mean()
    )
