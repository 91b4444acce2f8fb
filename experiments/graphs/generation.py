"""Generation: from numbers of nodes to graphs, with the published settings or others.

A run starts from N(0, 1) at every node feature and pair (the authors' prior, for VE too). Its noise
comes from two generators a graph, one for features and one for the adjacency, fixed by a seed and
the graph's number. So the noise is common to all samplers, and does not depend on the other graphs
of the batch. With the coupling of the authors' code the samples still do, through the batch's mean
norms.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import torch

from ams.samplers import Particles
from ams.samplers.noise_sources import seeded_per_sample
from experiments.graphs import samplers
from experiments.graphs.checkpoints import Networks, networks
from experiments.graphs.graph_layout import Layout
from experiments.graphs.ragged_batch import Ownership, RaggedBatch, generated_per_graph
from experiments.graphs.samplers import Correctors, CoupledProgram, Denoised, Half, Predictor
from experiments.graphs.systems import CoupledScore, Pair, scores, ve_system, vp_system

END = 1e-4
"""The last time of every published run."""
Coupling: TypeAlias = Callable[[Ownership], Particles]
"""`RaggedBatch` (norms averaged over the batch, as in the authors' code) or `RaggedBatches`."""


class Setting(NamedTuple):
    """A data set's networks, processes and published sampler.

    `checkpoint` is the registry's name; `averaged`: the published rows used the averaged weights;
    `largest` is the largest number of nodes of a graph; `predictor` and `correctors` are the
    published sampler.
    """

    checkpoint: str
    averaged: bool
    features: int
    largest: int
    pair: Pair
    predictor: Predictor
    correctors: Correctors | None = None

    def plan(self, n: int) -> CoupledProgram:
        """Return the published sampler in `n` steps."""
        return samplers.planned(self.pair, self.predictor, n, END, self.correctors)

    def networks(self) -> Networks:
        """Return the networks of the checkpoint. Raises DataUnavailable."""
        return networks(self.checkpoint, self.averaged)


_VP, _VE = vp_system(0.1, 1.0), ve_system(0.2, 1.0)
_SMALL, _MIXED, _GRID = Pair(_VP, _VP), Pair(_VP, _VE), Pair(_VP, vp_system(0.2, 0.8))
_WIDE = Pair(ve_system(0.1, 1.0), ve_system(0.1, 1.0))
_EULER, _REVERSE, _LANGEVIN = samplers.euler_maruyama, samplers.reverse_diffusion, samplers.langevin

PUBLISHED: Mapping[str, Setting] = {
    "community_small": Setting(
        "gdss-community_small", False, 10, 20, _SMALL, _EULER, _LANGEVIN(0.05, 0.7)
    ),
    "ego_small": Setting("gdss-ego_small", False, 17, 18, _SMALL, _EULER),
    "ENZYMES": Setting("gdss-enzymes", True, 10, 125, _MIXED, samplers.s4(0.15, 0.7)),
    "grid": Setting("gdss-grid", True, 5, 361, _GRID, _REVERSE, _LANGEVIN(0.1, 0.7)),
    "QM9": Setting("gdss-qm9", False, 4, 9, _WIDE, _REVERSE, _LANGEVIN(0.2, 0.7)),
    "ZINC250k": Setting("gdss-zinc250k", False, 9, 38, _MIXED, _REVERSE, _LANGEVIN(0.2, 0.9)),
    "ZINC250k_v2": Setting("gdss-zinc250k_v2", False, 9, 38, _MIXED, _REVERSE, _LANGEVIN(0.2, 0.9)),
}
"""The published settings (arXiv 2202.02514 and its code). Those of molecules are of its sampling
configuration.
"""


def generate(
    setting: Setting, both: Networks, steps: int, sizes: Sequence[int], seed: int
) -> Denoised:
    """Return samples of graphs of `sizes` nodes, padded to the setting's largest graph. Raises
    NonFiniteState.
    """
    return drawn(setting, both, setting.plan(steps), Layout.of(sizes), seed)


def drawn(
    setting: Setting,
    both: Networks,
    plan: CoupledProgram,
    layout: Layout,
    seed: int,
    coupling: Coupling = RaggedBatch,
) -> Denoised:
    """Return samples by any plan on a setting's processes, padded to its largest graph, in the
    caller's order.

    Raises NonFiniteState.
    """
    states = halves(scores(both, setting.pair, layout), layout, setting.features, seed, coupling)
    return samplers.denoised_end(samplers.coupled(plan, *states)).padded(layout, setting.largest)


def published_samples(name: str, steps: int, sizes: Sequence[int], seed: int) -> Denoised:
    """Return samples of a published setting with the authors' checkpoint. Raises
    DataUnavailable, NonFiniteState.
    """
    setting = PUBLISHED[name]
    return generate(setting, setting.networks(), steps, sizes, seed)


def shares(count: int, runs: int) -> list[int]:
    """Return how many of `count` samples each run makes, as evenly as may be. Raises ValueError
    for more runs.
    """
    if not 1 <= runs <= count:
        raise ValueError(f"{count} samples cannot be shared among {runs} runs")
    return [count // runs + (number < count % runs) for number in range(runs)]


def halves(
    both: tuple[CoupledScore, CoupledScore],
    layout: Layout,
    features: int,
    seed: int,
    coupling: Coupling = RaggedBatch,
) -> tuple[Half, Half]:
    """Return both states' starts, scores, noise and algebras: float32, on the CPU."""
    streams = seeded_per_sample(seed, 0, 2 * layout.graphs)
    shapes = torch.empty(layout.nodes, features), torch.empty(layout.pairs)
    made = []
    for kind, (like, ownership, score) in enumerate(
        zip(shapes, Ownership.both(layout), both, strict=True)
    ):
        algebra = coupling(ownership)
        own = [streams[2 * number + kind] for number in layout.order]
        noise = generated_per_graph(own, ownership, algebra.empty_like)
        made.append(Half(noise(like).clone(), score, noise, algebra))
    return made[0], made[1]
