"""Replays of the released graph code with its own noise: how far our networks and samplers stray from its record.

Networks are compared graph by graph in the Euclidean norm, relative to the recorded output's. (Entry by entry the
record itself is no better than 3e-5 of its largest: that is what separates it from the same networks in float64, on
grid.) States are compared entry by entry: those that the networks were called with, and the result.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from ams.errors import DataUnavailable, UserError
from ams.samplers.noise_sources import replayed
from ams.schedules import Level
from experiments.graphs import samplers
from experiments.graphs.checkpoints import Networks, networks
from experiments.graphs.gdss_traces.trace_file import NetworkTrace, SamplerTrace, load_networks, load_sampler
from experiments.graphs.graph_layout import Layout
from experiments.graphs.ragged_batch import Ownership, Packed
from experiments.graphs.samplers import Denoised, Half, coupled, denoised_end
from experiments.graphs.systems import CoupledScore, Pair, System, scores, ve_level, vp_level

END = 1e-4


class Deviation(NamedTuple):
    """How far a quantity strays, and how far it may."""

    quantity: str
    value: float
    tolerance: float

    @property
    def within(self) -> bool:
        """Tell whether it does not stray too far."""
        return self.value <= self.tolerance


def deviations(path: Path) -> list[Deviation]:
    """Return the deviations of our replay from a trace. Raises UserError for a malformed file, DataUnavailable."""
    replayed_trace = _replay_of(path)
    try:
        return replayed_trace()
    except (ArithmeticError, LookupError, ValueError, RuntimeError) as error:
        raise UserError(f"{path}: the trace does not replay: {str(error).splitlines()[0]}") from None


def _replay_of(path: Path) -> Callable[[], list[Deviation]]:
    """Return the replay of the trace that the file's name tells of, its contents checked."""
    if path.stem.startswith("gdss_network_"):
        return partial(replay_networks, load_networks(path))
    return partial(replay_sampler, load_sampler(path))


def replay_networks(trace: NetworkTrace) -> list[Deviation]:
    """Return the relative deviations of both networks, the worst graph's."""
    layout, side = Layout.of(trace.sizes), trace.x.shape[1]
    x, pairs = layout.pack_rows(trace.x), layout.pack_pairs(trace.adjacency)
    features, adjacency = cached_networks(trace.checkpoint, trace.averaged)
    out = layout.pad_rows(features(x, pairs, layout), side), layout.pad_pairs(adjacency(x, pairs, layout), side)
    return [
        Deviation("features network", _relative(out[0], trace.features_out), 1e-5),
        Deviation("adjacency network", _relative(out[1], trace.adjacency_out), 1e-5),
    ]


cached_networks = cache(networks)


def _relative(ours: Tensor, theirs: Tensor) -> float:
    own = torch.linalg.vector_norm(theirs.flatten(1), dim=1)
    return _finite((torch.linalg.vector_norm((ours - theirs).flatten(1), dim=1) / own).max())


def _apart(ours: Tensor, theirs: Tensor) -> float:
    return _finite((ours - theirs).abs().max())


def _finite(gap: Tensor) -> float:
    """Return the gap, infinite where it is not a number."""
    return math.inf if math.isnan(gap) else float(gap)


def replay_sampler(trace: SamplerTrace) -> list[Deviation]:
    """Return the largest deviations of the states at network calls, and of the result; infinite for other calls."""
    layout, side = Layout.of(trace.sizes), trace.arrays["final_x"].shape[1]
    calls = Calls(layout, side)
    end = rerun(trace, layout, cached_networks("gdss-community_small", False), calls)
    recorded = list(zip(trace.calls, trace.arrays["call_x"], trace.arrays["call_adj"], strict=True))
    same = [name for name, _, _ in calls.made] == trace.calls
    states = max(
        max(_apart(x, x_recorded), _apart(a, a_recorded))
        for (_, x, a), (_, x_recorded, a_recorded) in zip(calls.made, recorded, strict=False)
    )
    result = max(
        _apart(layout.pad_rows(end.features, side), trace.arrays["final_x"]),
        _apart(layout.pad_pairs(end.adjacency, side), trace.arrays["final_adj"]),
    )
    slack = 2.0 if trace.predictor is None else 1.0
    return [Deviation("states", states if same else math.inf, 1e-4 * slack), Deviation("result", result, 1e-2 * slack)]


