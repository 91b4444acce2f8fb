"""T7, T8: the time and memory of packed graph sampling.

T7 compares packed runs with padded ones of the same networks. T8 compares a run with its networks' own arithmetic, and
measures its memory, with the suite's own networks.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from experiments.benchmarks.graph_runs import own_problem, packed_run, padded_run, published_problem
from experiments.benchmarks.memory import LiveBytes, allocations
from experiments.benchmarks.settings import Settings
from experiments.benchmarks.timing import time_ratio
from experiments.graphs.graph_layout import Layout
from verdicts import Measurement


def padded_time_over_packed(settings: Settings, name: str) -> Measurement:
    """Measure the CPU time of a padded run over that of a packed run on a data set."""
    problem = published_problem(name, settings.graph_batches[name], settings.graph_steps, settings.seed)
    nodes = {"mean_nodes": float(np.mean(problem.sizes)), "padded_nodes": problem.setting.largest}
    return time_ratio(padded_run(problem), packed_run(problem), settings.graph_pairs, **nodes)


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


def time_over_arithmetic(settings: Settings) -> Measurement:
    """Measure the CPU time of a run over that of its networks' matrix products and activations alone."""
    run = packed_run(own_problem(settings.graph_batches["community_small"], settings))
    recorded = RecordedOperations(PRODUCTS + ACTIVATIONS)
    with recorded, torch.no_grad():
        run()
    return time_ratio(run, recorded.replay, settings.graph_pairs, operations=len(recorded.calls))


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


BYTES = {"run": peak_bytes, "evaluation": evaluation_bytes}


def growth_of_bytes(settings: Settings, of: str) -> Measurement:
    """Measure the bytes of a run, or of an evaluation, on 16 batches over those on 4.

    Graphs are evaluated in blocks, so the ratio of evaluations is about 1.
    """
    batch = settings.graph_batches["community_small"]
    sizes = {many: BYTES[of](many, settings) for many in (4 * batch, 16 * batch)}
    kib = {f"KiB a graph, {many} graphs": round(total / many / 2**10, 2) for many, total in sizes.items()}
    few, most = sizes.values()
    return Measurement(value=most / few, n=2, detail=kib)
