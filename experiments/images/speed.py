"""Evaluations for a quality: the budget at which a sampler's error first falls to a level, and ratios of such budgets.

A curve is the mean error over batches at each budget, read between budgets on logarithms of both. A level that the
smallest budget has reached already is an upper bound, one that no budget reaches is infinite. Intervals come from
resampled batches; the batches of two samplers share their noise and are drawn together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ams.ledger.figures import Cell

Curve = Mapping[int, Float[np.ndarray, " batches"]]
"""A positive error of each batch, by evaluations."""
RESAMPLES = 1000


class Span(NamedTuple):
    """A number with its interval; infinite where the level is not reached."""

    value: float
    low: float
    high: float


def needed(curve: Curve, level: float, rows: np.ndarray | None = None) -> float:
    """Return the evaluations at which the mean over batches `rows` (all of them) first is `level` or less."""
    before: tuple[int, float] | None = None
    for budget in sorted(curve):
        errors = curve[budget] if rows is None else curve[budget][rows]
        error = float(errors.mean())
        if error <= level:
            return float(budget) if before is None else _between(before, (budget, error), level)
        before = budget, error
    return math.inf


def _between(before: tuple[int, float], after: tuple[int, float], level: float) -> float:
    (few, high), (many, low) = before, after
    share = math.log(high / level) / math.log(high / max(low, 1e-12))
    return few * (many / few) ** share


def spans(curve: Curve, baseline: Curve, level: float, confidence: float, seed: int) -> tuple[Span, Span]:
    """Return the evaluations for a level, and the baseline's over them, with bootstrap intervals over batches.

    A ratio of two infinite numbers is not a number; where it occurs among the resamples it counts as either end.
    """
    batches = len(next(iter(curve.values())))
    drawn = np.random.default_rng(seed).integers(0, batches, (RESAMPLES, batches))
    own = np.array([needed(curve, level, rows) for rows in drawn])
    other = np.array([needed(baseline, level, rows) for rows in drawn])
    with np.errstate(invalid="ignore"):
        ratios = other / own
    value, theirs = needed(curve, level), needed(baseline, level)
    ratio = theirs / value if math.isfinite(value) or math.isfinite(theirs) else math.nan
    return _span(value, own, confidence), _span(ratio, ratios, confidence)


def _span(value: float, drawn: np.ndarray, confidence: float) -> Span:
    tail = (1 - confidence) / 2
    low = float(np.quantile(np.nan_to_num(drawn, nan=0.0, posinf=1e9), tail))
    high = float(np.quantile(np.nan_to_num(drawn, nan=1e9, posinf=1e9), 1 - tail))
    return Span(value, min(low, value), max(high, value))


def shown(number: float) -> Cell:
    """Return a table's cell: three digits, or what stands for a level that was not reached."""
    if math.isnan(number):
        return "neither"
    return "not reached" if number >= 1e8 else float(f"{number:.3g}")
