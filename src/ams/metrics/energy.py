"""The energy distance `2 E|X - Y| - E|X - X'| - E|Y - Y'|`, estimated without bias in bounded
memory.

It is zero only for equal distributions (Szekely and Rizzo 2013, doi 10.1016/j.jspi.2013.03.018) and
has the unit of the samples. An unbiased estimate may be negative. Samples `(n, *shape)` are
compared as flat float64 vectors. Distances come from matrix products about a common centre: among
vectors of length R, a distance r has an error of about `1e-16 R^2 / r`, and of `1e-8 R` for r = 0.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from ams.metrics.expected_norm import expected_norm

_BLOCK = 1024  # rows and columns of a block of distances: 8 MiB, of which a few exist at once

Norm = Callable[[Tensor], Tensor]


def energy_distance(x: Float[Tensor, " n *shape"], y: Float[Tensor, " m *shape"]) -> float:
    """Return the unbiased energy distance of two sets of samples (a U-statistic).

    Raises ValueError for fewer than two samples in a set and for different shapes.
    """
    first, second = _aligned(x, y, fewest=2)
    return 2 * _mean_across(first, second, _length) - _mean_within(first) - _mean_within(second)


def energy_difference(
    x: Float[Tensor, " n *shape"],
    y: Float[Tensor, " k *shape"],
    reference: Float[Tensor, " m *shape"],
) -> float:
    """Return the energy distance of `x` to a reference less that of `y`, without the reference's
    own part, which cancels. Raises ValueError as `energy_distance`.
    """
    parts = []
    for sample in (x, y):
        rows, points = _aligned(sample, reference, fewest=2)
        parts.append(2 * _mean_across(rows, points, _length) - _mean_within(rows))
    return parts[0] - parts[1]


class MixtureReference:
    """The exact law `(1/m) sum_j N(p_j, sigma^2 I)` that several samples are compared with: its
    part is computed once.

    `E|x - p_j - sigma z|` is computed exactly (`expected_norm`), so that only the samples add
    noise. Holds the points as float64. `spread` is `mixture_spread(points, sigma)` where that is
    known. Raises ValueError for no points.
    """

    def __init__(
        self, points: Float[Tensor, " m *shape"], sigma: float, spread: float | None = None
    ) -> None:
        self.shape, self.sigma = points.shape[1:], sigma
        self.spread = mixture_spread(points, sigma) if spread is None else spread
        flat = points.reshape(len(points), -1).double()
        self._middle = flat.mean(0)
        self._centred = flat - self._middle

    def energy_distance(self, x: Float[Tensor, " n *shape"]) -> float:
        """Return the unbiased energy distance of a sample. Raises ValueError for fewer than two, or
        another shape.
        """
        if len(x) < 2 or x.shape[1:] != self.shape:
            needed = f"at least two samples of shape {tuple(self.shape)}"
            raise ValueError(f"energy distance: {needed} are needed, not {tuple(x.shape)}")
        sample = x.reshape(len(x), -1).double() - self._middle
        across = _mean_across(
            sample, self._centred, lambda r: expected_norm(r, self.sigma, sample.shape[1])
        )
        return 2 * across - _mean_within(sample) - self.spread


def mixture_spread(points: Float[Tensor, " m *shape"], sigma: float) -> float:
    """Return `E|Y - Y'|` of independent Y, Y' with the distribution `(1/m) sum_j N(p_j, sigma^2
    I)`, in its unit.

    It is `(1/m^2) sum_jk E|p_j - p_k + sqrt(2) sigma z|`, where j and k may be equal. Raises
    ValueError for no points.
    """
    centres, _ = _aligned(points, points, fewest=1)
    dimension, noise = centres.shape[1], 2**0.5 * sigma
    apart = _sum_within(centres, lambda r: expected_norm(r, noise, dimension))
    same = len(centres) * float(expected_norm(centres.new_zeros(()), noise, dimension))
    return (apart + same) / len(centres) ** 2


def _length(distance: Tensor) -> Tensor:
    """Return the distance itself: the norm of a difference without noise."""
    return distance


def _aligned(
    x: Tensor, y: Tensor, fewest: int
) -> tuple[Float[Tensor, "n d"], Float[Tensor, "m d"]]:
    """Return both sets as float64 rows about the mean of `y`. Raises ValueError for few samples,
    different shapes.
    """
    if min(len(x), len(y)) < fewest:
        raise ValueError(
            f"energy distance: {len(x)} and {len(y)} samples, at least {fewest} each are needed"
        )
    if x.shape[1:] != y.shape[1:]:
        raise ValueError(
            f"energy distance: samples of shapes {tuple(x.shape[1:])} and {tuple(y.shape[1:])}"
        )
    first, second = x.reshape(len(x), -1).double(), y.reshape(len(y), -1).double()
    centre = second.mean(0)
    return first - centre, second - centre


def _mean_across(x: Float[Tensor, "n d"], y: Float[Tensor, "m d"], norm: Norm) -> float:
    """Return the mean of `norm(|x_i - y_j|)` over all pairs."""
    blocks = ((a, b) for a in x.split(_BLOCK) for b in y.split(_BLOCK))
    return sum(float(norm(torch.cdist(a, b)).sum()) for a, b in blocks) / (len(x) * len(y))


def _mean_within(x: Float[Tensor, "n d"]) -> float:
    """Return the mean of `|x_i - x_j|` over `i != j`."""
    return _sum_within(x, _length) / (len(x) * (len(x) - 1))


def _sum_within(x: Float[Tensor, "n d"], norm: Norm) -> float:
    """Return the sum of `norm(|x_i - x_j|)` over `i != j`."""
    parts, half = x.split(_BLOCK), 0.0
    for index, part in enumerate(parts):
        half += float(norm(torch.cdist(part, part)).triu(diagonal=1).sum())
        for other in parts[index + 1 :]:
            half += float(norm(torch.cdist(part, other)).sum())
    return 2 * half
