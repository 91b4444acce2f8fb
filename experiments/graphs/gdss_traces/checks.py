r"""V1 and V2: trace equivalence of the graph code with the authors' code, and the digits that its
float32 loses.

Golden traces are replayed with their own noise. `gdss_network_<set>.npz` holds the outputs of both
networks of a data set on random inputs, `gdss_sampler_<case>.npz` a run of an authors' sampler on
the community_small networks: the state at each network call, the noise, the result. The file's name
gives the data set or the case. `flags` (batch, N) are 1 at real nodes; padded nodes come last.

Networks are compared graph by graph in the Euclidean norm, relative to the recorded output's.
(Entry by entry the record itself deviates by 3e-5 of its largest entry from the same networks in
float64, on grid.) States are compared entry by entry: those that the networks are called with, and
the result.

The authors' code computes `sigma(t) = sqrt(1 - exp(2 l))`, `l = -t^2 (beta_max - beta_min)/4 - t
beta_min/2`, in float32. At the last time 1e-4 the difference is 1e-5, and float32 has a spacing of
6e-8 just below 1. So the difference is up to 0.3 % off, and sigma half as much.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ams.data import load_arrays
from ams.samplers.noise_sources import replayed
from ams.schedules import VP, Level
from ams_suite.measures import named_extreme
from experiments.graphs import checkpoints, samplers
from experiments.graphs.data import PRESENT
from experiments.graphs.generation import END
from experiments.graphs.graph_layout import Layout
from experiments.graphs.ragged_batch import Ownership, RaggedBatch
from experiments.graphs.samplers import Denoised, Half
from experiments.graphs.systems import (
    CoupledScore,
    Pair,
    System,
    float32_noise,
    predicted_noise,
    scores,
    ve_system,
    vp_system,
)
from verdicts import Measurement

_CASE = re.compile(
    r"gdss_sampler_(?:s4|(?P<corrector>langevin|released_adaptive|released_constant)"
    r"_(?P<predictor>euler|reverse)(?:_n\d+)?)"
)


class NetworkTrace(NamedTuple):
    """Outputs `features_out`, `adjacency_out` of the networks of `checkpoint` at `x`,
    `adjacency` (batch, N, N).
    """

    checkpoint: str
    averaged: bool
    sizes: list[int]
    x: Tensor
    adjacency: Tensor
    features_out: Tensor
    adjacency_out: Tensor


class SamplerTrace(NamedTuple):
    """A run: its sampler (None, None for S4), processes, graphs, and its arrays by their names
    in the file.
    """

    corrector: str | None
    predictor: str | None
    processes: tuple[str, str]
    sizes: list[int]
    arrays: dict[str, Any]


def load_networks(path: Path) -> NetworkTrace:
    """Return the outputs of networks in a file. Raises UserError for one that is no archive of
    arrays.
    """
    arrays = _arrays(path)
    checkpoint = "gdss-" + path.stem.removeprefix("gdss_network_")
    adjacency, out = (
        _square(arrays[name], arrays["x"].shape[1]) for name in ("adj_upper", "network_adj_upper")
    )
    sizes, averaged = arrays["flags"].sum(1).tolist(), bool(arrays["ema"])
    return NetworkTrace(
        checkpoint, averaged, sizes, arrays["x"], adjacency, arrays["network_x"], out
    )


def _square(upper: Tensor, side: int) -> Tensor:
    """Return symmetric matrices (batch, side, side) of zero diagonal from their upper triangles."""
    i, j = torch.triu_indices(side, side, 1)
    square = upper.new_zeros(len(upper), side, side)
    square[:, i, j] = square[:, j, i] = upper
    return square


def load_sampler(path: Path) -> SamplerTrace:
    """Return the run in a file. Raises as `load_networks`, and ValueError for a name of no case."""
    case = _CASE.fullmatch(path.stem)
    if not case:
        raise ValueError(f"{path}: no trace of a graph sampler has this name")
    arrays = _arrays(path)
    processes, sizes = (
        (str(arrays["sde_x"]), str(arrays["sde_adj"])),
        arrays["flags"].sum(1).tolist(),
    )
    return SamplerTrace(case["corrector"], case["predictor"], processes, sizes, arrays)


def _arrays(path: Path) -> dict[str, Any]:
    """Return the arrays of a file by name, numbers as tensors."""
    arrays = load_arrays(path.read_bytes(), str(path))
    return {
        name: held if held.dtype.kind == "U" else torch.from_numpy(held)
        for name, held in arrays.items()
    }


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
    """Return the largest deviations of the states at network calls, and of the result; infinite
    for other calls.
    """
    result, calls = rerun(trace, SYSTEMS)
    recorded = zip(trace.arrays["call_x"], trace.arrays["call_adj"], strict=True)
    in_order = [name for name, _, _ in calls] == trace.arrays["call_network"].tolist()
    states = max(
        max(map(apart, call, seen)) for (_, *call), seen in zip(calls, recorded, strict=False)
    )
    end = max(map(apart, result, (trace.arrays["final_x"], trace.arrays["final_adj"])))
    return {"states": states if in_order else math.inf, "result": end}


CORRECTORS: dict[str, samplers.Corrector] = {
    "langevin": samplers.langevin,
    "released_adaptive": partial(samplers.authors_momentum, samplers.ADAPTIVE),
    "released_constant": partial(samplers.authors_momentum, samplers.CONSTANT),
}
PREDICTORS: dict[str, samplers.Predictor] = {
    "euler": samplers.euler_maruyama,
    "reverse": samplers.reverse_diffusion,
}
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
    """Return the padded result of our sampler from the recorded start with the recorded noise, and
    its network calls.

    Raises DataUnavailable where the networks cannot be had.
    """
    pair, layout = Pair(*(systems[name] for name in trace.processes)), Layout.of(trace.sizes)
    both, calls = (
        scores(checkpoints.networks("gdss-community_small", False), pair, layout),
        list[Call](),
    )
    side, packs, halves = (
        trace.arrays["final_x"].shape[1],
        (layout.pack_rows, layout.pack_pairs),
        [],
    )
    for part, pack, score, owner in zip(
        ("x", "adj"), packs, both, Ownership.both(layout), strict=True
    ):
        start, noise = (
            pack(trace.arrays[f"call_{part}"][0]),
            map(pack, trace.arrays[f"noise_{part}"]),
        )
        halves.append(
            Half(
                start, _noted(part, score, layout, side, calls), replayed(noise), RaggedBatch(owner)
            )
        )
    end = samplers.denoised_end(samplers.coupled(plan_of(trace, pair), *halves))
    return end.padded(layout, side), calls


def _noted(
    part: str, score: CoupledScore, layout: Layout, side: int, calls: list[Call]
) -> CoupledScore:
    """Return the score, which adds each of its calls to `calls`."""

    def noted(own: Tensor, partner: Tensor, level: Level) -> Tensor:
        x, adjacency = (own, partner) if part == "x" else (partner, own)
        calls.append((part, layout.pad_rows(x, side), layout.pad_pairs(adjacency, side)))
        return score(own, partner, level)

    return noted


TRACES = Path(__file__).parents[3] / "tests" / "golden" / "graphs"
STEP_COUNTS = (100, 200, 500, 1000)
"""Numbers of steps over whose times sigma is compared."""
VP_RANGES = ((0.1, 1.0), (0.2, 0.8))
"""Rates of the published VP processes."""


def largest_deviation(pattern: str, quantities: Sequence[str]) -> Measurement:
    """Return the largest deviation of some quantities over the traces that match, each one's own in
    the detail.

    Raises ValueError where no trace matches, DataUnavailable where the networks cannot be had.
    """
    return named_extreme(
        {
            f"{path.stem}, {quantity}": deviation
            for path in traces(pattern)
            for quantity, deviation in deviations(path).items()
            if quantity in quantities
        }
    )


def traces(pattern: str) -> list[Path]:
    """Return the golden traces of graphs that match."""
    return sorted(TRACES.glob(pattern))


def error_of_float32_sigma_at_last_time() -> Measurement:
    """Measure the relative error of the authors' sigma at the last time, 1e-4, the largest over
    the published rates.
    """
    return named_extreme({str(rates): sigma_error(VP(*rates), END) for rates in VP_RANGES})


def error_of_float32_sigma_before() -> Measurement:
    """Measure the relative error of the authors' sigma before the last time, the largest over
    rates and step counts.
    """
    return named_extreme(
        {
            f"{rates}, {n} steps": max(
                sigma_error(VP(*rates), at.t) for at in vp_system(*rates).levels(n, END)[:-1]
            )
            for rates in VP_RANGES
            for n in STEP_COUNTS
        }
    )


def sigma_error(process: VP, t: float) -> float:
    """Return the relative error of the score's factor `1 / sigma(t)` in the authors' code."""
    scale, sigma = process.marginal(t)
    level = Level(0, sigma=sigma, scale=scale, t=t)
    return abs(float32_noise(process)(level) / predicted_noise(level) - 1)


EXACT = {**SYSTEMS, "VP": vp_system(0.1, 1.0)}
"""The processes of the traces, with sigma to the last bit."""


def change_of_results_by_exact_sigma() -> Measurement:
    """Measure the largest change of an entry of a recorded run's result, features and adjacency,
    by exact sigmas.
    """
    return _exact_results(lambda exact, float32: max(map(apart, exact, float32)))


def edges_changed_by_exact_sigma() -> Measurement:
    """Measure the number of edges of a recorded run's result that exact sigmas change, the
    largest over the traces.
    """
    return _exact_results(
        lambda exact, float32: float(
            ((exact.adjacency >= PRESENT) != (float32.adjacency >= PRESENT)).sum()
        )
    )


def _exact_results(compared: Callable[[Denoised, Denoised], float]) -> Measurement:
    """Compare replays of recorded runs with exact sigmas and with the authors'. Raises
    DataUnavailable.

    Both are replayed here: a float32 sum rounds by processor, which moves a result of S4 by 0.006
    to 0.013.
    """
    runs = {path.stem: load_sampler(path) for path in traces("gdss_sampler_*.npz")}
    return named_extreme(
        {
            name: compared(*(rerun(run, systems)[0] for systems in (EXACT, SYSTEMS)))
            for name, run in runs.items()
        }
    )
