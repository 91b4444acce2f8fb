"""The points of a data set and their distances to a batch: by matrix products block by block, and exactly.

With `m` the mean of the points, `y = x - s m`, and `l_j = -|x - s p_j|^2 / (2 v)` the logit of point j,

    |x - s p_j|^2 = |y|^2 + 2 s y.m - 2 s y.p_j + s^2 |p_j - m|^2,

in which the first two terms do not depend on j: products about the mean need no centred copy of the points.
The rounding error of `l_j` by products grows as `1 / v`; `Query.roundoff` measures it, `Query.exact` is free of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, Self

import torch
from jaxtyping import Float, Int
from torch import Tensor

_LOGITS = 2**19  # entries of one block of logits on a CPU: 2 MiB in float32, a core's cache
_DIFFERENCES = 2**22  # entries of one block of differences: 32 MiB
_LARGER = 16  # times as much at once on a device with its own memory
_PROBES = 64  # points on which rounding is measured
_SAFETY = 4.0  # over the error measured on the probes: near points, of larger products, err more than most


class Pairs(NamedTuple):
    """Pairs of a row and a point that may matter to it."""

    row: Int[Tensor, " pairs"]
    point: Int[Tensor, " pairs"]

    def parts(self, width: int) -> Iterator[Pairs]:
        """Yield the same pairs, few enough at a time for differences of `width` entries each."""
        length = max(_DIFFERENCES // width, 1)
        yield from map(Pairs, self.row.split(length), self.point.split(length))


@dataclass(frozen=True)
class Cloud:
    """Points with what the products need: their mean `m` and `|p_j - m|^2 / 2`."""

    points: Float[Tensor, "n d"]
    centre: Float[Tensor, " d"]
    halves: Float[Tensor, " n"]

    @cached_property
    def reach(self) -> float:
        """Return the largest `|p_j|`."""
        return max(float(torch.linalg.vector_norm(block, dim=1).max()) for block in _blocks(self.points))

    @classmethod
    def of(cls, points: Float[Tensor, "n d"]) -> Self:
        """Return the cloud about the mean of its points. Raises ValueError where a point is not finite."""
        total = torch.stack([block.sum(0, dtype=torch.float64) for block in _blocks(points)]).sum(0)
        if not bool(torch.isfinite(total).all()):
            raise ValueError("empirical: a point is not finite")
        return cls.about((total / len(points)).to(points.dtype), points)

    @classmethod
    def about(cls, centre: Float[Tensor, " d"], points: Float[Tensor, "n d"]) -> Self:
        """Return the cloud about a given centre; the squares are taken in float64."""
        halves = [(block.double() - centre.double()).square().sum(1) / 2 for block in _blocks(points)]
        return cls(points, centre, torch.cat(halves).to(points.dtype))

    def part(self, some: slice) -> Self:
        """Return some of the points, about the same centre."""
        return type(self)(self.points[some], self.centre, self.halves[some])

    def wide(self) -> Self:
        """Return the same cloud in float64."""
        return type(self).about(self.centre.double(), self.points.double())


@dataclass(frozen=True)
class Query:
    """Rows `x` asked of a cloud at `x_t = scale p_j + sqrt(variance) z`."""

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
        """Return `-(|y|^2 / 2 + s y.m) / v`, the part of a row's logits that products leave out (float64)."""
        constant = self.shifted.square().sum(1) / 2 + self.scale * (self.shifted @ self.cloud.centre.double())
        return -constant / self.variance

    @cached_property
    def roundoff(self) -> Float[Tensor, " rows"]:
        """Return an estimate from above of the rounding error of a row's logits by products (float64).

        The larger of `4 eps s (|y| max|p| + s max|p - m|^2 / 2) / v`, and four times the largest error on 64 points
        spread over the cloud, measured against float64: that sees the device and its matrix precision. NaN where
        the row is not finite.
        """
        probes = self.cloud.part(slice(None, None, -(-len(self.cloud.points) // _PROBES)))
        reference = self.wide().products(probes.wide())
        error = (self.products(probes) - reference).abs().amax(1)
        terms = self.shifted.norm(dim=1) * self.cloud.reach + abs(self.scale) * self.cloud.halves.max().double()
        rounding = torch.finfo(self.x.dtype).eps * abs(self.scale) / self.variance * terms
        bound = _SAFETY * torch.maximum(error, rounding)
        return bound.masked_fill_(~torch.isfinite(bound), math.nan)

    def products(self, part: Cloud, out: Float[Tensor, "rows n"] | None = None) -> Float[Tensor, "rows n"]:
        """Return `l_j - offset = s (y.p_j - s |p_j - m|^2 / 2) / v` of the part's points, into `out` where given."""
        linear = self.scale / self.variance
        y, square = self.shifted.to(self.x.dtype), -self.scale * linear
        return torch.addmm(part.halves, y, part.points.T, beta=square, alpha=linear, out=out)

    def wide(self) -> Self:
        """Return the same rows in float64, to be asked of parts in float64."""
        return replace(self, x=self.x.double())

    def blocks(self) -> Iterator[tuple[slice, Float[Tensor, "rows block"]]]:
        """Yield spans of points with their `products`, in one buffer: valid until the next span."""
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
        """Return how many points a block holds: logits fill a cache, and the block in float64 stays bounded too."""
        longest = min(_LOGITS // max(len(self.x), 1), _DIFFERENCES // self.x.shape[1])
        return max(longest * (1 if self.x.device.type == "cpu" else _LARGER), 1)


def _blocks(points: Float[Tensor, "n d"]) -> tuple[Tensor, ...]:
    """Return the points in blocks of a bounded number of entries."""
    blocks: tuple[Tensor, ...] = points.split(max(_DIFFERENCES // points.shape[1], 1))
    return blocks
