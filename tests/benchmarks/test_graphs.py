"""The two sides of T7 do the same work, and its ratios are ratios; nothing is timed."""

from __future__ import annotations

import pytest
import torch

from ams.ledger.measurement import Unavailable
from experiments.graphs import layout as module
from experiments.graphs.generation import PUBLISHED
from experiments.graphs.layout import Layout
from experiments.graphs.systems import scores
from tests.benchmarks import graphs
from tests.benchmarks.small import told

SMALL = graphs.Settings(community_small=4, ego_small=4, enzymes=2, steps=3, pairs=6)


@pytest.fixture(autouse=True)
def mirrored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip without the authors' files."""
    monkeypatch.setenv("AMS_OFFLINE", "1")
    try:
        graphs.problem("ego_small", 1, 1, 0).both  # noqa: B018 - that it can be had
    except Unavailable as absence:
        pytest.skip(str(absence))


@pytest.mark.parametrize("name", ["community_small", "ego_small", "ENZYMES"])
def test_both_sides_have_the_same_scores(name: str) -> None:
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


def test_padded_samples_are_masked_and_symmetric() -> None:
    end = graphs.padded_run(graphs.problem("community_small", 4, 3, 1))()
    sizes = graphs.problem("community_small", 4, 3, 1).sizes
    assert torch.equal(end.adjacency, end.adjacency.mT)
    assert end.adjacency.count_nonzero(dim=(1, 2)).tolist() == [n * (n - 1) for n in sizes]
    assert end.features.any(dim=2).sum(1).tolist() == list(sizes)


def test_ratios_are_padded_over_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    told(monkeypatch, 3.0, 1.5)
    found = graphs.on_community_small(SMALL)
    assert found.value == 2.0 and found.detail["padded_nodes"] == 20
    assert graphs.against_its_products(SMALL).value == 2.0


def test_products_are_those_of_the_networks() -> None:
    """Two networks, twice a step, of three layers and five: every product of a block is noted once."""
    work, products = graphs.packed_run(graphs.problem("community_small", 1, 1, 0)), graphs.Products()
    with products:
        work()
    features, layers = 2 * 3 + 3, 5
    adjacency = 1 + layers * 3 + layers * 2 + 4 * 2 + 3
    assert len(products.calls) == 2 * (features + adjacency)


def test_memory_is_a_blocks_and_without_blocks_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = graphs.Settings(community_small=64)
    assert graphs.memory_of_an_evaluation(settings).value < 1.3
    monkeypatch.setattr(module, "BLOCK_LIMIT", 10**9)
    monkeypatch.setattr(module, "BLOCK_COST", 10**9)
    assert graphs.memory_of_an_evaluation(settings).value > 3
