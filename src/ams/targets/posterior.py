"""Posterior means over the points of a data set, by an online log-sum-exp in bounded memory.

Where the rounding of the logits by products is small against 1 (`smooth`), a block of points costs two products:
logits, and weights times points. Where it is not (`sharp`), the products only screen. A point whose logit lies
further below the row's largest than twice the rounding, and the logarithm of what may be neglected, cannot matter;
for the few that can, logits and means are computed in float64 from the differences `x - s p_j` themselves; a block
in which they are not few is worked off by products in float64.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple, Self

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import threshold

from ams.targets.points import Cloud, Pairs, Query

_TOLERANCE = 2e-3  # rounding of a logit that `smooth` accepts: it moves a mean by at most half of it times the range
_FEW = 1 / 128  # of a block: above it, a product in float64 costs less than the differences of the candidates


class Posterior(NamedTuple):
    """Of each row, `log sum_j exp(l_j)` in float64 and the mean of the points under the weights `exp(l_j)`."""

    log_sum: Float[Tensor, " rows"]
    mean: Float[Tensor, "rows d"]


class _Running(NamedTuple):
    """Sums over the points met so far, relative to `exp(peak)`; updated in place."""

    peak: Float[Tensor, " rows"]
    total: Float[Tensor, " rows"]
    weighted: Float[Tensor, "rows d"]

    @classmethod
    def over(cls, query: Query, dtype: torch.dtype) -> Self:
        """Return the sums over no points; a row that is not finite starts, and stays, at NaN."""
        lowest = torch.full_like(query.roundoff, torch.finfo(dtype).min, dtype=dtype)
        lowest.masked_fill_(query.roundoff.isnan(), math.nan)
        return cls(lowest, torch.zeros_like(lowest), torch.zeros_like(query.x, dtype=dtype))

    def rise(self, peak: Float[Tensor, " rows"]) -> None:
        """Raise the peaks to `peak` where that is larger."""
        higher = torch.maximum(self.peak, peak)
        shrink = _weights(self.peak - higher)
        self.total.mul_(shrink)
        self.weighted.mul_(shrink.unsqueeze(1))
        self.peak.copy_(higher)

    def add_block(self, logits: Float[Tensor, "rows block"], points: Float[Tensor, "block d"]) -> None:
        """Add points that every row meets; overwrites the logits."""
        self.rise(logits.amax(1))
        weights = _weights(logits.sub_(self.peak.unsqueeze(1)))
        self.total.add_(weights.sum(1))
        self.weighted.addmm_(weights, points)

    def add_pairs(self, pairs: Pairs, query: Query) -> None:
        """Add points to the rows they are paired with, by their exact logits."""
        logits = query.exact(pairs)
        self.rise(_row_maxima(logits, pairs.row, len(query.x)))
        weights = _weights(logits.sub_(self.peak[pairs.row]))
        points = query.cloud.points[pairs.point].double()
        self.total.index_add_(0, pairs.row, weights)
        self.weighted.index_add_(0, pairs.row, points.mul_(weights.unsqueeze(1)))

    def posterior(self, offset: Float[Tensor, " rows"] | float = 0.0) -> Posterior:
        """Return the log-sum, with the part of the logits that was left out, and the mean."""
        log_sum = self.peak.double() + self.total.double().log() + offset
        return Posterior(log_sum, self.weighted / self.total.unsqueeze(1))


def posterior(query: Query) -> Posterior:
    """Return log-sum and posterior mean of each row: the mean within 1e-3 of the points' range, in float32 too."""
    rough = bool((query.roundoff > _TOLERANCE).any())
    return sharp(query) if rough else smooth(query)


def smooth(query: Query) -> Posterior:
    """Return the posterior by two matrix products a block, in the dtype of the rows."""
    running = _Running.over(query, query.x.dtype)
    for block, logits in query.blocks():
        running.add_block(logits, query.cloud.points[block])
    return running.posterior(query.offset)


def sharp(query: Query) -> Posterior:
    """Return the posterior over the points that screening leaves, in float64."""
    running, wide = _Running.over(query, torch.float64), query.wide()
    neglected = math.log(len(query.cloud.points) / torch.finfo(query.x.dtype).eps)
    for part, pairs in screened(query, neglected):
        if len(pairs.row) > _FEW * len(query.x) * len(part.points):
            block = part.wide()
            running.add_block(wide.products(block).add_(query.offset.unsqueeze(1)), block.points)
        else:
            for few in pairs.parts(query.x.shape[1]):
                running.add_pairs(few, query)
    return running.posterior()


def nearest(query: Query) -> Int[Tensor, " rows"]:
    """Return the index of the point with the largest logit, the first of equals; -1 where the row is not finite."""
    best = torch.full_like(query.roundoff, -math.inf)
    index = torch.full_like(best, -1, dtype=torch.int64)
    for _, pairs in screened(query, 0.0):
        for few in pairs.parts(query.x.shape[1]):
            logits = query.exact(few)
            peak = _row_maxima(logits, few.row, len(query.x))
            top = logits == peak[few.row]
            first = torch.full_like(index, len(query.cloud.points))
            first.scatter_reduce_(0, few.row[top], few.point[top], "amin")
            index = torch.where(peak > best, first, index)
            best = torch.maximum(best, peak)
    return index


def screened(query: Query, neglected: float) -> Iterator[tuple[Cloud, Pairs]]:
    """Yield, block by block, every pair whose logit may lie within `neglected` of its row's largest.

    The products err by at most `roundoff`, at the pair and at the largest: hence twice that in the threshold.
    """
    window = (2 * query.roundoff + neglected).to(query.x.dtype)
    top = torch.full_like(window, -math.inf)
    for block, logits in query.blocks():
        top = torch.maximum(top, logits.amax(1))
        row, column = (logits > (top - window).unsqueeze(1)).nonzero(as_tuple=True)
        yield query.cloud.part(block), Pairs(row, column + block.start)


def _weights(logits: Float[Tensor, " *shape"]) -> Float[Tensor, " *shape"]:
    """Return `exp(logits)` in place, below 1e-30 exactly 0: denormal numbers slow exp and products several times."""
    return threshold(logits.clamp_min_(-70).exp_(), 1e-30, 0.0, inplace=True)


def _row_maxima(values: Float[Tensor, " pairs"], row: Int[Tensor, " pairs"], count: int) -> Float[Tensor, " rows"]:
    """Return the largest value of each of `count` rows, -inf where a row has none."""
    return values.new_full((count,), -math.inf).scatter_reduce_(0, row, values, "amax")
