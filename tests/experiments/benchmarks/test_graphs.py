"""T7's two sides do the same work, as published; T8 counts what it says; both can fail. Nothing is timed."""

from __future__ import annotations

import pytest
import torch

from ams.errors import DataUnavailable
from experiments.benchmarks.graph_speed import checks as graphs
from experiments.benchmarks.graph_speed import padded as graphs_padded
from experiments.benchmarks.small import judged, told
from experiments.graphs import graph_layout as module
from experiments.graphs.gdss_traces.trace_file import load_networks
from experiments.graphs.generation import PUBLISHED
from experiments.graphs.graph_layout import Layout
from experiments.graphs.ragged_batch import Ownership
from experiments.graphs.systems import scores
from tests.ams.traces.test_trace_file import GOLDEN
from tests.claims import verdict_of
from verdicts.claims.schema import Verdict

SMALL = graphs.Settings(community_small=4, ego_small=4, enzymes=2, steps=3, pairs=6)


@pytest.fixture
def mirrored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip without the authors' files."""
    monkeypatch.setenv("AMS_OFFLINE", "1")
    try:
        graphs.problem("ego_small", 1, 1, 0).both  # noqa: B018 - that it can be had
    except DataUnavailable as absence:
        pytest.skip(str(absence))


@pytest.mark.parametrize("name", ["community_small", "ego_small", "ENZYMES"])
def test_both_sides_have_the_same_scores(name: str, mirrored: None) -> None:
    """In float32 the sums differ in their last digits: 1e-5 of the largest."""
    given, side = graphs.problem(name, 3, 2, 1), PUBLISHED[name].largest
    layout, generator = Layout.of(given.sizes), torch.Generator().manual_seed(0)
    x = torch.randn(layout.nodes, given.setting.features, generator=generator)
    a = torch.randn(layout.pairs, generator=generator)
    real = (torch.arange(side) < torch.tensor(given.sizes)[:, None]).float()
    level = given.setting.pair.features.levels(5, 0.1)[2]
    packed = scores(given.both, given.setting.pair, layout)
    padded = graphs.padded_scores(given.setting, real)
    wide, square = layout.pad_rows(x, side), layout.pad_pairs(a, side)
    found = layout.pad_rows(packed[0](x, a, level), side), layout.pad_pairs(packed[1](a, x, level), side)
    for one, other in zip(found, (padded[0](wide, square, level), padded[1](square, wide, level)), strict=True):
        assert (one - other).abs().max() < 1e-5 * other.abs().max()


def test_padded_samples_are_masked_and_symmetric(mirrored: None) -> None:
    end = graphs.padded_run(graphs.problem("community_small", 4, 3, 1))()
    sizes = graphs.problem("community_small", 4, 3, 1).sizes
    assert torch.equal(end.adjacency, end.adjacency.mT)
    assert end.adjacency.count_nonzero(dim=(1, 2)).tolist() == [n * (n - 1) for n in sizes]
    assert end.features.any(dim=2).sum(1).tolist() == list(sizes)


def test_the_padded_networks_are_the_published_ones(mirrored: None) -> None:
    """On the golden inputs: float32, 1e-5 of the largest."""
    trace = load_networks(GOLDEN / "graphs" / "gdss_network_community_small.npz")
    real = (torch.arange(trace.x.shape[1]) < torch.tensor(trace.sizes)[:, None]).float()
    features, adjacency = graphs.published_tensors(PUBLISHED["community_small"]._replace(averaged=trace.averaged))
    given = trace.x.float(), trace.adjacency.float(), real
    for found, wanted in (
        (graphs_padded.features_network(*given, features), trace.features_out),
        (graphs_padded.adjacency_network(*given, adjacency), trace.adjacency_out),
    ):
        assert (found - wanted).abs().max() < 1e-5 * wanted.abs().max()


@pytest.mark.parametrize(("name", "bar"), [("community_small", 1.6), ("ego_small", 3.5), ("ENZYMES", 12.0)])
def test_a_slower_packing_breaks_t7(name: str, bar: float, mirrored: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of T7: a clock by which padding costs less than the bar."""
    assert judged("T7", f"T7.{name}", SMALL, monkeypatch, 0.9 * bar) is Verdict.REFUTED
    assert judged("T7", f"T7.{name}", SMALL, monkeypatch, 1.1 * bar) is Verdict.HOLDS


def test_waste_breaks_t8(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of T8: a clock by which a run costs three times its arithmetic; norms by way of all pairs of graphs;
    and no blocks."""
    assert judged("T8", "T8.arithmetic", SMALL, monkeypatch, 3.0) is Verdict.REFUTED
    assert judged("T8", "T8.arithmetic", SMALL, monkeypatch, 1.5) is Verdict.HOLDS
    wide = graphs.Settings(community_small=16, steps=1)
    assert verdict_of("T8", "T8.memory", wide) is verdict_of("T8", "T8.evaluation", wide) is Verdict.HOLDS
    with monkeypatch.context() as patch:
        plain = Ownership.norms
        patch.setattr(Ownership, "norms", lambda own, v: torch.zeros(own.graphs, own.graphs, 99).sum() + plain(own, v))
        assert verdict_of("T8", "T8.memory", wide) is Verdict.REFUTED
    monkeypatch.setattr(module, "BLOCK_LIMIT", 10**9)
    monkeypatch.setattr(module, "BLOCK_COST", 10**9)
    assert verdict_of("T8", "T8.evaluation", wide) is Verdict.REFUTED


def test_ratios_are_padded_over_packed(mirrored: None, monkeypatch: pytest.MonkeyPatch) -> None:
    told(monkeypatch, 3.0, 1.5)
    found = graphs.on_community_small(SMALL)
    assert found.value == 2.0 and found.detail["padded_nodes"] == 20


def test_arithmetic_is_that_of_the_networks() -> None:
    """Two networks, twice a step, of three and of five layers: each product and activation of a block is noted once."""
    counts = []
    for kinds in (graphs.PRODUCTS, graphs.ACTIVATIONS):
        noted = graphs.Arithmetic(kinds)
        work = graphs.packed_run(graphs.own_problem(1, graphs.Settings(steps=1)))
        with noted:
            work()
        noted.again()
        counts.append(len(noted.calls))
    convolutions, layers, final = 3, 5, 3
    features = 2 * convolutions + final, convolutions + final - 1
    adjacency = 1 + 3 * layers + 2 * layers + 2 * (layers - 1) + final, 3 * layers - 1 + layers - 1 + final - 1
    assert counts == [2 * (one + other) for one, other in zip(features, adjacency, strict=True)]


def test_what_is_alive_is_counted_while_it_is() -> None:
    """Views hold what they are of; what is dropped counts no longer; what was there before never does."""
    given = torch.zeros(1000)
    with graphs.Alive() as alive:
        one = given + 1
        view = one[10:].view(2, 495)
        assert alive.now == alive.peak == 4000
        one = view * 2
        assert alive.now == 4000 + 3960
        del view
        assert alive.now == 3960 and alive.peak == 4000 + 3960
        one.add_(1.0)
        assert alive.now == 3960
    del one


def test_shares_of_time_are_all_of_it() -> None:
    shares = graphs.time_by_kind(graphs.packed_run(graphs.own_problem(4, SMALL)))
    assert sum(shares.values()) == pytest.approx(1.0) and min(shares.values()) > 0
    table = graphs.tables(SMALL)[0]
    assert [sum(column) for column in list(zip(*table.rows, strict=True))[1:]] == pytest.approx(
        [100.0] * (len(table.header) - 1), abs=0.5
    )
