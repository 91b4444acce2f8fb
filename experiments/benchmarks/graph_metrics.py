"""T9: the published graph metrics against pairwise earth mover's distances and a subprocess for each graph.

The comparison favours the pairwise evaluation: its distances are SciPy's on the line, which sorts, where the published
evaluation solves a transport problem; its subprocess only starts and counts nothing. It does one part in 32 of the
work, and its time is scaled.
"""

import shutil
import subprocess
from collections.abc import Sequence

import numpy as np
from scipy.stats import wasserstein_distance

from ams.data import Graph
from ams.metrics.mmd import biased_within, mmd_squared
from experiments.benchmarks.settings import Settings
from experiments.benchmarks.timing import time_ratio
from experiments.graphs.data import community_small
from experiments.graphs.statistics import CLUSTER, DEGREE, SPECTRAL, STATISTICS
from verdicts import Measurement

PARTS = 32


def metrics(reference: Sequence[Graph], generated: Sequence[Graph]) -> list[float]:
    """Return the four published squared MMDs of two sets of graphs."""
    x = np.repeat([1.0, 0.0], [len(reference), len(generated)])
    graphs = [*reference, *generated]
    return [float(mmd_squared(statistic.kernel(graphs), x, 1 - x, biased_within)) for statistic in STATISTICS]


def kernel_sum(first: np.ndarray, second: np.ndarray) -> float:
    """Return the sum of `exp(-W1^2 / 2)` over pairs of histograms: one row in 32 of `first`, all rows of `second`."""
    places, total = np.arange(first.shape[1]), 0.0
    for one in first[: len(first) // PARTS]:
        for other in second:
            total += float(np.exp(-(wasserstein_distance(places, places, one, other) ** 2) / 2))
    return total


def pairwise_time_over_metrics(settings: Settings) -> Measurement:
    """Measure the CPU time of a pair-by-pair evaluation over that of all four metrics from their kernels."""
    graphs = community_small(2 * settings.metric_graphs, settings.seed)
    reference, generated = graphs[: settings.metric_graphs], graphs[settings.metric_graphs :]
    histograms = [np.diff(one.describe(graphs), axis=1, prepend=0.0).clip(0.0) for one in (DEGREE, CLUSTER, SPECTRAL)]
    nothing = shutil.which("true") or "true"

    def pairwise() -> None:
        for rows in histograms:
            one, other = rows[: settings.metric_graphs], rows[settings.metric_graphs :]
            for pair in ((one, one), (other, other), (one, other)):
                kernel_sum(*pair)
        for _ in range(len(graphs) // PARTS):
            subprocess.run([nothing], check=True, capture_output=True)

    return time_ratio(
        pairwise, lambda: metrics(reference, generated), settings.metric_pairs, PARTS, graphs=settings.metric_graphs
    )
