import numpy as np
import pytest

from experiments.benchmarks.graph_metrics import checks as graph_metrics
from experiments.benchmarks.small import judged, told
from experiments.graphs.data import community_small
from experiments.graphs.discrepancy import estimates
from experiments.graphs.statistics import CLUSTER, STATISTICS
from verdicts.claims.schema import Verdict

SMALL = graph_metrics.Settings(graphs=32, pairs=6)


def test_slower_metrics_break_t9(monkeypatch):
    """Falsifier of T9: a clock by which a 32nd of the peer's work takes 3 times what all of ours does."""
    assert judged("T9", "T9.time", SMALL, monkeypatch, 3.0) is Verdict.REFUTED
    assert judged("T9", "T9.time", SMALL, monkeypatch, 3.2) is Verdict.HOLDS


def test_the_clock_s_ratio_is_scaled_to_the_whole_of_the_peer(monkeypatch):
    told(monkeypatch, 3.0, 1.0)
    assert graph_metrics.against_pairs_and_subprocesses(SMALL).value == 3.0 * graph_metrics.PARTS


def test_what_is_timed_is_what_is_published():
    listed = community_small(24, seed=0)
    expected = [estimates(one, listed[:12], listed[12:], seed=0).value for one in STATISTICS]
    assert graph_metrics.metrics(listed[:12], listed[12:]) == pytest.approx(expected, abs=1e-12)


def test_the_peer_s_parts_are_of_the_same_kernel():
    """All 32 parts, one row each, sum to the kernel of every pair, which is ours at width 1 and in bins."""
    listed = community_small(32, seed=0)
    functions = CLUSTER.describe(listed)
    histograms = np.diff(functions, axis=1, prepend=0.0).clip(0.0)
    total = sum(graph_metrics.transported(np.roll(histograms, shift, axis=0), histograms) for shift in range(32))
    assert total == pytest.approx(CLUSTER._replace(width=1.0, scale=1.0).kernel(listed).sum(), rel=1e-9)
