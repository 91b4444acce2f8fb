"""What the tests of graphs share: small networks with random weights, under the published names;
batches; graphs.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st
from torch import Tensor

from ams.data import Graph
from experiments.graphs.checkpoints import Networks, networks_of
from experiments.graphs.data import adjacency, trimmed
from experiments.graphs.graph_layout import Layout

FEATURES, WIDTH = 3, 8
FIELDS = {"max_feat_num": FEATURES, "nhid": WIDTH}
DEEP = {"num_linears": 3, "c_init": 2, "c_hid": 4, "c_final": 3, "num_layers": 3, "depth": 3}


def drawn(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def linears(name: str, widths: Sequence[int], generator: torch.Generator) -> dict[str, Tensor]:
    made = {}
    for i, (inputs, outputs) in enumerate(pairwise(widths)):
        made[f"{name}.linears.{i}.weight"] = drawn(generator, outputs, inputs) / inputs**0.5
        made[f"{name}.linears.{i}.bias"] = 0.1 * drawn(generator, outputs)
    return made


def convolution(name: str, inputs: int, generator: torch.Generator) -> dict[str, Tensor]:
    return {
        f"{name}.weight": drawn(generator, inputs, WIDTH) / inputs**0.5,
        f"{name}.bias": 0.1 * drawn(generator, WIDTH),
    }


def attention_layers(generator: torch.Generator) -> dict[str, Tensor]:
    """Return three layers of channels 2, 4, 4 and 3, under the published names."""
    made: dict[str, Tensor] = {}
    for layer, (channels, after, inputs) in enumerate(
        [(2, 4, FEATURES), (4, 4, WIDTH), (4, 3, WIDTH)]
    ):
        for i in range(channels):
            for part in "qkv":
                made |= convolution(f"layers.{layer}.attn.{i}.gnn_{part}", inputs, generator)
        hidden = 2 * max(channels, after)
        made |= linears(f"layers.{layer}.mlp", [2 * channels, hidden, hidden, after], generator)
        made |= linears(
            f"layers.{layer}.multi_channel", [channels * WIDTH, hidden, WIDTH], generator
        )
    return made


def adjacency_tensors(generator: torch.Generator) -> dict[str, Tensor]:
    total = 2 + 4 + 4 + 3
    return attention_layers(generator) | linears(
        "final", [total, 2 * total, 2 * total, 1], generator
    )


def feature_tensors(generator: torch.Generator, attentive: bool = False) -> dict[str, Tensor]:
    total = FEATURES + 3 * WIDTH
    made = attention_layers(generator) if attentive else {}
    if not attentive:
        for layer, inputs in enumerate([FEATURES, WIDTH, WIDTH]):
            made |= convolution(f"layers.{layer}", inputs, generator)
    return made | linears("final", [total, 2 * total, 2 * total, FEATURES], generator)


def checkpoint(seed: int = 0, attentive: bool = False) -> dict[str, Any]:
    """Return the contents of a checkpoint as published, with averaged weights; everything
    float64.
    """
    generator = torch.Generator().manual_seed(seed)
    tensors = {"x": feature_tensors(generator, attentive), "adj": adjacency_tensors(generator)}
    held: dict[str, Any] = {
        "params_x": FIELDS
        | DEEP
        | {"model_type": "ScoreNetworkX_GMH" if attentive else "ScoreNetworkX"},
        "params_adj": FIELDS | DEEP | {"model_type": "ScoreNetworkA"},
    }
    for part, named in tensors.items():
        held[f"{part}_state_dict"] = OrderedDict(named)
        held[f"ema_{part}"] = {
            "decay": 0.999,
            "shadow_params": [tensor + 0.01 for tensor in named.values()],
        }
    return held


def made_networks(seed: int = 0, attentive: bool = False) -> Networks:
    """Return the networks of `checkpoint`, in float64."""
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        return networks_of(checkpoint(seed, attentive), averaged=False)
    finally:
        torch.set_default_dtype(default)


def batch(sizes: Sequence[int], seed: int = 1) -> tuple[Layout, Tensor, Tensor]:
    """Return a layout, with random features and pairs."""
    layout, generator = Layout.of(sizes), torch.Generator().manual_seed(seed)
    return layout, drawn(generator, layout.nodes, FEATURES), drawn(generator, layout.pairs)


def real_nodes(sizes: Sequence[int], side: int) -> Tensor:
    """Return the padded formulation's mask."""
    return (torch.arange(side) < torch.tensor(sizes)[:, None]).double()


def random_graph(nodes: int, density: float, seed: int) -> Graph:
    """Return a graph whose pairs are edges independently, with probability `density`."""
    u, v = np.triu_indices(nodes, 1)
    present = np.random.default_rng(seed).random(len(u)) < density
    return Graph(nodes, tuple(sorted(zip(u[present].tolist(), v[present].tolist(), strict=True))))


def relabelled(graph: Graph, seed: int) -> Graph:
    """Return the graph with its nodes numbered in another order."""
    order = np.random.default_rng(seed).permutation(graph.nodes).tolist()
    return Graph(
        graph.nodes, tuple(sorted((*sorted((order[u], order[v])),) for u, v in graph.edges))
    )


graphs = st.builds(random_graph, st.integers(1, 12), st.floats(0.0, 1.0), st.integers(0, 2**32 - 1))
"""Graphs of 1 to 12 nodes, of any density."""


def disturbed(graphs: Sequence[Graph], share: float, seed: int) -> list[Graph]:
    """Return graphs with some of their pairs flipped, without isolated nodes."""
    return [trimmed(graph) for graph in flipped(graphs, share, seed)]


def flipped(graphs: Sequence[Graph], share: float, seed: int) -> Iterator[Graph]:
    """Yield graphs with each pair flipped with probability `share`; of a smaller share, fewer of
    the same pairs.
    """
    generator = np.random.default_rng(seed)
    for graph in graphs:
        u, v = np.triu_indices(graph.nodes, 1)
        present = (adjacency(graph)[u, v] > 0) ^ (generator.random(len(u)) < share)
        yield Graph(graph.nodes, tuple(zip(u[present].tolist(), v[present].tolist(), strict=True)))
