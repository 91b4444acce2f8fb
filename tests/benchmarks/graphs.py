"""T7: sampling of graphs, packed, against the same networks in the published, padded formulation; one thread.

Both run the same loop and steps from the same starts, with as much noise; padded, a state is (batch, N, F) and (batch,
N, N), N the data set's largest graph. Numbers of nodes are drawn from the training graphs, as a run would. Weights too
small to matter are zero on both sides: as published, subnormal products make the padded one up to twice as slow again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from ams.data import graphs, weights
from ams.ledger import Measurement, check
from ams.noise import Level
from ams.samplers import Noise, Particles
from experiments.graphs.checkpoints import Networks, networks, without_dust
from experiments.graphs.generation import PUBLISHED, Setting, halves
from experiments.graphs.layout import Layout
from experiments.graphs.samplers import Denoised, Half, coupled, denoised_end
from experiments.graphs.systems import CoupledScore, scores
from tests.benchmarks import graphs_padded, timing


class Settings(BaseModel):
    """Batches, steps of a run, pairs of runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    community_small: int = 128
    ego_small: int = 128
    enzymes: int = 32
    steps: int = 4
    pairs: int = 11
    seed: int = 7


class Problem(NamedTuple):
    """A data set's published sampler in `steps` steps, its networks, and the numbers of nodes of a batch."""

    setting: Setting
    sizes: tuple[int, ...]
    steps: int
    seed: int

    @property
    def both(self) -> Networks:
        """Return the networks."""
        return loaded(self.setting.checkpoint, self.setting.averaged)


loaded = cache(networks)


def problem(name: str, batch: int, steps: int, seed: int) -> Problem:
    """Return the problem of a data set. Raises Unavailable without its files."""
    listed = graphs(name)
    train = listed[len(listed) // 5 :]
    drawn = np.random.default_rng(seed).integers(len(train), size=batch)
    return Problem(PUBLISHED[name], tuple(train[i].nodes for i in drawn), steps, seed)


def packed_run(given: Problem) -> Callable[[], Denoised]:
    """Return a run on packed graphs."""
    layout = Layout.of(given.sizes)
    both = scores(given.both, given.setting.pair, layout)
    return lambda: _run(given, halves(both, layout, given.setting.features, given.seed))


def _run(given: Problem, both: tuple[Half, Half]) -> Denoised:
    return denoised_end(coupled(given.setting.plan(given.setting.pair, given.steps), *both))


def padded_run(given: Problem) -> Callable[[], Denoised]:
    """Return a run on padded graphs: the library's particles, whose norms are over whole padded samples."""
    side = given.setting.largest
    real = (torch.arange(side) < torch.tensor(given.sizes)[:, None]).float()
    both = padded_scores(given.setting, real)
    shapes = (len(real), side, given.setting.features), (len(real), side, side)

    def work() -> Denoised:
        generator = torch.Generator().manual_seed(given.seed)
        made = []
        for shape, score, mask in zip(shapes, both, (masked_rows, masked_pairs), strict=True):
            noise = mask(real, generator)
            made.append(Half(noise(torch.empty(shape)), score, noise, Particles()))
        return _run(given, (made[0], made[1]))

    return work


def masked_rows(real: Tensor, generator: torch.Generator) -> Noise:
    """Return noise on real nodes."""
    return lambda x: graphs_padded.mask_rows(torch.empty_like(x).normal_(generator=generator), real)


def masked_pairs(real: Tensor, generator: torch.Generator) -> Noise:
    """Return symmetric noise on real pairs."""

    def noise(x: Tensor) -> Tensor:
        draw = torch.empty_like(x).normal_(generator=generator)
        return graphs_padded.mask_pairs(graphs_padded.symmetric(draw), real)

    return noise


def published_tensors(setting: Setting) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return both networks' tensors by their published names."""
    held = weights(setting.checkpoint)
    found = []
    for part in ("x", "adj"):
        named = {name.removeprefix("module."): tensor for name, tensor in held[f"{part}_state_dict"].items()}
        if setting.averaged:
            named = dict(zip(named, held[f"ema_{part}"]["shadow_params"], strict=True))
        found.append({name: without_dust(tensor) for name, tensor in named.items()})
    return found[0], found[1]


def padded_scores(setting: Setting, real: Tensor) -> tuple[CoupledScore, CoupledScore]:
    """Return both scores in the padded formulation."""
    features, adjacency = published_tensors(setting)
    pair = setting.pair

    def of_features(x: Tensor, a: Tensor, level: Level) -> Tensor:
        with torch.no_grad():
            return pair.features.factor(level) * graphs_padded.features_network(x, a, real, features)

    def of_adjacency(a: Tensor, x: Tensor, level: Level) -> Tensor:
        with torch.no_grad():
            return pair.adjacency.factor(level) * graphs_padded.adjacency_network(x, a, real, adjacency)

    return of_features, of_adjacency


def _speed_up(name: str, batch: int, settings: Settings) -> Measurement:
    given = problem(name, batch, settings.steps, settings.seed)
    nodes = float(np.mean(given.sizes))
    return timing.ratio(
        padded_run(given), packed_run(given), settings.pairs, mean_nodes=nodes, padded_nodes=given.setting.largest
    )


@check("T7.community_small")
def on_community_small(settings: Settings) -> Measurement:
    """CPU time of the padded run over the packed one, community_small."""
    return _speed_up("community_small", settings.community_small, settings)


@check("T7.ego_small")
def on_ego_small(settings: Settings) -> Measurement:
    """The same, ego_small."""
    return _speed_up("ego_small", settings.ego_small, settings)


@check("T7.ENZYMES")
def on_enzymes(settings: Settings) -> Measurement:
    """The same, ENZYMES."""
    return _speed_up("ENZYMES", settings.enzymes, settings)


class Products(TorchDispatchMode):
    """Notes the matrix products that are made, as calls that can be made again."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Run the operation, and note it if it is a product."""
        if func in (torch.ops.aten.addmm.default, torch.ops.aten.bmm.default, torch.ops.aten.mm.default):
            self.calls.append((func, args))
        return func(*args, **(kwargs or {}))


@check("T7.arithmetic")
def against_its_products(settings: Settings) -> Measurement:
    """CPU time of a run on community_small over that of its networks' matrix products alone."""
    given = problem("community_small", settings.community_small, settings.steps, settings.seed)
    work, products = packed_run(given), Products()
    with products, torch.no_grad():
        work()

    def arithmetic() -> None:
        with torch.no_grad():
            for product, operands in products.calls:
                product(*operands)

    return timing.ratio(work, arithmetic, settings.pairs, products=len(products.calls))


def largest_allocation(batch: int, settings: Settings) -> int:
    """Return the bytes of the largest single allocation of the adjacency network on a batch of community_small."""
    given = problem("community_small", batch, 1, settings.seed)
    layout, network = Layout.of(given.sizes), given.both.adjacency
    x, a = torch.zeros(layout.nodes, given.setting.features), torch.zeros(layout.pairs)
    with torch.no_grad(), torch.profiler.profile(profile_memory=True) as profile:
        network(x, a, layout)
    return max(event.self_cpu_memory_usage for event in profile.events())


@check("T7.memory")
def memory_of_an_evaluation(settings: Settings) -> Measurement:
    """Largest allocation on 16 batches over that on 4: a block's, so about 1, where the state's ratio is 4."""
    one, four = (largest_allocation(count * settings.community_small, settings) for count in (4, 16))
    return Measurement(value=four / one, n=1, detail={"MiB, 4 batches": one / 2**20, "MiB, 16 batches": four / 2**20})
