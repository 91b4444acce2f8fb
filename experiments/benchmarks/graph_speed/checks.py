"""T7, T8: sampling of graphs, packed: against the same networks in the published, padded formulation, and on its own.

T7: both run the same loop and steps from the same starts, with as much noise; padded, a state is (batch, N, F) and
(batch, N, N), N the data set's largest graph. Numbers of nodes are drawn from the training graphs, as a run would.
Weights too small to matter are zero on both sides: as published, subnormal products make the padded one up to twice as
slow again.

T8: our own networks, so that no file is needed: the time over that of the networks' own arithmetic, and
what is alive in memory at once. A table tells where the time goes.
"""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from ams.data import weights
from ams.errors import DataUnavailable
from ams.samplers import Noise, Particles
from ams.schedules import Level
from experiments.benchmarks import timing
from experiments.benchmarks.graph_speed import padded as graphs_padded
from experiments.graphs.bundled_networks import OWN, own_networks, own_split
from experiments.graphs.checkpoints import Networks, networks, without_dust
from experiments.graphs.data import published, sizes
from experiments.graphs.generation import PUBLISHED, Setting, halves
from experiments.graphs.graph_layout import Layout
from experiments.graphs.samplers import Denoised, Half, coupled, denoised_end
from experiments.graphs.systems import CoupledScore, scores
from verdicts import Measurement, Table, check


class Settings(BaseModel):
    """Batches, steps of a run, pairs of runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    community_small: PositiveInt = 128
    ego_small: PositiveInt = 128
    enzymes: PositiveInt = 32
    steps: PositiveInt = 4
    pairs: PositiveInt = 11
    seed: NonNegativeInt = 7


class Problem(NamedTuple):
    """A data set's published sampler in `steps` steps, its networks, and the numbers of nodes of a batch."""

    setting: Setting
    both: Networks
    sizes: tuple[int, ...]
    steps: int
    seed: int


loaded = cache(networks)


def problem(name: str, batch: int, steps: int, seed: int) -> Problem:
    """Return the problem of a data set. Raises DataUnavailable without its files."""
    setting = PUBLISHED[name]
    drawn = sizes(published(name).train, batch, seed)
    return Problem(setting, loaded(setting.checkpoint, setting.averaged), tuple(drawn), steps, seed)


def own_problem(batch: int, settings: Settings) -> Problem:
    """Return that of our own networks of community_small."""
    drawn = sizes(own_split().train, batch, settings.seed)
    return Problem(OWN, own_networks(), tuple(drawn), settings.steps, settings.seed)


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


PRODUCTS = (torch.ops.aten.addmm.default, torch.ops.aten.bmm.default, torch.ops.aten.mm.default)
ACTIVATIONS = (torch.ops.aten.tanh_.default, torch.ops.aten.elu_.default, torch.ops.aten.sigmoid_.default)


class Arithmetic(TorchDispatchMode):
    """Notes the operations of some kinds that are made, as calls that can be made again."""

    def __init__(self, kinds: tuple[Any, ...]) -> None:
        super().__init__()
        self.kinds = kinds
        self.calls: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Run the operation, and note it if it is of the kinds."""
        if func in self.kinds:
            self.calls.append((func, args))
        return func(*args, **(kwargs or {}))

    def again(self) -> None:
        """Make all of the calls once more, on what their operands hold now."""
        with torch.no_grad():
            for operation, operands in self.calls:
                operation(*operands)


@check("T8.arithmetic")
def against_its_arithmetic(settings: Settings) -> Measurement:
    """CPU time of a run over that of its networks' matrix products and activations alone."""
    work, noted = packed_run(own_problem(settings.community_small, settings)), Arithmetic((*PRODUCTS, *ACTIVATIONS))
    with noted, torch.no_grad():
        work()
    return timing.ratio(work, noted.again, settings.pairs, operations=len(noted.calls))


