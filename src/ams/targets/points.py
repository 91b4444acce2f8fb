"""Squared distances of a batch to the points of a data set, by blocks of matrix products or
exactly.

Let `m` be the mean of the points, `y = x - s m`, and `l_j = -|x - s p_j|^2 / (2 v)` the logit of
point j. In

    |x - s p_j|^2 = |y|^2 + 2 s y.m - 2 s y.p_j + s^2 |p_j - m|^2

the first two terms do not depend on j, so that products need no centred copy of the points. The
rounding error of the logits by products grows as `1 / v`: `Query.roundoff` estimates it, and
`Query.exact` avoids it.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

# entries of a block of logits on a CPU: 2 MiB in float32, which fits a core's cache
_LOGITS = 2**19
_DIFFERENCES = 2**22  # entries of a block of differences: 32 MiB
# entries of the points in one product: 4 MiB in float32, of which the cache keeps the most
_TILE = 2**20
_LARGER = 16  # times larger blocks on a device with its own memory
_PROBES = 64  # points on which rounding is measured
_SAFETY = 4.0  # times the error on the probes, since points with larger products have larger errors


class Pairs(NamedTuple):
    """Indices of pairs of a row of the batch and a point."""

    row: Int[Tensor, " pairs"]
    point: Int[Tensor, " pairs"]

    def parts(self, width: int) -> "Iterator[Pairs]":
        """Yield the pairs in parts that are small enough for differences of `width` entries
        each.
        """
        length = max(_DIFFERENCES // width, 1)
        yield from map(type(self), self.row.split(length), self.point.split(length))


@dataclass(frozen=True)
class Cloud:
    """Points with the constants of the products: a centre `m`, usually their mean, and `|p_j - m|^2
    / 2`.
    """

    points: Float[Tensor, "n d"]
    centre: Float[Tensor, " d"]
    halves: Float[Tensor, " n"]

    @cached_property
    def radius(self) -> float:
        """Return the largest `|p_j|`."""
        return max(
            float(torch.linalg.vector_norm(block, dim=1).max()) for block in _blocks(self.points)
        )

    @classmethod
    def of(cls, points: Float[Tensor, "n d"]) -> "Cloud":
        """Return the points with their mean as centre. Raises ValueError for a point that is not
        finite.
        """
        total = torch.stack([block.sum(0, dtype=torch.float64) for block in _blocks(points)]).sum(0)
        if not bool(torch.isfinite(total).all()):
            raise ValueError("empirical: a point is not finite")
        return cls.about((total / len(points)).to(points.dtype), points)

    @cached_property
    def probes(self) -> tuple["Cloud", "Cloud"]:
        """Return points spread over the cloud, in its own type and in float64."""
        some = self.part(slice(None, None, -(-len(self.points) // _PROBES)))
        return some, some.wide()

    @classmethod
    def about(cls, centre: Float[Tensor, " d"], points: Float[Tensor, "n d"]) -> "Cloud":
        """Return the points with a given centre; the squares are computed in float64."""
        halves = [
            (block.double() - centre.double()).square().sum(1) / 2 for block in _blocks(points)
        ]
        return cls(points, centre, torch.cat(halves).to(points.dtype))

    def part(self, some: slice) -> "Cloud":
        """Return a slice of the points, with the centre of all points."""
        return type(self)(self.points[some], self.centre, self.halves[some])

    def wide(self) -> "Cloud":
        """Return the points in float64."""
        return type(self).about(self.centre.double(), self.points.double())


@dataclass(frozen=True)
class Query:
    """The logits of the rows `x` for the points of a cloud, where `x_t = scale p_j + sqrt(variance)
    z`.
    """

    cloud: Cloud
    x: Float[Tensor, "rows d"]
    scale: float
    variance: float

    @cached_property
    def shifted(self) -> Float[Tensor, "rows d"]:
        """Return `y = x - scale m` in float64."""
        return self.x.double() - self.scale * self.cloud.centre.double()

    @cached_property
    def offset(self) -> Float[Tensor, " rows"]:
        """Return `-(|y|^2 / 2 + s y.m) / v` (float64), the part of a row's logits that `products`
        leaves out.
        """
        constant = self.shifted.square().sum(1) / 2 + self.scale * (
            self.shifted @ self.cloud.centre.double()
        )
        return -constant / self.variance

    @cached_property
    def roundoff(self) -> Float[Tensor, " rows"]:
        """Return an upper estimate of the rounding error of a row's logits by products (float64);
        NaN for bad rows.

        It is the larger of `4 eps s (|y| max|p| + s max|p - m|^2 / 2) / v` and of four times the
        largest error on 64 points against float64. The latter includes the matrix precision of the
        device.
        """
        probes, wide = self.cloud.probes
        error = (self.products(probes) - self.products(wide)).abs().amax(1)
        terms = (
            self.shifted.norm(dim=1) * self.cloud.radius
            + abs(self.scale) * self.cloud.halves.max().double()
        )
        rounding = torch.finfo(self.x.dtype).eps * abs(self.scale) / self.variance * terms
        bound = _SAFETY * torch.maximum(error, rounding)
        return bound.masked_fill_(~torch.isfinite(bound), math.nan)

    def products(
        self, part: Cloud, out: Float[Tensor, "rows n"] | None = None
    ) -> Float[Tensor, "rows n"]:
        """Return `l_j - offset = s (y.p_j - s |p_j - m|^2 / 2) / v` of a part's points, in `out` if
        it is given.
        """
        linear, y = self.scale / self.variance, self.shifted.to(part.points.dtype)
        out = y.new_empty(len(y), len(part.points)) if out is None else out
        width = max(_TILE // y.shape[1], 1)
        tiles = zip(
            part.halves.split(width), part.points.split(width), out.split(width, dim=1), strict=True
        )
        for halves, points, logits in tiles:
            torch.addmm(halves, y, points.T, beta=-self.scale * linear, alpha=linear, out=logits)
        return out

    def blocks(self) -> Iterator[tuple[slice, Float[Tensor, "rows block"]]]:
        """Yield slices of the points with their `products`, which are valid until the next
        slice.
        """
        n, step = len(self.cloud.points), self._block_length()
        buffer = self.x.new_empty(len(self.x) * step)
        for start in range(0, n, step):
            block = slice(start, min(start + step, n))
            shape = (len(self.x), block.stop - start)
            out = buffer[: math.prod(shape)].view(shape)
            yield block, self.products(self.cloud.part(block), out)

    def exact(self, pairs: Pairs) -> Float[Tensor, " pairs"]:
        """Return the logits `l_j` of the pairs in float64, from the differences `x - s p_j`."""
        rest = self.cloud.points[pairs.point].double().mul_(-self.scale).add_(self.x[pairs.row])
        return rest.square_().sum(1).div_(-2 * self.variance)

    def _block_length(self) -> int:
        """Return the number of points in a block: its logits fit a cache, and the points in float64
        are bounded.
        """
        longest = min(_LOGITS // max(len(self.x), 1), _DIFFERENCES // self.x.shape[1])
        return max(longest * (1 if self.x.device.type == "cpu" else _LARGER), 1)


def _blocks(points: Float[Tensor, "n d"]) -> tuple[Tensor, ...]:
    """Return the points in blocks of a bounded number of entries."""
    return points.split(max(_DIFFERENCES // points.shape[1], 1))
