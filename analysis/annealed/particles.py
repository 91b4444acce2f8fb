"""Where no exact distribution is available: particles in independent batches, their density by a
kernel.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from scipy.signal import fftconvolve

from ams.grid_function import GridFunction
from ams.samplers import Batches, Program, State, run, spent
from ams.samplers.noise_sources import generated
from ams.targets import Target

_CELLS = 8  # of the grid, a bandwidth
_REACH = 9.0  # bandwidths at which the kernel is cut


class Sizes(NamedTuple):
    """How finely a distribution is represented: `batches` of `batch` particles with their seed,
    `nodes` quantiles.
    """

    batch: int
    batches: int
    nodes: int
    seed: int


def particles(
    target: Target, deviation: float, program: Program, sizes: Sizes, coupled: int = 0
) -> tuple[Float[np.ndarray, "batches batch d"], int]:
    """Return the ends of a program's particles, started from `N(0, deviation^2)`, and the
    evaluations.

    Norms are means over `coupled` samples, a divisor of the batch; 0 stands for the batch.
    """
    generator, algebra = torch.Generator().manual_seed(sizes.seed), Batches(coupled or sizes.batch)
    shape, noise = (
        (sizes.batches * sizes.batch, *target.shape),
        generated(generator, algebra.empty_like),
    )
    start = State(deviation * torch.randn(shape, dtype=torch.float64, generator=generator))
    state, evaluations = spent(run(program, start, target.score, noise, algebra), start)
    return state.x.reshape(sizes.batches, sizes.batch, -1).numpy().copy(), evaluations


def smoothed(x: Float[np.ndarray, "batches size"], bandwidth: float) -> list[GridFunction]:
    """Return each batch's density by a Gaussian kernel, all on one grid.

    Where the distribution is smooth on the scale of `bandwidth` b this adds `b^2` to its variance.
    """
    spacing = bandwidth / _CELLS
    edge = _REACH * bandwidth
    count = int(np.ceil((x.max() - x.min() + 2 * edge) / spacing)) + 1
    first = x.min() - edge
    kernel = np.exp(-0.5 * (np.arange(-_CELLS * _REACH, _CELLS * _REACH + 1) / _CELLS) ** 2)
    kernel /= kernel.sum() * spacing
    cells = np.rint((x - first) / spacing).astype(int)
    counts = np.array([np.bincount(row, minlength=count) for row in cells]) / x.shape[1]
    densities = fftconvolve(counts, kernel[None], mode="same", axes=1).clip(0.0)
    return [GridFunction(first, spacing, density) for density in densities]


def divergence(law: GridFunction, log_target: Callable[[np.ndarray], np.ndarray]) -> float:
    """Return `KL(particles || target) = int p (log p - log q)` in nats, however far apart the two
    are.

    Near 0 it cancels to about 1e-16, so what is below 1e-12 is rounding.
    """
    p = law.values.clip(1e-300)
    return law.integral(np.log(p) - log_target(law.nodes))


def averaged(curves: Sequence[GridFunction]) -> GridFunction:
    """Return the mean of densities on one grid."""
    return curves[0].with_values(np.mean([curve.values for curve in curves], axis=0))
