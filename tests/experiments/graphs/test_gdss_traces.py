"""The claims on the released graph code: their verdicts, and the breaks that flip them."""

from __future__ import annotations

from functools import partial

import pytest

from ams.errors import DataUnavailable
from ams.schedules import VP
from experiments.graphs import samplers
from experiments.graphs.gdss_traces import checks as released, replay
from experiments.graphs.gdss_traces.checks import Settings, deviations, sigma_error, traces
from tests.claims import claims, verdict_of
from verdicts.claims.schema import Verdict


@pytest.fixture
def mirrored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip without the authors' files."""
    monkeypatch.setenv("AMS_OFFLINE", "1")
    try:
        for name in ("gdss-community_small", "gdss-qm9", "gdss-zinc250k_v2"):
            replay.cached_networks(name, False)
    except DataUnavailable as absence:
        pytest.skip(str(absence))


@pytest.mark.parametrize("identifier", ["V1", "V2"])
def test_claims_come_out_as_expected(identifier: str, mirrored: None) -> None:
    assert verdict_of(identifier) is claims()[identifier].expected


def test_a_changed_sampler_leaves_the_trace(mirrored: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of V1: momentum that the adjacency keeps, another snr in S4, weights off by a thousandth."""
    monkeypatch.setitem(replay.CORRECTORS, "released_adaptive", samplers.described_adaptive)
    assert verdict_of("V1", only=".states") is Verdict.REFUTED
    assert verdict_of("V1", only=".results") is Verdict.REFUTED
    s4 = samplers.s4
    monkeypatch.setattr(samplers, "s4", lambda snr, scale_eps: s4(1.01 * snr, scale_eps))
    assert verdict_of("V1", only=".s4_states") is Verdict.REFUTED
    monkeypatch.setattr(samplers, "s4", lambda snr, scale_eps: s4(1.2 * snr, scale_eps))
    assert verdict_of("V1", only=".s4_results") is Verdict.REFUTED
    true = replay.load_networks
    monkeypatch.setattr(replay, "load_networks", lambda path: true(path)._replace(x=1.001 * true(path).x))
    assert verdict_of("V1", only=".networks") is Verdict.REFUTED


def test_float64_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of V2: sigma as it should be loses nothing at the end; a sloppier one loses everywhere."""
    monkeypatch.setattr(released, "released_noise", lambda process: released.predicted_noise)
    assert verdict_of("V2", only=".last") is Verdict.REFUTED
    monkeypatch.setattr(released, "released_noise", lambda process: lambda level: -1.001 / level.sigma)
    assert verdict_of("V2", only=".before") is Verdict.REFUTED


def test_another_process_moves_results_and_edges(mirrored: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(released.EXACT, "VP", partial(released.vp_level, 0.1, 1.4))
    assert verdict_of("V2", only=".entries") is Verdict.REFUTED
    assert verdict_of("V2", only=".edges") is Verdict.REFUTED


def test_what_float32_loses_is_what_its_spacing_says() -> None:
    """`1 - exp(2 l)` is known to a spacing below 1, 6e-8: sigma to half of that over sigma squared."""
    process = VP(0.1, 1.0)
    for t in (1e-4, 1e-3, 1e-2, 0.1, 1.0):
        assert sigma_error(process, t) <= 2**-24 / (2 * process.marginal(t)[1] ** 2) + 1e-6


def test_no_trace_is_one_line() -> None:
    with pytest.raises(FileNotFoundError, match="no golden trace gdss_none"):
        traces("gdss_none*.npz")
    with pytest.raises(FileNotFoundError, match="restore it"):
        deviations("gdss_none*.npz", "states")
    assert Settings().levels[-1] == 1000
