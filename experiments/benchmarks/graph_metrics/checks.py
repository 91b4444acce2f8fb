"""T9: the published graph metrics against pairwise earth mover's distances and a subprocess for each graph.

The peer is kinder than what it stands for. Its distances are SciPy's on the line, which sorts, where the published
evaluation solves a transport problem; its subprocess counts nothing, and only the time to start one is counted. It does
one part in 32 of the work, the same of both, and its time is scaled.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt
from scipy.stats import wasserstein_distance

from ams.data import Graph
from ams.metrics.mmd import biased_within, mmd_squared
from experiments.benchmarks import timing
from experiments.graphs.data import community_small
from experiments.graphs.statistics import CLUSTER, DEGREE, SPECTRAL, STATISTICS
from verdicts import Measurement, check

PARTS = 32


class Settings(BaseModel):
    """Graphs a set (a multiple of 32), pairs of runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    graphs: PositiveInt = 128
    pairs: PositiveInt = 12
    seed: NonNegativeInt = 7


def metrics(reference: Sequence[Graph], generated: Sequence[Graph]) -> list[float]:
    """Return the four published MMDs of two sets, from the graphs."""
    first = len(reference)
    x = np.repeat([1.0, 0.0], [first, len(generated)])
    listed = [*reference, *generated]
    return [float(mmd_squared(statistic.kernel(listed), x, 1 - x, biased_within)) for statistic in STATISTICS]


def transported(first: np.ndarray, second: np.ndarray) -> float:
    """Return a part of the sum of the kernels of all pairs of histograms, one transport a pair."""
    places, total = np.arange(first.shape[1]), 0.0
    for one in first[: len(first) // PARTS]:
        for other in second:
            total += float(np.exp(-(wasserstein_distance(places, places, one, other) ** 2) / 2))
    return total


@check("T9.time")
def against_pairs_and_subprocesses(settings: Settings) -> Measurement:
    """CPU time of a pair-by-pair evaluation over that of all four metrics."""
    listed = community_small(2 * settings.graphs, settings.seed)
    reference, generated = listed[: settings.graphs], listed[settings.graphs :]
    histograms = [np.diff(one.describe(listed), axis=1, prepend=0.0).clip(0.0) for one in (DEGREE, CLUSTER, SPECTRAL)]
    nothing = shutil.which("true") or "true"

    def peer() -> None:
        for rows in histograms:
            one, other = rows[: settings.graphs], rows[settings.graphs :]
            for pair in ((one, one), (other, other), (one, other)):
                transported(*pair)
        for _ in range(len(listed) // PARTS):
            subprocess.run([nothing], check=True, capture_output=True)

    return timing.ratio(peer, lambda: metrics(reference, generated), settings.pairs, PARTS, graphs=settings.graphs)
