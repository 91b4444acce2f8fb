r"""The graph networks and samplers here are the released ones (V1), and what the release's float32 loses (V2).

The release computes `sigma(t) = sqrt(1 - exp(2 l))`, `l = -t^2 (beta_max - beta_min)/4 - t beta_min/2`, in float32. At
the last time 1e-4 the difference is 1e-5, and float32 knows numbers just below 1 to 3e-8 (half its spacing there): so
it is up to 0.3 % off, and sigma half as much.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

from pydantic import BaseModel, ConfigDict, JsonValue
from torch import Tensor

from ams.schedules import VP, Level
from experiments.graphs.data import PRESENT
from experiments.graphs.gdss_traces import replay
from experiments.graphs.gdss_traces.trace_file import SamplerTrace, load_sampler
from experiments.graphs.graph_layout import Layout
from experiments.graphs.systems import System, predicted_noise, released_noise, vp_level
from verdicts import Measurement, check
from verdicts.claims.sizes import Sizes

TRACES = Path(__file__).parents[2] / "tests" / "golden" / "graphs"
CORRECTED, S4 = "gdss_sampler_released_*.npz", "gdss_sampler_s4.npz"
VP_RANGES = ((0.1, 1.0), (0.2, 0.8))
"""Rates of the published VP processes."""


class Settings(BaseModel):
    """`levels`: the step counts over whose times sigma is compared."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    levels: Sizes = (100, 200, 500, 1000)


def deviations(pattern: str, *quantities: str) -> Measurement:
    """Return the largest deviation of some quantities over the traces that match, each one's own in the detail.

    Raises FileNotFoundError where no trace matches, DataUnavailable where the networks cannot be had.
    """
    found = {
        f"{path.stem}, {deviation.quantity}": deviation.value
        for path in traces(pattern)
        for deviation in replay.deviations(path)
        if deviation.quantity in quantities
    }
    return Measurement(value=max(found.values()), n=len(found), detail=cast(dict[str, JsonValue], found))


def traces(pattern: str) -> list[Path]:
    """Return the golden traces of graphs that match. Raises FileNotFoundError where none does."""
    if not (paths := sorted(TRACES.glob(pattern))):
        raise FileNotFoundError(f"no golden trace {pattern} in {TRACES}: restore it from the repository")
    return paths


@check("V1.networks")
def networks_follow(settings: Settings) -> Measurement:
    """Return the largest relative deviation of a network's output on a graph."""
    return deviations("gdss_network_*.npz", "features network", "adjacency network")


@check("V1.states")
def corrected_states_follow(settings: Settings) -> Measurement:
    """Return the largest deviation of a state that a network was called with, adaptive and constant momentum."""
    return deviations(CORRECTED, "states")


@check("V1.results")
def corrected_results_follow(settings: Settings) -> Measurement:
    """Return the largest deviation of a denoised result, adaptive and constant momentum."""
    return deviations(CORRECTED, "result")


@check("V1.s4_states")
def s4_states_follow(settings: Settings) -> Measurement:
    """Return the largest deviation of a state that a network was called with, S4."""
    return deviations(S4, "states")


@check("V1.s4_results")
def s4_results_follow(settings: Settings) -> Measurement:
    """Return the largest deviation of S4's denoised result."""
    return deviations(S4, "result")


@check("V2.last")
def float32_loses_at_the_end(settings: Settings) -> Measurement:
    """Return the relative error of the release's sigma at the last time, 1e-4: the largest of the published rates."""
    return _largest({str(rates): sigma_error(VP(*rates), replay.END) for rates in VP_RANGES})


@check("V2.before")
def float32_suffices_before(settings: Settings) -> Measurement:
    """Return the relative error of the release's sigma at every earlier time of every step count, the largest."""
    errors = {
        f"{rates}, {n} steps": max(
            sigma_error(VP(*rates), level.t) for level in vp_level(*rates).levels(n, replay.END)[:-1]
        )
        for rates in VP_RANGES
        for n in settings.levels
    }
    return _largest(errors)


def sigma_error(process: VP, t: float) -> float:
    """Return the relative error of the score's factor `1 / sigma(t)` as the release has it."""
    scale, sigma = process.marginal(t)
    level = Level(0, sigma=sigma, scale=scale, t=t)
    return abs(released_noise(process)(level) / predicted_noise(level) - 1)


def _largest(errors: Mapping[str, float]) -> Measurement:
    return Measurement(value=max(errors.values()), n=len(errors), detail=dict(errors))


EXACT: Mapping[str, Callable[[], System]] = {**replay.SYSTEMS, "VP": lambda: vp_level(0.1, 1.0)}
"""The traces' processes, with sigma to the last bit."""


@check("V2.entries")
def results_move(settings: Settings) -> Measurement:
    """Return how far exact sigmas move an entry of a recorded result, features and adjacency, at most."""
    return _exact_results(lambda pairs: max(float((ours - theirs).abs().max()) for ours, theirs in pairs))


@check("V2.edges")
def no_edge_changes(settings: Settings) -> Measurement:
    """Return how many edges of the recorded results exact sigmas change."""
    return _exact_results(lambda pairs: float(((pairs[1][0] >= PRESENT) != (pairs[1][1] >= PRESENT)).sum()))


Results = tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]


def _exact_results(compared: Callable[[Results], float]) -> Measurement:
    return _largest({path.stem: compared(exact_result(load_sampler(path))) for path in traces("gdss_sampler_*.npz")})


def exact_result(trace: SamplerTrace) -> Results:
    """Return features, then adjacency, of a recorded run: with exact sigmas, as recorded. Raises DataUnavailable."""
    features, adjacency = trace.arrays["final_x"], trace.arrays["final_adj"]
    layout, side = Layout.of(trace.sizes), adjacency.shape[1]
    networks = replay.cached_networks("gdss-community_small", False)
    end = replay.rerun(trace, layout, networks, replay.Calls(layout, side), EXACT)
    return (layout.pad_rows(end.features, side), features), (layout.pad_pairs(end.adjacency, side), adjacency)
