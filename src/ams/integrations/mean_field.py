"""A sampler whose coefficients depend on the norms of its batch, in the limit of large batches (mean field).

It has the methods of `samplercheck.affine_map.AffineMap`, which it stands for.
"""

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

from ams.laws.gaussian import GaussianLaw
from ams.samplers.base import Step
from ams.schedules import Level


class MeanField:
    """The exact law of a program of steps of `ams.samplers`, with one call each, on a Gaussian target."""

    defect = 0.0

    def __init__(self, program: Sequence[tuple[Step, Level]], mean: Tensor, variance: Tensor) -> None:
        self.levels = [level for _, level in program]
        self._size, gaussian = mean.shape, GaussianLaw(variance, mean)

        @lru_cache(maxsize=2)
        def moments(mean: tuple[float, ...], variance: tuple[float, ...]) -> list[tuple[Tensor, Tensor]]:
            steps = gaussian.run(program, gaussian.start(mean, variance))
            path = [(state.x, gaussian.moments(info.at)) for state, info in steps]
            return [*(at for _, at in path), gaussian.moments(path[-1][0])]

        self._moments = moments

    def law(self, point: int, mean: Tensor | float, variance: Tensor | float) -> tuple[Tensor, Tensor]:
        """Return mean and variance (d,) at a call for a start with this mean and variance; -1 is the end."""

        def values(given: Tensor | float) -> tuple[float, ...]:
            return tuple(torch.as_tensor(given, dtype=torch.float64).expand(self._size).tolist())

        return self._moments(values(mean), values(variance))[point]

    def exact_start(self, mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
        """Return both: the first call is at the start."""
        return mean, variance
