"""Generation: from numbers of nodes to graphs, with the authors' settings or others.

A run starts from N(0, 1) at every node feature and pair (the release's prior, for VE too). Its noise comes from two
generators a graph, one for features and one for the adjacency, fixed by a seed and the graph's number: it is common to
all samplers, and does not depend on the other graphs of the batch. With the release's coupling the samples still do, by
the batch's mean norms.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import torch

from ams.samplers import Particles
from ams.samplers.noise_sources import seeded_per_sample
from experiments.graphs.checkpoints import Networks
from experiments.graphs.graph_layout import Layout
from experiments.graphs.ragged_batch import Ownership, Packed, generated_per_graph
from experiments.graphs.samplers import (
    Denoised,
    Half,
    Run,
    corrected,
    coupled,
    denoised_end,
    euler_maruyama,
    langevin_corrector,
    predicted,
    reverse_diffusion,
    s4,
)
from experiments.graphs.systems import CoupledScore, Pair, scores, ve_level, vp_level

END = 1e-4
"""The last time of every published run."""
Coupling: TypeAlias = Callable[[Ownership], Particles]
"""`Packed` (the batch's mean, as released) or `PackedPerSample`."""


class Setting(NamedTuple):
    """A data set's networks, processes and published sampler.

    `checkpoint` is the registry's name, `averaged` tells whether the published rows used the averaged weights,
    `largest` how many nodes a graph has at most, `plan(pair, n)` is the published sampler in `n` steps.
    """

    checkpoint: str
    averaged: bool
    features: int
    largest: int
    pair: Pair
    plan: Callable[[Pair, int], Run]


def _corrected_euler(snr: float, scale_eps: float) -> Callable[[Pair, int], Run]:
    return lambda pair, n: corrected(pair, euler_maruyama, langevin_corrector(snr, scale_eps), n, END)


def _corrected_reverse(snr: float, scale_eps: float) -> Callable[[Pair, int], Run]:
    return lambda pair, n: corrected(pair, reverse_diffusion, langevin_corrector(snr, scale_eps), n, END)


def _euler(pair: Pair, n: int) -> Run:
    return predicted(pair, euler_maruyama, n, END)


def _s4(pair: Pair, n: int) -> Run:
    return predicted(pair, s4(0.15, 0.7), n, END)


_VP, _VE = vp_level(0.1, 1.0), ve_level(0.2, 1.0)
_SMALL = Pair(_VP, _VP)
_MIXED = Pair(_VP, _VE)
_WIDE = Pair(ve_level(0.1, 1.0), ve_level(0.1, 1.0))

PUBLISHED: Mapping[str, Setting] = {
    "community_small": Setting("gdss-community_small", False, 10, 20, _SMALL, _corrected_euler(0.05, 0.7)),
    "ego_small": Setting("gdss-ego_small", False, 17, 18, _SMALL, _euler),
    "ENZYMES": Setting("gdss-enzymes", True, 10, 125, _MIXED, _s4),
    "grid": Setting("gdss-grid", True, 5, 361, Pair(_VP, vp_level(0.2, 0.8)), _corrected_reverse(0.1, 0.7)),
    "QM9": Setting("gdss-qm9", False, 4, 9, _WIDE, _corrected_reverse(0.2, 0.7)),
    "ZINC250k": Setting("gdss-zinc250k", False, 9, 38, _MIXED, _corrected_reverse(0.2, 0.9)),
    "ZINC250k_v2": Setting("gdss-zinc250k_v2", False, 9, 38, _MIXED, _corrected_reverse(0.2, 0.9)),
}
"""The published settings (arXiv 2202.02514 and its release). The molecules' are those of its sampling configuration."""


def generate(
    plan: Run,
    both: Networks,
    pair: Pair,
    sizes: Sequence[int],
    features: int,
    seed: int,
    first: int = 0,
    coupling: Coupling = Packed,
) -> tuple[Denoised, Layout]:
    """Return the denoised end of a run of graphs of `sizes` nodes, numbered from `first`, and their layout.

    `Layout.pad_rows` and `pad_pairs` put it in the order of `sizes`. Raises NonFiniteState.
    """
    layout = Layout.of(sizes)
    ends = coupled(plan, *halves(scores(both, pair, layout), layout, features, seed, first, coupling))
    return denoised_end(ends), layout


def shares(count: int, runs: int) -> list[int]:
    """Return how many of `count` samples each run makes, as evenly as may be. Raises ValueError for more runs."""
    if not 1 <= runs <= count:
        raise ValueError(f"{count} samples cannot be shared among {runs} runs")
    return [count // runs + (number < count % runs) for number in range(runs)]


def halves(
    both: tuple[CoupledScore, CoupledScore],
    layout: Layout,
    features: int,
    seed: int,
    first: int = 0,
    coupling: Coupling = Packed,
) -> tuple[Half, Half]:
    """Return both states' starts, scores, noise and algebras: float32, on the CPU."""
    streams = seeded_per_sample(seed, 2 * first, 2 * layout.graphs)
    shapes = torch.empty(layout.nodes, features), torch.empty(layout.pairs)
    ownerships = Ownership.of_features(layout), Ownership.of_adjacency(layout)
    made = []
    for kind, (like, ownership, score) in enumerate(zip(shapes, ownerships, both, strict=True)):
        algebra = coupling(ownership)
        own = [streams[2 * number + kind] for number in layout.order]
        noise = generated_per_graph(own, ownership, algebra.empty_like)
        made.append(Half(noise(like).clone(), score, noise, algebra))
    return made[0], made[1]