class Alive(TorchDispatchMode):
    """Counts the bytes of all storages that operations returned and something still holds: `now`, and the `peak`."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._holders: Counter[int] = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Run the operation, and count what it returned."""
        result = func(*args, **(kwargs or {}))
        for tensor in {id(v): v for v in tree_leaves(result) if isinstance(v, Tensor)}.values():
            storage = tensor.untyped_storage()
            place, size = storage.data_ptr(), storage.nbytes()
            if not size:
                continue
            if not self._holders[place]:
                self.now += size
                self.peak = max(self.peak, self.now)
            self._holders[place] += 1
            weakref.finalize(tensor, self._gone, place, size)
        return result

    def _gone(self, place: int, size: int) -> None:
        self._holders[place] -= 1
        if not self._holders[place]:
            self.now -= size


def peak_bytes(batch: int, settings: Settings) -> int:
    """Return how many bytes of tensors are alive at once in a run on `batch` graphs, its layout included."""
    with Alive() as alive:
        packed_run(own_problem(batch, settings))()
    return alive.peak


@check("T8.memory")
def memory_of_a_run(settings: Settings) -> Measurement:
    """Peak of a run on 16 batches over that on 4."""
    return _growth(lambda batch: peak_bytes(batch, settings), settings)


def _growth(size: Callable[[int], int], settings: Settings) -> Measurement:
    """Return the size at 16 batches over that at 4."""
    batches = [count * settings.community_small for count in (4, 16)]
    few, many = map(size, batches)
    told = {
        f"KiB a graph, {batch} graphs": round(found / batch / 2**10, 2)
        for batch, found in zip(batches, (few, many), strict=True)
    }
    return Measurement(value=many / few, n=2, detail=told)


def largest_allocation(batch: int, settings: Settings) -> int:
    """Return the bytes of the largest single allocation of the adjacency network on a batch."""
    given = own_problem(batch, settings)
    layout, network = Layout.of(given.sizes), given.both.adjacency
    x, a = torch.zeros(layout.nodes, given.setting.features), torch.zeros(layout.pairs)
    with torch.no_grad(), torch.profiler.profile(profile_memory=True) as profile:
        network(x, a, layout)
    return max(event.self_cpu_memory_usage for event in profile.events())


@check("T8.evaluation")
def memory_of_an_evaluation(settings: Settings) -> Measurement:
    """Largest allocation of an evaluation on 16 batches over that on 4: a block's, so about 1."""
    return _growth(lambda batch: largest_allocation(batch, settings), settings)


KINDS = {
    "matrix products": ("aten::bmm", "aten::addmm", "aten::mm"),
    "tanh, elu": ("aten::tanh_", "aten::tanh", "aten::elu_", "aten::elu"),
    "sums, scaling": ("aten::sum", "aten::mul", "aten::mul_", "aten::div", "aten::add", "aten::add_", "aten::rsqrt"),
    "to and from squares": ("aten::index_select", "aten::index_copy", "aten::index_copy_", "aten::copy_", "aten::cat"),
    "noise": ("aten::normal_",),
}


def time_by_kind(work: timing.Work) -> dict[str, float]:
    """Return the shares of the CPU time of a run, from torch's profiler: operations by kind, then all others."""
    with timing.undisturbed(), torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        work()
    spent = {event.key: event.self_cpu_time_total for event in profile.key_averages()}
    total = sum(spent.values())
    shares = {kind: sum(spent.get(name, 0.0) for name in names) / total for kind, names in KINDS.items()}
    return shares | {"others": 1.0 - sum(shares.values())}


def tables(settings: Settings) -> list[Table]:
    """Return where the time of a run goes, by data set; those whose files are not there are left out."""
    problems = {"community_small, ours": own_problem(settings.community_small, settings)}
    for name, batch in (("ego_small", settings.ego_small), ("ENZYMES", settings.enzymes)):
        with suppress(DataUnavailable):
            problems[name] = problem(name, batch, settings.steps, settings.seed)
    shares = {}
    for name, given in problems.items():
        work = packed_run(given)
        work()
        shares[name] = time_by_kind(work)
    rows = [(kind, *(round(100 * found[kind], 1) for found in shares.values())) for kind in (*KINDS, "others")]
    caption = (
        "Where the CPU time of operations goes in a packed run, per cent (torch's profiler, Python's own not counted)."
    )
    return [
        Table(id="time_graphs_profile", caption=caption, header=("", *shares), rows=tuple(rows), claims=("T7", "T8"))
    ]
