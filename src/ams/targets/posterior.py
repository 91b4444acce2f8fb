"""Posterior means over the points of a data set, by an online log-sum-exp in bounded memory.

If the rounding of the logits by products is small (`smooth`), a block of points costs two products:
the logits, and the weights times the points. Otherwise (`sharp`) products only exclude points:
those whose logit is below the row's largest by more than twice the rounding plus the logarithm of
the weight that may be neglected. For the remaining pairs logits and means are computed in float64
from the differences `x - s p_j`. A block with many remaining pairs is computed by products in
float64.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ams.targets.points import Cloud, Pairs, Query

_TOLERANCE = (
    2e-3  # rounding of a logit in `smooth`: it changes a mean by at most half of it times the range
)
# share of the pairs of a block below which differences cost less than products in float64
_FEW = 1 / 128


class _Running(NamedTuple):
    """The sums over the points so far, relative to `exp(peak)`; updated in place."""

    peak: Float[Tensor, " rows"]
    total: Float[Tensor, " rows"]
    weighted: Float[Tensor, "rows d"]

    @classmethod
    def over(cls, query: Query, dtype: torch.dtype) -> "_Running":
        """Return the sums over no points, which are NaN for a row that is not finite."""
        lowest = torch.full_like(query.roundoff, torch.finfo(dtype).min, dtype=dtype)
        lowest.masked_fill_(query.roundoff.isnan(), math.nan)
        return cls(lowest, torch.zeros_like(lowest), torch.zeros_like(query.x, dtype=dtype))

    def rise(self, peak: Float[Tensor, " rows"]) -> None:
        """Raise each row's peak to `peak` if that is larger."""
        higher = torch.maximum(self.peak, peak)
        shrink = _weights(self.peak - higher)
        self.total.mul_(shrink)
        self.weighted.mul_(shrink.unsqueeze(1))
        self.peak.copy_(higher)

    def add_block(
        self, logits: Float[Tensor, "rows block"], points: Float[Tensor, "block d"]
    ) -> None:
        """Add points to all rows, and overwrite their logits."""
        self.rise(logits.amax(1))
        weights = _weights(logits.sub_(self.peak.unsqueeze(1)))
        self.total.add_(weights.sum(1))
        self.weighted.addmm_(weights, points)

    def add_pairs(self, pairs: Pairs, query: Query) -> None:
        """Add each pair's point to its row, with its exact logit."""
        logits = query.exact(pairs)
        self.rise(_row_maxima(logits, pairs.row, len(query.x)))
        weights = _weights(logits.sub_(self.peak[pairs.row]))
        points = query.cloud.points[pairs.point].double()
        self.total.index_add_(0, pairs.row, weights)
        self.weighted.index_add_(0, pairs.row, points.mul_(weights.unsqueeze(1)))


@dataclass(frozen=True)
class Posterior:
    """Sums over all points for each row, and the query whose logits lack its offset (None: they are
    whole).
    """

    sums: _Running
    query: Query | None = None

    @property
    def log_sum(self) -> Float[Tensor, " rows"]:
        """Return `log sum_j exp(l_j)` in float64."""
        offset = 0.0 if self.query is None else self.query.offset
        return self.sums.peak.double() + self.sums.total.double().log() + offset

    @property
    def mean(self) -> Float[Tensor, "rows d"]:
        """Return the mean of the points with the weights `exp(l_j)`."""
        return self.sums.weighted / self.sums.total.unsqueeze(1)


def posterior(query: Query) -> Posterior:
    """Return log-sum and posterior mean of each row; the error of the mean is below 1e-3 of the
    points' range.
    """
    rough = bool((query.roundoff > _TOLERANCE).any())
    return sharp(query) if rough else smooth(query)


def smooth(query: Query) -> Posterior:
    """Return the posterior by two matrix products for each block, in the dtype of the rows."""
    running = _Running.over(query, query.x.dtype)
    for block, logits in query.blocks():
        running.add_block(logits, query.cloud.points[block])
    return Posterior(running, query)


def sharp(query: Query) -> Posterior:
    """Return the posterior over the points that are not excluded, in float64."""
    running = _Running.over(query, torch.float64)
    neglected = math.log(len(query.cloud.points) / torch.finfo(query.x.dtype).eps)
    for part, pairs in screened(query, neglected):
        if len(pairs.row) > _FEW * len(query.x) * len(part.points):
            block = part.wide()
            running.add_block(query.products(block).add_(query.offset.unsqueeze(1)), block.points)
        else:
            for some in pairs.parts(query.x.shape[1]):
                running.add_pairs(some, query)
    return Posterior(running)


def nearest(query: Query) -> Int[Tensor, " rows"]:
    """Return the index of each row's point with the largest logit, the first of equals; -1 for a
    row not finite.
    """
    best = torch.full_like(query.roundoff, -math.inf)
    index = torch.full_like(best, -1, dtype=torch.int64)
    for _, pairs in screened(query, 0.0):
        for some in pairs.parts(query.x.shape[1]):
            logits = query.exact(some)
            peak = _row_maxima(logits, some.row, len(query.x))
            top = logits == peak[some.row]
            first = torch.full_like(index, len(query.cloud.points))
            first.scatter_reduce_(0, some.row[top], some.point[top], "amin")
            index = torch.where(peak > best, first, index)
            best = torch.maximum(best, peak)
    return index


def screened(query: Query, neglected: float) -> Iterator[tuple[Cloud, Pairs]]:
    """Yield block by block the pairs whose logit may be within `neglected` of the row's largest.

    The threshold has twice the rounding error, for the pair and for the largest logit.
    """
    window = (2 * query.roundoff + neglected).to(query.x.dtype)
    top = torch.full_like(window, -math.inf)
    for block, logits in query.blocks():
        top = torch.maximum(top, logits.amax(1))
        row, column = (logits > (top - window).unsqueeze(1)).nonzero(as_tuple=True)
        yield query.cloud.part(block), Pairs(row, column + block.start)


def _weights(logits: Float[Tensor, " *shape"]) -> Float[Tensor, " *shape"]:
    """Return `exp(logits)` in place, 0 below 1e-30, since denormal numbers make products several
    times slower.
    """
    return torch.threshold_(logits.clamp_min_(-70).exp_(), 1e-30, 0.0)


def _row_maxima(
    values: Float[Tensor, " pairs"], row: Int[Tensor, " pairs"], count: int
) -> Float[Tensor, " rows"]:
    """Return the largest value of each of `count` rows, -inf for a row without values."""
    return values.new_full((count,), -math.inf).scatter_reduce_(0, row, values, "amax")
