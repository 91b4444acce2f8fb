"""The networks: equal to the padded formulation, equivariant, blind to the batch; differentiable, for training."""

import pytest
import torch
from hypothesis import given, settings, strategies as st

from experiments.benchmarks import padded_networks as graphs_padded
from experiments.graphs import graph_layout as module
from experiments.graphs.graph_layout import Layout
from tests.experiments.graphs import random_networks as small

SIZES = st.lists(st.integers(1, 7), min_size=1, max_size=5)
ATTENTIVE = pytest.mark.parametrize("attentive", [False, True], ids=["plain", "attentive"])
few = settings(deadline=None, max_examples=15)
PLAIN, WITH_ATTENTION = (small.made_networks(attentive=attentive) for attentive in (False, True))


def close(one: torch.Tensor, other: torch.Tensor) -> None:
    torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


@ATTENTIVE
@given(sizes=SIZES, more=st.integers(0, 2), seed=st.integers(0, 99))
@few
def test_ragged_is_padded(attentive: bool, sizes: list[int], more: int, seed: int) -> None:
    both, held = WITH_ATTENTION if attentive else PLAIN, small.checkpoint(attentive=attentive)
    layout, x, a = small.batch(sizes, seed)
    side = max(sizes) + more
    padded = layout.pad_rows(x, side), layout.pad_pairs(a, side), small.real_nodes(sizes, side)
    features = graphs_padded.features_network(*padded, held["x_state_dict"])
    adjacency = graphs_padded.adjacency_network(*padded, held["adj_state_dict"])
    close(layout.pad_rows(both.features(x, a, layout), side), features)
    close(layout.pad_pairs(both.adjacency(x, a, layout), side), adjacency)


@pytest.mark.parametrize(("price", "limit"), [(0, 1), (0, 100), (10**6, 10**6)], ids=["one each", "some", "all"])
def test_the_cutting_changes_nothing(price: int, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = [3, 5, 5, 2, 6, 5]
    layout, x, a = small.batch(sizes)
    monkeypatch.setattr(module, "BLOCK_COST", price)
    monkeypatch.setattr(module, "BLOCK_LIMIT", limit)
    other = Layout.of(sizes)
    assert len(other.blocks) == {1: 6, 100: 4, 10**6: 1}[limit]
    for network in PLAIN:
        close(network(x, a, layout), network(x, a, other))


def test_gradients_are_the_derivatives() -> None:
    """What training needs, though the forward pass works in place."""
    layout, x, a = small.batch([3, 2])
    x.requires_grad_(True), a.requires_grad_(True)
    for network in (*PLAIN, WITH_ATTENTION.features):
        assert torch.autograd.gradcheck(lambda x, a, network=network: network(x, a, layout), (x, a))


def test_empty_channels_are_left_out_and_change_nothing() -> None:
    """A channel without queries, one with tiny keys, and a layer without values."""
    network, (layout, x, a) = small.made_networks(seed=5).adjacency, small.batch([4, 3, 5])
    first, second = (layer.attention for layer in network.layers)
    for parameter in first.convolution.parameters():
        parameter[0, :, : small.WIDTH] = 0.0
        parameter[1, :, small.WIDTH : 2 * small.WIDTH] *= 1e-20
    for parameter in second.convolution.parameters():
        parameter[..., 2 * small.WIDTH :] = 0.0
    whole = network(x, a, layout)
    for attention in (first, second):
        attention.prune()
    assert first.live.tolist() == [] and first.valued and not second.valued
    close(network(x, a, layout), whole)
