"""The claims on the authors' graph code: their verdicts, and the changes that flip them."""

import math
from functools import partial
from pathlib import Path

import pytest

from ams.schedules import VP
from experiments.graphs import samplers
from experiments.graphs.gdss_traces import checks, replay
from experiments.graphs.gdss_traces.checks import sigma_error
from tests.ams.traces.test_trace_file import changed
from tests.claims import expected, refuted, verdict_of


@pytest.mark.parametrize("identifier", ["V1", "V2"])
def test_claims_come_out_as_expected(identifier: str, authors_files: None) -> None:
    assert verdict_of(identifier) is expected(identifier)


def test_a_changed_sampler_leaves_the_trace(authors_files: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of V1: momentum that the adjacency keeps, another snr in S4, inputs off by a thousandth."""
    monkeypatch.setitem(replay.CORRECTORS, "released_adaptive", partial(samplers.momentum_in_both, samplers.ADAPTIVE))
    assert refuted("V1", "states", "results")
    s4 = samplers.s4
    monkeypatch.setattr(samplers, "s4", lambda snr, scale_eps: s4(1.01 * snr, scale_eps))
    assert refuted("V1", "s4_states")
    monkeypatch.setattr(samplers, "s4", lambda snr, scale_eps: s4(1.2 * snr, scale_eps))
    assert refuted("V1", "s4_results")
    true = replay.load_networks
    monkeypatch.setattr(replay, "load_networks", lambda path: true(path)._replace(x=1.001 * true(path).x))
    assert refuted("V1", "networks")


def test_other_calls_are_an_infinite_deviation(tmp_path: Path, authors_files: None) -> None:
    name = "graphs/gdss_sampler_released_adaptive_reverse_n2"
    path = changed(tmp_path, name, lambda z: z.update(call_network=z["call_network"][::-1]))
    assert math.isinf(replay.deviations(path)["states"])


def test_float64_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of V2: an exact sigma loses nothing at the end; one off by a thousandth loses everywhere."""
    monkeypatch.setattr(checks, "float32_noise", lambda process: checks.predicted_noise)
    assert refuted("V2", "last")
    monkeypatch.setattr(checks, "float32_noise", lambda process: lambda level: -1.001 / level.sigma)
    assert refuted("V2", "before")


def test_another_process_changes_results_and_edges(authors_files: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(checks.EXACT, "VP", checks.vp_system(0.1, 1.4))
    assert refuted("V2", "entries", "edges")


def test_the_loss_of_float32_is_that_of_its_spacing() -> None:
    """`1 - exp(2 l)` is known to a spacing below 1, 6e-8: sigma to half of that over sigma squared."""
    process = VP(0.1, 1.0)
    for t in (1e-4, 1e-3, 1e-2, 0.1, 1.0):
        assert sigma_error(process, t) <= 2**-24 / (2 * process.marginal(t)[1] ** 2) + 1e-6
