import gc

import pytest
import torch
from scipy import stats

from experiments.benchmarks import timing
from tests.experiments.benchmarks.tools import set_clock


@pytest.mark.parametrize("n", [8, 9, 15, 25, 31, 100])
def test_the_ranks_enclose_the_median_as_often_as_stated(n):
    interval = timing.median_interval([float(i) for i in range(1, n + 1)])
    rank = int(interval.low)
    assert interval.high == n + 1 - rank
    miss = 2 * stats.binom.cdf(rank - 1, n, 0.5)
    assert miss <= 0.01
    assert rank > 1 or n < 12
    assert 2 * stats.binom.cdf(rank + 1, n, 0.5) > 0.01, "ranks two further in miss too often: the interval is tight"


def test_pairs_are_interleaved_after_a_warm_up(monkeypatch):
    set_clock(monkeypatch, 3.0, 2.0)
    calls = []
    ratio = timing.time_ratio(lambda: calls.append("a"), lambda: calls.append("b"), 8, scale=2.0, steps=5)
    assert "".join(calls) == "ab" * 9
    assert (ratio.value, ratio.low, ratio.high, ratio.n) == (3.0, 3.0, 3.0, 8)
    assert ratio.detail == {"numerator, ms": 3000.0, "denominator, ms": 2000.0, "pairs": 8, "steps": 5}


def test_threads_and_the_collector_are_restored():
    before = torch.get_num_threads()
    with pytest.raises(RuntimeError, match="stop"), timing.undisturbed():
        assert torch.get_num_threads() == 1 and not gc.isenabled()
        raise RuntimeError("stop")
    assert torch.get_num_threads() == before and gc.isenabled()
