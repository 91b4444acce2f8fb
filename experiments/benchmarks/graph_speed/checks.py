"""T7, T8: the time and memory of packed graph sampling.

T7 compares packed runs with padded ones of the same networks. T8 compares a run with its networks' own arithmetic, and
measures its memory, with the suite's own networks.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from experiments.benchmarks.graph_speed.runs import own_problem, packed_run, padded_run, published_problem
from experiments.benchmarks.graph_speed.settings import Settings
from experiments.benchmarks.memory import LiveBytes, allocations
from experiments.benchmarks.timing import time_ratio
from experiments.graphs.graph_layout import Layout
from verdicts import Measurement, check


def _padded_over_packed(name: str, batch: int, settings: Settings) -> Measurement:
    problem = published_problem(name, batch, settings.steps, settings.seed)
    nodes = {"mean_nodes": float(np.mean(problem.sizes)), "padded_nodes": problem.setting.largest}
    return time_ratio(padded_run(problem), packed_run(problem), settings.pairs, **nodes)


@check("T7.community_small")
def padded_time_over_packed_on_community_small(settings: Settings) -> Measurement:
    """Measure the CPU time of a padded run over that of a packed run on community_small."""
    return _padded_over_packed("community_small", settings.community_small, settings)


@check("T7.ego_small")
def padded_time_over_packed_on_ego_small(settings: Settings) -> Measurement:
    """Measure the CPU time of a padded run over that of a packed run on ego_small."""
    return _padded_over_packed("ego_small", settings.ego_small, settings)


@check("T7.ENZYMES")
def padded_time_over_packed_on_enzymes(settings: Settings) -> Measurement:
    """Measure the CPU time of a padded run over that of a packed run on ENZYMES."""
    return _padded_over_packed("ENZYMES", settings.enzymes, settings)


PRODUCTS = (torch.ops.aten.addmm.default, torch.ops.aten.bmm.default, torch.ops.aten.mm.default)
ACTIVATIONS = (torch.ops.aten.tanh_.default, torch.ops.aten.elu_.default, torch.ops.aten.sigmoid_.default)


class RecordedOperations(TorchDispatchMode):
    """Records the operations of some kinds, with their operands."""

    def __init__(self, kinds: tuple[Any, ...]) -> None:
        super().__init__()
        self.kinds = kinds
        self.calls: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the operation, and record it if it is of these kinds."""
        if func in self.kinds:
            self.calls.append((func, args))
        return func(*args, **(kwargs or {}))

    def replay(self) -> None:
        """Run all recorded operations again, on the present values of their operands."""
        with torch.no_grad():
            for operation, operands in self.calls:
                operation(*operands)


@check("T8.arithmetic")
def run_time_over_its_arithmetic(settings: Settings) -> Measurement:
    """Measure the CPU time of a run over that of its networks' matrix products and activations alone."""
    run = packed_run(own_problem(settings.community_small, settings))
    recorded = RecordedOperations(PRODUCTS + ACTIVATIONS)
    with recorded, torch.no_grad():
        run()
    return time_ratio(run, recorded.replay, settings.pairs, operations=len(recorded.calls))


def peak_bytes(batch: int, settings: Settings) -> int:
    """Return the largest number of bytes of live tensors in a run on `batch` graphs, its layout included."""
    with LiveBytes() as live:
        packed_run(own_problem(batch, settings))()
    return live.peak


def evaluation_bytes(batch: int, settings: Settings) -> int:
    """Return the bytes of the largest single allocation of the adjacency network on `batch` graphs."""
    problem = own_problem(batch, settings)
    layout = Layout.of(problem.sizes)
    x, a = torch.zeros(layout.nodes, problem.setting.features), torch.zeros(layout.pairs)
    return max(allocations(lambda: problem.networks.adjacency(x, a, layout)))


def _growth(size: Callable[[int, Settings], int], settings: Settings) -> Measurement:
    sizes = {batch: size(batch, settings) for batch in (4 * settings.community_small, 16 * settings.community_small)}
    kib = {f"KiB a graph, {batch} graphs": round(total / batch / 2**10, 2) for batch, total in sizes.items()}
    few, many = sizes.values()
    return Measurement(value=many / few, n=2, detail=kib)


@check("T8.memory")
def growth_of_peak_memory(settings: Settings) -> Measurement:
    """Measure the peak of live bytes in a run on 16 batches over that on 4 batches."""
    return _growth(peak_bytes, settings)


@check("T8.evaluation")
def growth_of_largest_allocation(settings: Settings) -> Measurement:
    """Measure the largest allocation of a network evaluation on 16 batches over that on 4 batches.

    Graphs are evaluated in blocks, so the ratio is about 1.
    """
    return _growth(evaluation_bytes, settings)
