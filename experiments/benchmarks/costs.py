"""What a piece of work costs on a machine that runs other work too: CPU time, and bytes.

Two works run in turn, A B A B ..., and each pair gives one ratio A / B of CPU times. Of `n`
independent ratios, those of rank `k` and `n + 1 - k` enclose the median with a binomial
probability, whatever the distribution. A load that lasts longer than a pair cancels in its ratio.
Bytes are those that torch's operations allocate, and those alive at once.
"""

import gc
import time
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import Field, NonNegativeInt
from scipy import stats
from torch import Tensor
from torch.autograd.profiler import profile
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

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
    """Keep torch to one thread and the garbage collector off inside the block; restore both
    after it.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        with one_thread():
            yield
    finally:
        if collecting:
            gc.enable()


def median_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """Return the median of independent values with its interval by order statistics, which covers
    at least as stated.

    There are at least `FEWEST_PAIRS` values, as settings have it.
    """
    n = len(values)
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    rank = max(int(stats.binom.ppf((1 - confidence) / 2, n, 0.5)) - 1, 0)
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


def median_seconds(work: Work, runs: int) -> float:
    """Return the median CPU seconds of `runs` runs of `work`, after one unmeasured run."""
    return float(np.median(in_turn((work,), runs)))


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


class LiveBytes(TorchDispatchMode):
    """Counts the bytes of storages that operations returned and a tensor still refers to: `now`,
    and their `peak`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._references: Counter[int] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the operation and count the storages of its results."""
        result = func(*args, **(kwargs or {}))
        tensors = (value for value in tree_leaves(result) if isinstance(value, Tensor))
        for tensor in {id(tensor): tensor for tensor in tensors}.values():
            storage = tensor.untyped_storage()
            if storage.nbytes():
                self._add(tensor, storage.data_ptr(), storage.nbytes())
        return result

    def _add(self, tensor: Tensor, address: int, size: int) -> None:
        if not self._references[address]:
            self.now += size
            self.peak = max(self.peak, self.now)
        self._references[address] += 1
        weakref.finalize(tensor, self._remove, address, size)

    def _remove(self, address: int, size: int) -> None:
        self._references[address] -= 1
        if not self._references[address]:
            self.now -= size