Correctors = Callable[[float, float], samplers.Correctors]
CORRECTORS: dict[str, Correctors] = {
    "langevin": samplers.langevin_corrector,
    "released_adaptive": samplers.released_adaptive,
    "released_constant": samplers.released_constant,
}
PREDICTORS: dict[str, samplers.Predictor] = {
    "euler": samplers.euler_maruyama,
    "reverse": samplers.reverse_diffusion,
}
SYSTEMS: dict[str, Callable[[], System]] = {
    "VP": lambda: vp_level(0.1, 1.0, float32=True),
    "VE": lambda: ve_level(0.2, 1.0),
}


def plan_of(trace: SamplerTrace, pair: Pair) -> samplers.Run:
    """Return the steps of a recorded run."""
    if trace.corrector is None or trace.predictor is None:
        return samplers.predicted(pair, samplers.s4(trace.snr, trace.scale_eps), trace.steps, END)
    correctors = CORRECTORS[trace.corrector](trace.snr, trace.scale_eps)
    return samplers.corrected(pair, PREDICTORS[trace.predictor], correctors, trace.steps, END, trace.inner)


def rerun(
    trace: SamplerTrace,
    layout: Layout,
    both: Networks,
    calls: Calls,
    systems: Mapping[str, Callable[[], System]] = SYSTEMS,
) -> Denoised:
    """Run our sampler from the recorded start with the recorded draws."""
    pair = Pair(*(systems[name]() for name in trace.processes))
    plan, arrays = plan_of(trace, pair), trace.arrays
    of_features, of_adjacency = calls.noted(*scores(both, pair, layout))
    features = Half(
        layout.pack_rows(arrays["call_x"][0]),
        of_features,
        replayed(layout.pack_rows(draw) for draw in arrays["noise_x"]),
        Packed(Ownership.of_features(layout)),
    )
    adjacency = Half(
        layout.pack_pairs(arrays["call_adj"][0]),
        of_adjacency,
        replayed(layout.pack_pairs(draw) for draw in arrays["noise_adj"]),
        Packed(Ownership.of_adjacency(layout)),
    )
    return denoised_end(coupled(plan, features, adjacency))


class Calls:
    """Notes what the networks are called with, padded: `made` holds (network, features, adjacency)."""

    def __init__(self, layout: Layout, side: int) -> None:
        self._layout, self._side = layout, side
        self.made: list[tuple[str, Tensor, Tensor]] = []

    def _note(self, network: str, x: Tensor, adjacency: Tensor) -> None:
        padded = self._layout.pad_rows(x, self._side), self._layout.pad_pairs(adjacency, self._side)
        self.made.append((network, *padded))

    def noted(self, of_features: CoupledScore, of_adjacency: CoupledScore) -> tuple[CoupledScore, CoupledScore]:
        """Return the same scores, noted."""

        def features(x: Tensor, adjacency: Tensor, level: Level) -> Tensor:
            self._note("x", x, adjacency)
            return of_features(x, adjacency, level)

        def adjacency(adjacency: Tensor, x: Tensor, level: Level) -> Tensor:
            self._note("adj", x, adjacency)
            return of_adjacency(adjacency, x, level)

        return features, adjacency


Report = Callable[[str], None]


def replay(files: Sequence[Path], report: Report = print, complain: Report | None = None) -> int:
    """Replay each file and report its largest deviations, a line each.

    Returns the exit status: 0; 1 where a deviation exceeds its tolerance; 2 where a file is no trace or its networks
    cannot be had (the others still run).
    """
    complain = complain or (lambda line: print(line, file=sys.stderr))
    status = 0 if files else 2
    if not files:
        complain("replay: no file named; give golden traces of graphs (.npz)")
    for path in files:
        try:
            found = deviations(path)
        except (UserError, DataUnavailable) as error:
            complain(str(error))
            status = 2
            continue
        told = (f"{d.quantity} {d.value:.1e} ({'within' if d.within else 'ABOVE'} {d.tolerance:g})" for d in found)
        report(f"{path}: {', '.join(told)}")
        status = status if all(d.within for d in found) else max(status, 1)
    return status
