"""A mixture that looks like data: six classes in dimension 1,000, of rank 10 plus noise.

Weights run from 0.5 to 0.01. The mixture is turned into its subspace, about its mean: samplers
here do not distinguish directions.
"""

import math
from functools import cache
from itertools import combinations
from typing import NamedTuple

import torch

from ams.samplers.presets import SigmaRange
from ams.targets.low_rank_mixture import LowRankMixture, in_its_subspace

RANK = 10
"""The rank of each covariance."""
LAST = 0.05
"""The noise level at which runs end, as in the groups on images."""
WEIGHTS = (0.5, 0.25, 0.12, 0.08, 0.04, 0.01)
JUDGED = "synthetic"
DEVELOPMENT = "development"
"""The target on which hyperparameters are chosen."""
SEEDS = {JUDGED: 2405, DEVELOPMENT: 730}


class DataLike(NamedTuple):
    """A target, and the noise levels of runs."""

    mixture: LowRankMixture
    sigmas: SigmaRange


@cache
def target(name: str = JUDGED) -> DataLike:
    """Return a target in float32."""
    mixture = _synthetic(SEEDS[name])
    spread = mixture.variances.sum(1) + (mixture.d - RANK) * mixture.residual
    widest = max(
        float((mixture.means[i] - mixture.means[j]).square().sum() + spread[i] + spread[j])
        for i, j in combinations(range(len(spread)), 2)
    )
    return DataLike(mixture.to(torch.float32), SigmaRange(math.sqrt(widest), LAST))


def _synthetic(seed: int) -> LowRankMixture:
    """Return the mixture of a seed: means 6 apart, variances from 2 to 6 down.

    The residual deviation is the larger the rarer the class is, from 0.05 to 0.15.
    """
    draws = torch.Generator().manual_seed(seed)
    k = len(WEIGHTS)
    normal = torch.randn(k, 1000, RANK + 1, generator=draws, dtype=torch.float64)
    means = 6 / math.sqrt(2) * normal[:, :, RANK] / normal[:, :, RANK].norm(dim=1, keepdim=True)
    decay = 0.75 ** torch.arange(RANK, dtype=torch.float64)
    sizes = 4 * decay * (0.5 + torch.rand(k, 1, generator=draws, dtype=torch.float64))
    residual = torch.linspace(0.05, 0.15, k, dtype=torch.float64).square()
    weights = torch.tensor(WEIGHTS, dtype=torch.float64)
    return in_its_subspace(weights, means, torch.linalg.qr(normal[:, :, :RANK]).Q, sizes, residual)
