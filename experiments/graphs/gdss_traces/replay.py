"""Replays of the authors' graph code with its own noise: how far our networks and samplers deviate from its record.

Networks are compared graph by graph in the Euclidean norm, relative to the recorded output's. (Entry by entry the
record itself deviates by 3e-5 of its largest entry from the same networks in float64, on grid.) States are compared
entry by entry: those that the networks are called with, and the result.
"""

import math
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from ams.samplers.noise_sources import replayed
from ams.schedules import Level
from experiments.graphs import checkpoints, samplers
from experiments.graphs.gdss_traces.trace_file import NetworkTrace, SamplerTrace, load_networks, load_sampler
from experiments.graphs.generation import END
from experiments.graphs.graph_layout import Layout
from experiments.graphs.ragged_batch import Ownership, RaggedBatch
from experiments.graphs.samplers import Denoised, Half
from experiments.graphs.systems import CoupledScore, Pair, System, scores, ve_system, vp_system


def deviations(path: Path) -> dict[str, float]:
    """Return the deviations of our replay from a trace, by quantity. Raises DataUnavailable."""
    if path.stem.startswith("gdss_network_"):
        return replay_networks(load_networks(path))
    return replay_sampler(load_sampler(path))


def replay_networks(trace: NetworkTrace) -> dict[str, float]:
    """Return the largest relative deviations of both networks over the graphs."""
    layout, side = Layout.of(trace.sizes), trace.x.shape[1]
    x, pairs = layout.pack_rows(trace.x), layout.pack_pairs(trace.adjacency)
    features, adjacency = checkpoints.networks(trace.checkpoint, trace.averaged)
    out = Denoised(features(x, pairs, layout), adjacency(x, pairs, layout)).padded(layout, side)
    return {
        "features network": _relative(out.features, trace.features_out),
        "adjacency network": _relative(out.adjacency, trace.adjacency_out),
    }


def _relative(ours: Tensor, theirs: Tensor) -> float:
    own = torch.linalg.vector_norm(theirs.flatten(1), dim=1)
    return _finite((torch.linalg.vector_norm((ours - theirs).flatten(1), dim=1) / own).max())


def apart(ours: Tensor, theirs: Tensor) -> float:
    """Return the largest difference of two entries, infinite where one is not a number."""
    return _finite((ours - theirs).abs().max())


def _finite(gap: Tensor) -> float:
    """Return the gap, infinite where it is not a number."""
    return math.inf if math.isnan(gap) else float(gap)


def replay_sampler(trace: SamplerTrace) -> dict[str, float]:
    """Return the largest deviations of the states at network calls, and of the result; infinite for other calls."""
    result, calls = rerun(trace, SYSTEMS)
    recorded = zip(trace.arrays["call_x"], trace.arrays["call_adj"], strict=True)
    in_order = [name for name, _, _ in calls] == trace.arrays["call_network"].tolist()
    states = max(max(map(apart, call, seen)) for (_, *call), seen in zip(calls, recorded, strict=False))
    end = max(map(apart, result, (trace.arrays["final_x"], trace.arrays["final_adj"])))
    return {"states": states if in_order else math.inf, "result": end}


CORRECTORS: dict[str, samplers.Corrector] = {
    "langevin": samplers.langevin,
    "released_adaptive": partial(samplers.authors_momentum, samplers.ADAPTIVE),
    "released_constant": partial(samplers.authors_momentum, samplers.CONSTANT),
}
PREDICTORS: dict[str, samplers.Predictor] = {"euler": samplers.euler_maruyama, "reverse": samplers.reverse_diffusion}
SYSTEMS = {"VP": vp_system(0.1, 1.0, float32=True), "VE": ve_system(0.2, 1.0)}


def plan_of(trace: SamplerTrace, pair: Pair) -> samplers.CoupledProgram:
    """Return the steps of a recorded run."""
    steps, inner = (int(trace.arrays[name]) for name in ("steps", "n_steps"))
    snr, scale_eps = (float(trace.arrays[name]) for name in ("snr", "scale_eps"))
    if trace.corrector is None or trace.predictor is None:
        return samplers.planned(pair, samplers.s4(snr, scale_eps), steps, END)
    correctors = CORRECTORS[trace.corrector](snr, scale_eps)
    return samplers.planned(pair, PREDICTORS[trace.predictor], steps, END, correctors, inner)


Call = tuple[str, Tensor, Tensor]
"""A network call: `x` or `adj`, and the padded features and adjacency that it sees."""


def rerun(trace: SamplerTrace, systems: Mapping[str, System]) -> tuple[Denoised, list[Call]]:
    """Return the padded result of our sampler from the recorded start with the recorded noise, and its network calls.

    Raises DataUnavailable where the networks cannot be had.
    """
    pair, layout = Pair(*(systems[name] for name in trace.processes)), Layout.of(trace.sizes)
    both, calls = scores(checkpoints.networks("gdss-community_small", False), pair, layout), list[Call]()
    side, packs, halves = trace.arrays["final_x"].shape[1], (layout.pack_rows, layout.pack_pairs), []
    for part, pack, score, owner in zip(("x", "adj"), packs, both, Ownership.both(layout), strict=True):
        start, noise = pack(trace.arrays[f"call_{part}"][0]), map(pack, trace.arrays[f"noise_{part}"])
        halves.append(Half(start, _noted(part, score, layout, side, calls), replayed(noise), RaggedBatch(owner)))
    end = samplers.denoised_end(samplers.coupled(plan_of(trace, pair), *halves))
    return end.padded(layout, side), calls


def _noted(part: str, score: CoupledScore, layout: Layout, side: int, calls: list[Call]) -> CoupledScore:
    """Return the score, which adds each of its calls to `calls`."""

    def noted(own: Tensor, partner: Tensor, level: Level) -> Tensor:
        x, adjacency = (own, partner) if part == "x" else (partner, own)
        calls.append((part, layout.pad_rows(x, side), layout.pad_pairs(adjacency, side)))
        return score(own, partner, level)

    return noted
