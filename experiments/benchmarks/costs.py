"""What a piece of work costs on a machine that runs other work too: CPU time, and bytes.

Two works run in turn, A B A B ..., and each pair gives one ratio A / B of CPU times. Of `n`
independent ratios, those of rank `k` and `n + 1 - k` enclose the median with a binomial
probability, whatever the distribution. A load that lasts longer than a pair cancels in its ratio.
Bytes are those that torch's operations allocate.
"""

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import Field, NonNegativeInt
from scipy import stats
from torch.autograd.profiler import profile

from ams.statistics import CONFIDENCE, Interval
from samplercheck.sampler import one_thread
from verdicts import Measurement
from verdicts.validation import Frozen

Work = Callable[[], object]
FEWEST_PAIRS = 8
"""Fewer values have no two ranks that enclose the median with 99 %."""


Pairs = Annotated[int, Field(ge=FEWEST_PAIRS)]
"""A number of interleaved pairs in settings."""


class TimingSettings(Frozen):
    """What the settings of all benchmarks share: the seed of starts and noise."""

    seed: NonNegativeInt = 7


def cpu_seconds(work: Work) -> float:
    """Return the CPU seconds that `work` takes, summed over all threads of the process."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


@contextmanager
def undisturbed() -> Iterator[None]:
    """Keep torch to one thread and the garbage collector off inside the block; restore both after
    it.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        with one_thread():
            yield
    finally:
        if collecting:
            gc.enable()


def median_interval(values: Sequence[float]) -> Interval:
    """Return the median of independent values with its interval by order statistics, which covers
    at least as stated.

    There are at least `FEWEST_PAIRS` values, as settings have it.
    """
    n = len(values)
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    rank = max(int(stats.binom.ppf((1 - CONFIDENCE) / 2, n, 0.5)) - 1, 0)
    return Interval(
        float(np.median(ordered)), float(ordered[rank]), float(ordered[n - 1 - rank]), n
    )


def median_measurement(values: Sequence[float], **fields: Any) -> Measurement:
    """Return the median of independent values as a measurement; `fields` are its unit, detail or
    seeds.
    """
    return Measurement(**median_interval(values)._asdict(), **fields)


def in_turn(works: Sequence[Work], rounds: int) -> list[tuple[float, ...]]:
    """Return the CPU seconds of each work in each round, A B A B ..., after one unmeasured
    round.
    """
    with undisturbed():
        return [tuple(cpu_seconds(work) for work in works) for _ in range(rounds + 1)][1:]


def time_ratio(
    numerator: Work, denominator: Work, pairs: int, scale: float = 1.0, **detail: float
) -> Measurement:
    """Return `scale` times the ratio of two CPU times: the median over interleaved pairs, after one
    unmeasured pair.

    The measurement's `detail` gets both median times in milliseconds.
    """
    times = np.array(in_turn((numerator, denominator), pairs))
    first, second = np.round(1e3 * np.median(times, axis=0), 3).tolist()
    medians = {"numerator, ms": first, "denominator, ms": second, "pairs": pairs}
    return median_measurement((scale * times[:, 0] / times[:, 1]).tolist(), detail=medians | detail)


def allocations(work: Work) -> list[int]:
    """Return the bytes that each operation of `work` allocated and did not free at once, from
    torch's profiler.
    """
    with torch.no_grad(), profile(profile_memory=True) as profiled:
        work()
    return [
        event.self_cpu_memory_usage
        for event in profiled.function_events
        if event.self_cpu_memory_usage > 0
    ]
