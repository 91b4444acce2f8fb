r"""The training task of both networks on our own community_small: each predicts its own noise.

Each graph of a batch has a time `t` in [1e-5, 1]. Its features and adjacency become noisy together,
`x_t = r x + sigma z` with VP's `r`, `sigma`. The loss of a network is the mean square of
`network(x_t, a_t) - z` over all real entries, a pair counted once; 1 for a network that returns 0.
Times are stratified: one of `B` graphs has its time in each `B`-th of the range, which leaves the
mean of the loss as it is and makes it less noisy. The loop is that of `experiments.training`.

Source of loss, processes and features: arXiv 2202.02514 (equation 6, weighted by the noise's
variance).
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import one_hot

from ams.data import Graph
from ams.schedules import Process
from experiments.graphs.checkpoints import Networks
from experiments.graphs.data import adjacency, community_small
from experiments.graphs.generation import PUBLISHED
from experiments.graphs.graph_layout import Layout
from experiments.graphs.train_config import TrainConfig
from experiments.graphs.trained import DEGREES, Origin, networks_in
from experiments.training import Plan
from verdicts.records.files import canonical_json, sha256_of

EARLIEST = 1e-5
HELD_OUT = 500
"""Graphs: of fewer the loss depends on the choice of graphs (by 0.009 with 500, of 0.22)."""
PROCESS: Process = PUBLISHED["community_small"].pair.features.process
"""Of features and adjacency."""


class Example(NamedTuple):
    """A graph as the networks see it: `rows` are one-hot degrees, `pairs` the strict upper
    triangle of adjacency.
    """

    rows: Float[Tensor, "nodes degrees"]
    pairs: Float[Tensor, " pairs"]

    @staticmethod
    def of(graph: Graph) -> "Example":
        """Return a graph's example, float32."""
        matrix = torch.from_numpy(adjacency(graph)).float()
        degrees = matrix.sum(0).long().clamp(max=DEGREES - 1)
        i, j = torch.triu_indices(graph.nodes, graph.nodes, 1)
        return Example(one_hot(degrees, DEGREES).float(), matrix[i, j])


def stratified_times(count: int, generator: torch.Generator) -> list[float]:
    """Return a time in each `count`-th of [1e-5, 1], in random order."""
    place = torch.randperm(count, generator=generator) + torch.rand(count, generator=generator)
    return (EARLIEST + (1 - EARLIEST) * place / count).tolist()


def losses(
    both: Networks, examples: Sequence[Example], generator: torch.Generator
) -> Float[Tensor, "2"]:
    """Return the losses of features and adjacency on a batch, at times and noise from
    `generator`.
    """
    ordered = sorted(examples, key=lambda example: len(example.rows))
    layout = Layout.of([len(example.rows) for example in ordered])
    marginals = [PROCESS.marginal(t) for t in stratified_times(len(ordered), generator)]
    scale, sigma = torch.tensor(marginals, dtype=torch.float32).T
    node, pair = layout.graph_of_node, layout.graph_of_pair
    z_x, z_a = (
        torch.randn(layout.nodes, DEGREES, generator=generator),
        torch.randn(layout.pairs, generator=generator),
    )
    x = (
        scale[node, None] * torch.cat([example.rows for example in ordered])
        + sigma[node, None] * z_x
    )
    a = scale[pair] * torch.cat([example.pairs for example in ordered]) + sigma[pair] * z_a
    features, pairs = both.features(x, a, layout), both.adjacency(x, a, layout)
    return torch.stack([(features - z_x).square().mean(), (pairs - z_a).square().mean()])


def graphs_of(recipe: TrainConfig) -> list[Graph]:
    """Return the graphs that a run trains on."""
    return community_small(recipe.graphs, recipe.seed)


def unseen(recipe: TrainConfig, count: int) -> list[Graph]:
    """Return graphs of the distribution that a run does not train on."""
    return community_small(count, recipe.seed + 1)


def digest_of(listed: Sequence[Graph]) -> str:
    """Return the sha256 of graphs, their order and the numbers of their nodes included."""
    return sha256_of(canonical_json([[graph.nodes, graph.edges] for graph in listed]))


def plan_of(recipe: TrainConfig) -> Plan:
    """Return how a run trains."""
    return Plan(steps=recipe.steps, rate=recipe.rate, average=recipe.average, seed=recipe.seed)


class Denoising:
    """The task of `experiments.training`: both networks of a run on its graphs."""

    parts: tuple[str, ...] = ("features", "adjacency")

    def __init__(self, recipe: TrainConfig) -> None:
        listed = graphs_of(recipe)
        self.settings = Origin.of(recipe, digest_of(listed))
        self._examples = [Example.of(graph) for graph in listed]
        self._held = [Example.of(graph) for graph in unseen(recipe, HELD_OUT)]

    def network(self) -> nn.Module:
        """Return both networks with random weights."""
        return self.settings.modules()

    def losses(
        self, network: nn.Module, generator: torch.Generator, device: torch.device
    ) -> Float[Tensor, " parts"]:
        """Return both losses of a batch drawn with replacement, on the CPU."""
        chosen = torch.randint(
            len(self._examples), (self.settings.recipe.batch,), generator=generator
        )
        return losses(
            networks_in(network), [self._examples[place] for place in chosen.tolist()], generator
        )

    def held_out(self, network: nn.Module, device: torch.device) -> Float[Tensor, " parts"]:
        """Return both losses on `HELD_OUT` graphs of another seed, with times and noise from the
        run's seed.
        """
        generator = torch.Generator().manual_seed(self.settings.recipe.seed)
        with torch.no_grad():
            return losses(networks_in(network), self._held, generator)
