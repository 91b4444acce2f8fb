r"""Runs of the contenders: the graphs they end in, and the temperature of the adjacency on the way.

Near the end of a run the law of an adjacency entry is known, given the edge it becomes: `N(r a, sigma^2)` with `a` in
{0, 1}, `r` the mean factor. So

    T = mean over pairs of (A_t - r [A_t > r / 2])^2 / sigma^2

is 1 for the forward process, whatever the graphs (to 1e-4 at `t = 0.1`, where `r / 2` is four sigma): above it the
sampler has not arrived, or is undecided between an edge and none; below it, it cools.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ams.data import Graph
from ams.schedules import Level
from experiments.graphs.checkpoints import Networks
from experiments.graphs.data import PRESENT, cut
from experiments.graphs.generation import END, Coupling, halves
from experiments.graphs.graph_comparison.baselines import Contender
from experiments.graphs.graph_layout import Layout
from experiments.graphs.ragged_batch import Ownership, Packed, PackedBatches, PackedPerSample
from experiments.graphs.samplers import Reached, coupled, denoised_end
from experiments.graphs.systems import Pair, scores

THERMOMETER = 0.1
"""The time at which temperatures are taken."""


class Model(NamedTuple):
    """Both networks, the processes they were trained for, how many features a node has.

    `title` says whose they are, `published` whether they are the authors'.
    """

    networks: Networks
    pair: Pair
    features: int
    title: str
    published: bool = False


class Batch(NamedTuple):
    """What a run is of: graphs of `sizes` nodes, coupled as released in batches of `batch`; `seed` fixes the noise."""

    sizes: tuple[int, ...]
    batch: int
    seed: int


class Outcome(NamedTuple):
    """What a run of a batch made, graph by graph, of `sizes` nodes before trimming.

    `present` tells which of their pairs are joined (padded).
    """

    sizes: tuple[int, ...]
    graphs: list[Graph]
    present: Bool[Tensor, "graphs side side"]
    temperatures: Float[Tensor, " graphs"]


def outcome(model: Model, contender: Contender, steps: int, snr: float, scale_eps: float, batch: Batch) -> Outcome:
    """Run a contender from the batch's starts with its noise. Raises NonFiniteState."""
    layout = Layout.of(batch.sizes)
    both = scores(model.networks, model.pair, layout)
    coupling = PackedPerSample if contender.alone else batches(layout, batch.batch)
    start = halves(both, layout, model.features, batch.seed, coupling=coupling)
    plan = contender.plan(model.pair, steps, snr, scale_eps)
    levels = model.pair.adjacency.levels(steps, END)
    watched = Watched(levels, contender.evaluations, layout)
    end = denoised_end(watched(coupled(plan, *start)))
    square = layout.pad_pairs(end.adjacency, max(batch.sizes))
    return Outcome(batch.sizes, cut(square), square >= PRESENT, watched.temperatures)


def batches(layout: Layout, batch: int) -> Coupling:
    """Return the released coupling in batches of so many graphs, as the caller numbers them."""
    own = torch.tensor(layout.order) // batch
    if int(own.max()) == 0:
        return Packed
    return lambda ownership: PackedBatches(ownership, own)


class Watched:
    """Passes the rounds of a run on, and takes the temperature where the predictor starts at `THERMOMETER`."""

    def __init__(self, levels: list[Level], rounds: int, layout: Layout) -> None:
        number = min(range(len(levels)), key=lambda k: abs(levels[k].t - THERMOMETER))
        self._level, self._round, self._layout = levels[number], (number + 1) * rounds - 1, layout
        self.temperatures = torch.full((layout.graphs,), torch.nan)

    def __call__(self, rounds: Iterator[tuple[Reached, Reached]]) -> Iterator[tuple[Reached, Reached]]:
        """Yield the rounds."""
        for number, (features, adjacency) in enumerate(rounds):
            if number == self._round:
                self.temperatures = temperatures(adjacency[1].at, self._level, self._layout)
            yield features, adjacency


def temperatures(pairs: Float[Tensor, " pairs"], level: Level, layout: Layout) -> Float[Tensor, " graphs"]:
    """Return the temperature of each graph's entries at a level, graphs in the caller's order."""
    residual = (pairs - level.scale * (pairs > level.scale / 2)) / level.sigma
    ownership = Ownership.of_adjacency(layout)
    means = residual.new_zeros(layout.graphs).index_add_(0, ownership.graph, residual.square())
    means /= torch.bincount(ownership.graph, minlength=layout.graphs)
    return means[torch.tensor(layout.order).argsort()]
