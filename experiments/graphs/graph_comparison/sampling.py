r"""Runs of the samplers: the graphs at their end, and the residual variance of the adjacency on the
way.

Near the end of a run the distribution of an adjacency entry is known, given the edge that it
becomes: `N(r a, sigma^2)` with `a` in {0, 1}, `r` the mean factor. So the residual variance

    V = mean over pairs of (A_t - r [A_t > r / 2])^2 / sigma^2

is 1 for the forward process, whatever the graphs (to 1e-4 at `t = 0.1`, where `r / 2` is four
sigma). Above 1 the sampler lags behind the noise level, or is undecided between an edge and none;
below 1 its variance is too small.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ams.data import Graph
from ams.schedules import Level
from experiments.graphs import samplers
from experiments.graphs.checkpoints import Networks
from experiments.graphs.data import thresholded
from experiments.graphs.generation import END, PUBLISHED, Coupling, halves
from experiments.graphs.graph_comparison.presets import Preset
from experiments.graphs.graph_layout import Layout
from experiments.graphs.ragged_batch import RaggedBatch, RaggedBatches
from experiments.graphs.systems import scores

SETTING = PUBLISHED["community_small"]
OBSERVED = 0.1
"""The time at which the residual variance is taken."""


class Batches(NamedTuple):
    """Graphs of `sizes` nodes; norms are averaged over batches of `batch`; `seed` fixes start and
    noise.
    """

    sizes: Sequence[int]
    batch: int
    seed: int


def sampled(
    both: Networks, sampler: Preset, steps: int, snr: float, scale_eps: float, batches: Batches
) -> tuple[list[Graph], Float[Tensor, " graphs"]]:
    """Return a run's graphs, isolated nodes included, and their residual variances. Raises
    NonFiniteState.

    The processes and features are those of community_small.
    """
    pair, features = SETTING.pair, SETTING.features
    layout = Layout.of(batches.sizes)
    coupling = RaggedBatches if sampler.per_graph else coupling_of(layout, batches.batch)
    start = halves(scores(both, pair, layout), layout, features, batches.seed, coupling)
    levels = pair.adjacency.levels(steps, END)
    step = min(range(steps), key=lambda number: abs(levels[number].t - OBSERVED))
    # the round of the predictor's step
    observed, variances = (
        (step + 1) * sampler.evaluations - 1,
        torch.empty(0),
    )
    rounds = samplers.coupled(sampler.plan(pair, steps, snr, scale_eps), *start)
    for number, (_, (_, info)) in enumerate(rounds):
        if number == observed:
            variances = residual_variances(info.at, levels[step], layout)
    square = layout.pad_pairs(info.mean(), max(batches.sizes))
    return thresholded(square, batches.sizes), variances


def coupling_of(layout: Layout, batch: int) -> Coupling:
    """Return the authors' coupling in batches of `batch` graphs, in the caller's order."""
    number = torch.tensor(layout.order) // batch
    if int(number.max()) == 0:
        return RaggedBatch
    return lambda ownership: RaggedBatches(ownership, number)


def residual_variances(
    pairs: Float[Tensor, " pairs"], level: Level, layout: Layout
) -> Float[Tensor, " graphs"]:
    """Return V of each graph's entries at a noise level, graphs in the caller's order."""
    residual = (pairs - level.scale * (pairs > level.scale / 2)) / level.sigma
    means = residual.new_zeros(layout.graphs).index_add_(0, layout.graph_of_pair, residual.square())
    means /= torch.bincount(layout.graph_of_pair, minlength=layout.graphs)
    return means[torch.tensor(layout.order).argsort()]
