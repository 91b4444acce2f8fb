"""T7, T9: what sampling graphs costs in two formulations, and the time of the published graph
metrics.

T7 compares runs of one sampler in two formulations: packed (real nodes and pairs alone) and padded,
as published. Both run the same loop and steps from equal starts with equally much noise. Padded, a
state is (batch, N, F) and (batch, N, N), with N the data set's largest graph. Weights too small to
matter are zero in both formulations: as published, subnormal products make the padded one up to
twice as slow again.

T9 compares the metrics with pairwise earth mover's distances and a subprocess for each graph. This
favours the pairwise evaluation: its distances are SciPy's on the line, which sorts, where the
published evaluation solves a transport problem; its subprocess only starts and counts nothing. It
does one part in 32 of the work, and its time is scaled.
"""

import shutil
import subprocess
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from scipy.stats import wasserstein_distance
from torch import Tensor

from ams.data import Graph, weights
from ams.metrics.mmd import biased_within, mmd_squared
from ams.samplers import Particles
from experiments.benchmarks import padded_networks as padded
from experiments.benchmarks.costs import time_ratio
from experiments.benchmarks.settings import Settings
from experiments.graphs.checkpoints import Networks, tensors_of, without_dust
from experiments.graphs.data import community_small, published, sizes
from experiments.graphs.generation import PUBLISHED, Setting, halves
from experiments.graphs.graph_layout import Layout
from experiments.graphs.samplers import Denoised, Half, coupled, denoised_end
from experiments.graphs.statistics import CLUSTER, DEGREE, SPECTRAL, STATISTICS
from experiments.graphs.systems import CoupledScore, scores, scores_of
from verdicts import Measurement

GraphSampling = Callable[[], Denoised]


class Problem(NamedTuple):
    """A data set's published sampler in `steps` steps, its networks, and the numbers of nodes of a
    batch.
    """

    setting: Setting
    networks: Networks
    sizes: tuple[int, ...]
    steps: int
    seed: int


def published_problem(name: str, batch: int, steps: int, seed: int) -> Problem:
    """Return a data set's problem with the authors' networks; graphs have the sizes of random
    training graphs.

    Raises DataUnavailable without the files.
    """
    setting = PUBLISHED[name]
    drawn = tuple(sizes(published(name).train, batch, seed))
    return Problem(setting, setting.networks(), drawn, steps, seed)


def _sampled(problem: Problem, features: Half, adjacency: Half) -> Denoised:
    return denoised_end(coupled(problem.setting.plan(problem.steps), features, adjacency))


def packed_run(problem: Problem) -> GraphSampling:
    """Return a run on packed graphs."""
    layout = Layout.of(problem.sizes)
    both = scores(problem.networks, problem.setting.pair, layout)
    return lambda: _sampled(problem, *halves(both, layout, problem.setting.features, problem.seed))


def padded_run(problem: Problem) -> GraphSampling:
    """Return a run on padded graphs: norms are over whole padded samples."""
    side, width = problem.setting.largest, problem.setting.features
    real = (torch.arange(side) < torch.tensor(problem.sizes)[:, None]).float()
    both = padded_scores(problem.setting, real)
    shapes = (len(real), side, width), (len(real), side, side)

    def run() -> Denoised:
        generator = torch.Generator().manual_seed(problem.seed)

        def rows(x: Tensor) -> Tensor:
            return padded.mask_rows(torch.empty_like(x).normal_(generator=generator), real)

        def pairs(x: Tensor) -> Tensor:
            return padded.mask_pairs(
                padded.symmetric(torch.empty_like(x).normal_(generator=generator)), real
            )

        features, adjacency = (
            Half(noise(torch.empty(shape)), score, noise, Particles())
            for shape, score, noise in zip(shapes, both, (rows, pairs), strict=True)
        )
        return _sampled(problem, features, adjacency)

    return run


def published_tensors(setting: Setting) -> list[dict[str, Tensor]]:
    """Return the tensors of the features network and of the adjacency network, by their published
    names.
    """
    content = weights(setting.checkpoint)
    both = [tensors_of(content, part, setting.averaged) for part in ("x", "adj")]
    return [{name: without_dust(tensor) for name, tensor in named.items()} for named in both]


def padded_scores(setting: Setting, real: Tensor) -> tuple[CoupledScore, CoupledScore]:
    """Return the scores of features and adjacency in the padded formulation."""
    features, adjacency = published_tensors(setting)
    return scores_of(
        partial(padded.features_network, real=real, parameters=features),
        partial(padded.adjacency_network, real=real, parameters=adjacency),
        setting.pair,
    )


def padded_time_over_packed(settings: Settings, name: str) -> Measurement:
    """Measure the CPU time of a padded run over that of a packed run on a data set."""
    problem = published_problem(
        name, settings.graph_batches[name], settings.graph_steps, settings.seed
    )
    nodes = {"mean_nodes": float(np.mean(problem.sizes)), "padded_nodes": problem.setting.largest}
    return time_ratio(padded_run(problem), packed_run(problem), settings.graph_pairs, **nodes)


PARTS = 32


def metrics(reference: Sequence[Graph], generated: Sequence[Graph]) -> list[float]:
    """Return the four published squared MMDs of two sets of graphs."""
    x = np.repeat([1.0, 0.0], [len(reference), len(generated)])
    graphs = [*reference, *generated]
    return [
        float(mmd_squared(statistic.kernel(graphs), x, 1 - x, biased_within))
        for statistic in STATISTICS
    ]


def kernel_sum(first: np.ndarray, second: np.ndarray) -> float:
    """Return the sum of `exp(-W1^2 / 2)` over pairs of histograms: one row in 32 of `first`, all
    rows of `second`.
    """
    places, total = np.arange(first.shape[1]), 0.0
    for one in first[: len(first) // PARTS]:
        for other in second:
            total += float(np.exp(-(wasserstein_distance(places, places, one, other) ** 2) / 2))
    return total


def pairwise_time_over_metrics(settings: Settings) -> Measurement:
    """Measure the CPU time of a pair-by-pair evaluation over that of all four metrics from their
    kernels.
    """
    graphs = community_small(2 * settings.metric_graphs, settings.seed)
    reference, generated = graphs[: settings.metric_graphs], graphs[settings.metric_graphs :]
    histograms = [
        np.diff(one.describe(graphs), axis=1, prepend=0.0).clip(0.0)
        for one in (DEGREE, CLUSTER, SPECTRAL)
    ]
    nothing = shutil.which("true") or "true"

    def pairwise() -> None:
        for rows in histograms:
            one, other = rows[: settings.metric_graphs], rows[settings.metric_graphs :]
            for pair in ((one, one), (other, other), (one, other)):
                kernel_sum(*pair)
        for _ in range(len(graphs) // PARTS):
            subprocess.run([nothing], check=True, capture_output=True)

    return time_ratio(
        pairwise,
        lambda: metrics(reference, generated),
        settings.metric_pairs,
        PARTS,
        graphs=settings.metric_graphs,
    )
