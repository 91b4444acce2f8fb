import gc
import math

import pytest
import torch
from scipy import stats

from experiments.benchmarks import timing
from experiments.benchmarks.small import told


@pytest.mark.parametrize("n", [6, 7, 15, 25, 31, 100])
def test_the_ranks_enclose_the_median_as_often_as_stated(n):
    found = timing.median_interval([float(i) for i in range(1, n + 1)])
    rank = int(found.low)
    assert found.high == n + 1 - rank
    miss = 2 * stats.binom.cdf(rank - 1, n, 0.5)
    assert miss <= 0.05
    assert rank > 1 or n < 9
    assert 2 * stats.binom.cdf(rank + 1, n, 0.5) > 0.05, "two ranks further in would not do: the interval is not idle"


def test_too_few_pairs_are_refused():
    with pytest.raises(ValueError, match="at least 6 values, got 5"):
        timing.median_interval([1.0] * 5)


def test_a_ratio_is_of_pairs_in_turn_and_each_is_warmed_up(monkeypatch):
    told(monkeypatch, 3.0, 2.0)
    calls = []
    found = timing.ratio(lambda: calls.append("a"), lambda: calls.append("b"), 8, scale=2.0, steps=5)
    assert "".join(calls) == "ab" * 9
    assert (found.value, found.low, found.high, found.n) == (3.0, 3.0, 3.0, 8)
    assert found.detail["one, ms"] == 3000.0 and found.detail["steps"] == 5


def test_threads_and_the_collector_are_put_back():
    before = torch.get_num_threads()
    with pytest.raises(RuntimeError, match="stop"), timing.undisturbed():
        assert torch.get_num_threads() == 1 and not gc.isenabled()
        raise RuntimeError("stop")
    assert torch.get_num_threads() == before and gc.isenabled()


def test_the_clock_counts_work_and_not_sleep():
    assert timing.seconds(lambda: sum(math.sqrt(i) for i in range(200_000))) > 0.0
