r"""Scores of known error, in the target's subspace. Its size is that of a network's output in EDM's preconditioning.

A denoiser that errs by `e` has `D + e c(sigma) g` with `c = sigma s / sqrt(sigma^2 + s^2)`, `s^2` the variance of a
coordinate, and `E g^2 = 1` a coordinate: by `e sigma` where the noise is small, by `e s` where it is large (arXiv
2206.00364).

- affine: `g = (A x + b) / size`, random A and b;
- features: `g = sqrt 2 V cos(W x / sqrt(sigma^2 + s^2) + phase)`, random features, `E g^2 = 1` over draws of V;
- forgotten: the score of the mixture without its rarest mode, whatever its size;
- fitted: the denoiser by ridge regression on random features of `x` and `ln sigma`, from noisy draws, as the last layer
  of a network is fitted to data, whatever its size.
"""

import math
from collections.abc import Callable
from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor

from ams.samplers import Score
from ams.schedules import Level
from ams.targets.low_rank_mixture import LowRankMixture
from beyond.data_like.settings import ScoreError
from beyond.data_like.targets import DataLike, covariance, target

FEATURES, DRAWS, SEED, RIDGE = 512, 40_000, 33, 1.0

Field = Callable[[Float[Tensor, "batch m"], float], Float[Tensor, "batch m"]]
"""A function of the subspace's coordinates and of sigma."""


@cache
def score(name: str, error: ScoreError) -> Score:
    """Return the score of a target with an error."""
    data = target(name)
    exact, m = data.mixture, data.mixture.m
    if error.kind == "none":
        return exact.score
    if error.kind == "forgotten":
        return without_rarest(exact).score
    field = {"affine": _affine, "features": _features, "fitted": _fitted}[error.kind](data)

    def wrong(x: Tensor, level: Level) -> Tensor:
        result, sigma = exact.score(x, level), level.sigma
        size = output_scale(data, sigma) / sigma**2
        if error.kind == "fitted":
            share = data.variance / (sigma**2 + data.variance)
            result[:, :m] = (share - 1) / sigma**2 * x[:, :m] + size * field(x[:, :m], sigma)
        else:
            result[:, :m] += error.size * size * field(x[:, :m], sigma)
        return result

    return wrong


def error_size(name: str, error: ScoreError, sigma: float, n: int = 4000) -> float:
    """Return the root mean square of a score's error at a noise level, in the unit of `e`, over draws of the target."""
    data, level = target(name), Level(0, sigma=sigma)
    x = data.mixture.sample(n, level, torch.Generator().manual_seed(SEED))
    wrong = (score(name, error)(x, level) - data.mixture.score(x, level))[:, : data.mixture.m]
    return float(wrong.double().square().mean().sqrt()) * sigma**2 / output_scale(data, sigma)


def output_scale(data: DataLike, sigma: float) -> float:
    """Return `c(sigma)`, what a unit of a network's output is in the denoiser."""
    return sigma * math.sqrt(data.variance / (sigma**2 + data.variance))


def without_rarest(mixture: LowRankMixture) -> LowRankMixture:
    """Return the mixture without the mode of the least weight."""
    rest = mixture.weights.argsort(descending=True, stable=True)[:-1].sort().values
    parts = (mixture.means[rest], mixture.bases[rest], mixture.variances[rest], mixture.residual[rest])
    return LowRankMixture(mixture.weights[rest] / mixture.weights[rest].sum(), *parts, mixture.d)


def _affine(data: DataLike) -> Field:
    draws, m, moments = torch.Generator().manual_seed(SEED), data.mixture.m, covariance(data.mixture)
    matrix = torch.randn(m, m, generator=draws) / math.sqrt(2 * m)
    shift = torch.randn(m, generator=draws) / math.sqrt(2)

    def field(x: Tensor, sigma: float) -> Tensor:
        total = moments + sigma**2 * torch.eye(m)
        wide = math.sqrt(sigma**2 + data.variance)
        square = float((matrix @ total @ matrix.mT).trace()) / wide**2 + float(shift.square().sum())
        return (x @ matrix.mT / wide + shift) / math.sqrt(square / m)

    return field


def _features(data: DataLike) -> Field:
    draws, m = torch.Generator().manual_seed(SEED), data.mixture.m
    inner = torch.randn(m, FEATURES, generator=draws) / math.sqrt(m)
    phase = 2 * math.pi * torch.rand(FEATURES, generator=draws)
    outer = torch.randn(FEATURES, m, generator=draws) * math.sqrt(2 / FEATURES)

    def field(x: Tensor, sigma: float) -> Tensor:
        return torch.cos(x @ inner / math.sqrt(sigma**2 + data.variance) + phase) @ outer

    return field


def _fitted(data: DataLike) -> Field:
    """Return the network's output: the best linear map of the inputs and their features, on noisy draws."""
    draws, m = torch.Generator().manual_seed(SEED), data.mixture.m
    inner = torch.randn(m, FEATURES, generator=draws) * math.sqrt(2 / m)
    of_noise, phase = torch.randn(2, FEATURES, generator=draws)

    def inputs(x: Tensor, sigma: Tensor) -> Tensor:
        small = x / (sigma.square() + data.variance).sqrt()
        hidden = torch.relu(small @ inner + sigma.log() * of_noise / 2 + phase)
        return torch.cat([torch.ones_like(sigma), sigma.log(), small, hidden], dim=1)

    first, last = (math.log(sigma) for sigma in data.sigmas)
    sigma = torch.exp(last + (first - last) * torch.rand(DRAWS, 1, generator=draws))
    clean = data.mixture.sample(DRAWS, Level(0, sigma=0.0), draws)[:, :m]
    x = clean + sigma * torch.randn(DRAWS, m, generator=draws)
    share = data.variance / (sigma.square() + data.variance)
    wanted = (clean - share * x) / (sigma * share.sqrt())
    known = inputs(x, sigma).double()
    gram = known.mT @ known + RIDGE * torch.eye(known.shape[1], dtype=torch.float64)
    weights = torch.linalg.solve(gram, known.mT @ wanted.double()).float()
    return lambda x, sigma: inputs(x, torch.full((len(x), 1), sigma)) @ weights
