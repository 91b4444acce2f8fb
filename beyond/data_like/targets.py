"""Mixtures that look like data: fits of rank 10 to the classes of images, and one in dimension 1,000.

The weights run from 0.5 to 0.01. Pixels are in [0, 1] and the mixture is turned into its subspace, about its mean:
samplers here do not distinguish directions.
"""

import math
from functools import cache
from itertools import combinations
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ams.data import images
from ams.samplers.presets import SigmaRange
from ams.targets.low_rank_mixture import LowRankMixture, in_its_subspace
from beyond.data_like.settings import DEVELOPMENT, EQUAL

RANK, LAST = 10, 0.05
"""The rank of each covariance; the noise level at which runs end, as in the groups on images."""
TEN = (0.5, 0.15, 0.1, 0.07, 0.05, 0.04, 0.04, 0.02, 0.02, 0.01)
SIX = (0.5, 0.25, 0.12, 0.08, 0.04, 0.01)
DATA = {"MNIST": "mnist-test", "CIFAR-10": "cifar10-test"}
"""The images that a target is fitted to: a thousand of each class at most."""
SEEDS = {"synthetic": 2405, EQUAL: 2405, DEVELOPMENT: 730}


class DataLike(NamedTuple):
    """A target, the noise levels of runs, and the variance of a coordinate of its subspace."""

    mixture: LowRankMixture
    sigmas: SigmaRange
    variance: float


@cache
def target(name: str) -> DataLike:
    """Return a target in float32. Raises DataUnavailable where its images cannot be had."""
    mixture = _fitted(name) if name in DATA else _synthetic(SEEDS[name], 0.1 if name == EQUAL else 0.05)
    spread = mixture.variances.sum(1) + (mixture.d - RANK) * mixture.residual
    widest = max(
        float((mixture.means[i] - mixture.means[j]).square().sum() + spread[i] + spread[j])
        for i, j in combinations(range(len(spread)), 2)
    )
    variance = float(covariance(mixture).trace()) / mixture.m
    return DataLike(mixture.to(torch.float32), SigmaRange(math.sqrt(widest), LAST), variance)


def covariance(mixture: LowRankMixture) -> Float[Tensor, "m m"]:
    """Return the covariance of the subspace's coordinates; the mean is 0."""
    along = mixture.variances - mixture.residual[:, None]
    within = torch.einsum("k,kir,kr,kjr->ij", mixture.weights, mixture.bases, along, mixture.bases)
    noise = (mixture.weights @ mixture.residual) * torch.eye(mixture.m).to(within)
    return within + noise + torch.einsum("k,ki,kj->ij", mixture.weights, mixture.means, mixture.means)


def _synthetic(seed: int, least: float) -> LowRankMixture:
    """Return six classes in dimension 1,000: means 6 apart, variances from 2 to 6 down.

    The residual deviation is the larger the rarer the class is, from `least` to `0.2 - least`.
    """
    draws, k, d = torch.Generator().manual_seed(seed), len(SIX), 1000
    normal = torch.randn(k, d, RANK + 1, generator=draws, dtype=torch.float64)
    means = 6 / math.sqrt(2) * normal[:, :, RANK] / normal[:, :, RANK].norm(dim=1, keepdim=True)
    decay = 0.75 ** torch.arange(RANK, dtype=torch.float64)
    sizes = 4 * decay * (0.5 + torch.rand(k, 1, generator=draws, dtype=torch.float64))
    residual = torch.linspace(least, 0.2 - least, k, dtype=torch.float64).square()
    weights = torch.tensor(SIX, dtype=torch.float64)
    return in_its_subspace(weights, means, torch.linalg.qr(normal[:, :, :RANK]).Q, sizes, residual)


def _fitted(name: str) -> LowRankMixture:
    """Return the fit to each class: mean, ten principal directions, and the mean variance in the others."""
    data = images(DATA[name])
    parts: list[tuple[Tensor, ...]] = []
    for label in range(len(TEN)):
        x = data.x[data.y == label][:1000].flatten(1).double()
        _, sizes, directions = torch.linalg.svd(x - x.mean(0), full_matrices=False)
        variances = sizes.square() / (len(x) - 1)
        rest = variances[RANK:].sum() / (x.shape[1] - RANK)
        parts.append((x.mean(0), directions[:RANK].mT, variances[:RANK], rest))
    return in_its_subspace(torch.tensor(TEN, dtype=torch.float64), *map(torch.stack, zip(*parts, strict=True)))
