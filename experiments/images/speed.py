"""Evaluations for a quality: the budget at which a sampler's error first falls to a level, and ratios of such budgets.

A curve is the mean error over batches at each budget, read between budgets on logarithms of both. A level that the
smallest budget has reached already is an upper bound, one that no budget reaches is infinite.

Intervals invert a test: a budget is in the interval unless Student's test, over batches, tells the curve there from the
level (paired where the level is another sampler's error on the same starts). So they cover what they state at the 6 to
14 batches of a run, where a bootstrap's miss 15 to 50 times as often as stated.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from pydantic import JsonValue

from ams.statistics import mean_interval
from verdicts import Measurement
from verdicts.records.figures import Cell

ErrorCurve = Mapping[int, Float[np.ndarray, " batches"]]
"""A positive error of each batch, by evaluations."""
Level = float | Float[np.ndarray, " batches"]
"""The error asked for: a number, or what another sampler has on each batch."""
_BETWEEN = 64  # budgets looked at between two of a curve


class Span(NamedTuple):
    """A number with its interval; infinite where the level is not reached."""

    value: float
    low: float
    high: float


def needed(curve: ErrorCurve, level: float) -> float:
    """Return the evaluations at which the mean over batches first is `level` or less."""
    means = {budget: float(curve[budget].mean()) for budget in sorted(curve)}
    first = next(iter(means))
    if means[first] <= level:
        return float(first)
    for (few, high), (many, low) in pairwise(means.items()):
        if low <= level:
            share = math.log(high / level) / math.log(high / max(low, 1e-12))
            return few * (many / few) ** share
    return math.inf


def _readings(curve: ErrorCurve) -> Iterator[tuple[float, Float[np.ndarray, " batches"]]]:
    """Yield budgets, dense on a logarithm, with an error of each batch whose mean is the curve's reading there."""
    budgets = sorted(curve)
    yield float(budgets[0]), curve[budgets[0]]
    for few, many in pairwise(budgets):
        before, after = curve[few], curve[many]
        for share in np.arange(1, _BETWEEN + 1) / _BETWEEN:
            mean = before.mean() ** (1 - share) * after.mean() ** share
            relative = (1 - share) * before / before.mean() + share * after / after.mean()
            yield few * (many / few) ** float(share), mean * relative


def span(curve: ErrorCurve, level: Level, confidence: float) -> Span:
    """Return the evaluations at which a curve first falls to a level, with the budgets that a test does not exclude.

    Its low end is the smallest budget where that has reached the level, or may have: there it bounds nothing. Its high
    end is infinite where no budget is told to have reached it.
    """
    low, high = float(min(curve)), math.inf
    apart = True
    for budget, errors in _readings(curve):
        found = mean_interval(errors - level, confidence)
        apart = apart and found.low > 0.0
        if apart:
            low = budget
        if found.high < 0.0:
            high = budget
            break
    value = needed(curve, float(np.mean(level)))
    return Span(value, min(low, value), max(high, value))


def ratio(curve: ErrorCurve, baseline: ErrorCurve, level: float, confidence: float) -> tuple[Span, Span]:
    """Return the evaluations for a level, and the baseline's over them.

    The ratio's interval joins the ends of two intervals that each miss half as often: it covers at least as stated.
    """
    halved = (1 + confidence) / 2
    own, theirs = (span(one, level, halved) for one in (curve, baseline))
    value = theirs.value / own.value if math.isfinite(own.value) or math.isfinite(theirs.value) else math.nan
    low = theirs.low / own.high
    high = theirs.high / own.low if math.isfinite(theirs.high) else math.inf
    return span(curve, level, confidence), Span(value, low, high)


def speed_up(
    ours: Float[np.ndarray, " batches"],
    curve: ErrorCurve,
    budget: int,
    confidence: float,
    batch: int = 1,
    seed: int = 0,
) -> Measurement:
    """Return a baseline's evaluations over `budget` at the error that `ours` has there, on the same starts.

    Where its curve does not get there its largest budget stands for its evaluations, and bounds the ratio from below;
    the detail has that reach. `batch` is the samples of each batch, `seed` that of the runs: they are only recorded.
    """
    reach = max(curve) / budget
    value, low, high = (min(end / budget, reach) for end in span(curve, ours, confidence))
    detail: dict[str, JsonValue] = {"budget": budget, "reach of the baseline": reach}
    return Measurement(value=value, low=low, high=high, n=len(ours) * batch, seeds=(seed,), detail=detail)


def shown(number: float) -> Cell:
    """Return a table's cell: three digits, or what stands for a level that was not reached."""
    if math.isnan(number):
        return "neither"
    return "not reached" if math.isinf(number) else float(f"{number:.3g}")
