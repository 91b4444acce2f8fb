"""Timing on a machine that others use too: CPU time, ratios of interleaved pairs, a distribution-free interval.

Of `n` pairs A B A B ... the ratios A/B have a median; the ratios of rank `k` and `n + 1 - k` enclose the true median
with a probability that is binomial, whatever the noise's distribution. A load that lasts longer than a pair cancels.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from scipy import stats

from ams.statistics import Interval
from verdicts.claims.measurement import Measurement

Work = Callable[[], object]
FEWEST_PAIRS = 6  # below it no two ranks enclose the median with 95 %


def seconds(work: Work) -> float:
    """Return the CPU seconds (all threads of the process) that `work` takes."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


@contextmanager
def undisturbed() -> Iterator[None]:
    """Keep torch to one thread and the collector of garbage off; put back what was there."""
    threads, collecting = torch.get_num_threads(), gc.isenabled()
    torch.set_num_threads(1)
    gc.disable()
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        if collecting:
            gc.enable()


def median_interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """Return the median of independent values with its interval by order statistics, which covers at least as stated.

    Raises ValueError for fewer than `FEWEST_PAIRS` values.
    """
    n = len(values)
    if n < FEWEST_PAIRS:
        raise ValueError(f"an interval of a median needs at least {FEWEST_PAIRS} values, got {n}")
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    rank = max(int(stats.binom.ppf((1 - confidence) / 2, n, 0.5)) - 1, 0)
    return Interval(float(np.median(ordered)), float(ordered[rank]), float(ordered[n - 1 - rank]), n)


def ratio(one: Work, other: Work, pairs: int, scale: float = 1.0, **detail: float) -> Measurement:
    """Return the ratio of CPU times `one / other`, times `scale`: the median over interleaved pairs, after a warm-up.

    `detail` gets both medians in milliseconds.
    """
    with undisturbed():
        for work in (one, other):
            work()
        times = np.array([(seconds(one), seconds(other)) for _ in range(pairs)])
    found = median_interval(list(scale * times[:, 0] / times[:, 1]))
    first, second = (1e3 * np.median(times, axis=0)).tolist()
    told = {"one, ms": round(first, 3), "other, ms": round(second, 3), "pairs": pairs, **detail}
    return Measurement(value=found.value, low=found.low, high=found.high, n=pairs, detail=told)


def typical(work: Work, runs: int) -> Interval:
    """Return the CPU seconds of `work`: the median over `runs`, after a warm-up."""
    with undisturbed():
        work()
        return median_interval([seconds(work) for _ in range(runs)])
