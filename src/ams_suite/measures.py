"""From numbers of batches to measurements: means, paired differences and ratios of evaluations,
with Student intervals.

Samples of a batch may be coupled (adaptive momentum's norms average over them), so batches are the
independent units.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from pydantic import JsonValue

from ams.statistics import Interval, Order, mean_interval
from ams.statistics.nfe_to_threshold import BatchErrors, nfe_interval
from verdicts import Measurement


def largest(
    values: Sequence[float] | np.ndarray, seed: int | None = None, **detail: JsonValue
) -> Measurement:
    """Return the largest of some exact values; `seed` is that of the points at which they are
    computed.
    """
    seeds = () if seed is None else (seed,)
    return Measurement(value=float(np.max(values)), n=len(values), seeds=seeds, detail=detail)


def of_interval(
    interval: Interval, seed: int | None = None, batch: int = 1, unit: str = "", **detail: JsonValue
) -> Measurement:
    """Return an interval over batches of `batch` samples as a measurement; `n` counts the
    samples.
    """
    return Measurement(
        value=interval.value,
        low=interval.low,
        high=interval.high,
        n=interval.n * batch,
        seeds=() if seed is None else (seed,),
        unit=unit,
        detail=detail,
    )


def mean_of(
    values: Sequence[float],
    confidence: float,
    seed: int,
    batch: int = 1,
    unit: str = "",
    **detail: JsonValue,
) -> Measurement:
    """Return the mean over batches. Raises ValueError for fewer than two."""
    return of_interval(mean_interval(values, confidence), seed, batch, unit, **detail)


def mean_difference(
    ours: Sequence[float],
    theirs: Sequence[float],
    confidence: float,
    seed: int,
    batch: int = 1,
    **detail: JsonValue,
) -> Measurement:
    """Return the mean of `ours - theirs`, batch by batch: both have the same starts and noise."""
    differences = [one - other for one, other in zip(ours, theirs, strict=True)]
    return mean_of(differences, confidence, seed, batch, "", **detail)


def speed_up(
    ours: Sequence[float],
    curve: BatchErrors,
    budget: int,
    confidence: float,
    seed: int,
    batch: int = 1,
    **detail: JsonValue,
) -> Measurement:
    """Return a baseline's evaluations over `budget`, for the error that `ours` has there on the
    same starts.

    Where the baseline's `curve` does not get there its largest budget stands for its evaluations,
    and bounds the ratio from below; the detail has that limit.
    """
    limit = max(curve) / budget
    value, low, high = (
        min(end / budget, limit) for end in nfe_interval(curve, np.asarray(ours), confidence)
    )
    known: dict[str, JsonValue] = {
        "budget": budget,
        "largest ratio that could be seen": limit,
        **detail,
    }
    return Measurement(
        value=value, low=low, high=high, n=len(ours) * batch, seeds=(seed,), detail=known
    )


def geometric_mean_ratio(
    ours: Sequence[float] | np.ndarray,
    theirs: Sequence[float] | np.ndarray,
    confidence: float,
    seed: int,
    **detail: JsonValue,
) -> Measurement:
    """Return the geometric mean of `ours / theirs`, pair by pair, with Student's interval of its
    logarithm.
    """
    logarithm = mean_interval(np.log(np.asarray(ours) / np.asarray(theirs)), confidence)
    value, low, high = np.exp(logarithm[:3])
    return Measurement(value=value, low=low, high=high, n=logarithm.n, seeds=(seed,), detail=detail)


def over_choices(repeats: Sequence[Measurement]) -> Measurement:
    """Return the mean of an experiment's repeats, each with hyperparameters chosen anew.

    Its interval has all of theirs, so an inequality is decided where each choice decides it alike.
    """
    of_each: JsonValue = [[one.value, *one.interval] for one in repeats]
    return Measurement(
        value=float(np.mean([one.value for one in repeats])),
        low=min(one.interval[0] for one in repeats),
        high=max(one.interval[1] for one in repeats),
        n=repeats[0].n,
        seeds=repeats[0].seeds,
        unit=repeats[0].unit,
        detail={**repeats[0].detail, "each choice": of_each},
    )


def of_order(order: Order, **detail: JsonValue) -> Measurement:
    """Return an order of convergence, with its interval, as a measurement; `n` counts the steps
    that it rests on.
    """
    return Measurement(
        value=order.value, low=order.low, high=order.high, n=len(order.steps), detail=detail
    )


def named_extreme(
    values: Mapping[str, float], extreme: Callable[[Iterable[float]], float] = max
) -> Measurement:
    """Return the largest, or with `min` the smallest, of some exact values; the detail has each
    under its name.
    """
    return Measurement(value=float(extreme(values.values())), n=len(values), detail=dict(values))
