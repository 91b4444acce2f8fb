"""The ragged layout: nothing lost, nothing padded, and the cheapest cutting into blocks."""

from itertools import chain, combinations, pairwise

import pytest
import torch
from hypothesis import given, settings, strategies as st

from experiments.graphs import graph_layout as module
from experiments.graphs.graph_layout import Layout

SIZES = st.lists(st.integers(1, 9), min_size=1, max_size=8)
few = settings(deadline=None, max_examples=30)


@given(sizes=SIZES, more=st.integers(0, 3))
@few
def test_padded_and_back(sizes: list[int], more: int) -> None:
    layout, side = Layout.of(sizes), max(sizes) + more
    rows, pairs = torch.randn(layout.nodes, 2), torch.randn(layout.pairs)
    wide, square = layout.pad_rows(rows, side), layout.pad_pairs(pairs, side)
    assert torch.equal(layout.pack_rows(wide), rows) and torch.equal(layout.pack_pairs(square), pairs)
    assert torch.equal(square, square.mT) and not square.diagonal(dim1=1, dim2=2).any()
    for number, n in enumerate(sizes):
        assert not wide[number, n:].any() and not square[number, n:].any() and not square[number, :, n:].any()
        assert wide[number, :n].all() and square[number].count_nonzero() == n * (n - 1)


@given(sizes=SIZES)
@few
def test_a_block_is_its_graphs(sizes: list[int]) -> None:
    layout = Layout.of(sizes)
    channels, rows = torch.randn(2, layout.pairs), torch.randn(layout.nodes, 3)
    whole = [layout.pad_pairs(channel, max(sizes))[torch.tensor(layout.order)] for channel in channels]
    done = 0
    for block in layout.blocks:
        squares = block.squares(channels[:, block.pairs])
        wanted = torch.stack(whole)[:, done : done + block.graphs, : block.side, : block.side]
        assert torch.equal(squares, wanted + torch.eye(block.side))
        assert torch.equal(block.above(squares), channels[:, block.pairs])
        wide = block.spread(rows[block.nodes])
        assert wide.shape == (block.graphs, block.side, 3)
        assert torch.equal(block.rows(wide.flatten(0, 1)[None])[0], rows[block.nodes])
        done += block.graphs
    assert done == len(sizes) == layout.graphs
    assert layout.blocks[-1].nodes.stop == layout.nodes and layout.blocks[-1].pairs.stop == layout.pairs


def cost(sizes: list[int], cuts: tuple[int, ...]) -> int:
    return sum((j - i) * sizes[j - 1] ** 2 + module.BLOCK_COST for i, j in pairwise(cuts))


@given(sizes=st.lists(st.integers(1, 12), min_size=1, max_size=9).map(sorted), price=st.integers(0, 300))
@few
def test_no_cutting_is_cheaper(sizes: list[int], price: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK_COST", price)
        inner = range(1, len(sizes))
        every = chain.from_iterable(combinations(inner, count) for count in range(len(sizes)))
        best = min(cost(sizes, (0, *cuts, len(sizes))) for cuts in every)
        assert cost(sizes, tuple(module._cuts(sizes))) == best


def test_a_block_fits_the_cache_unless_it_is_one_graph() -> None:
    layout = Layout.of([30] * 40 + [200, 201] + [5] * 900)
    assert sum(block.graphs for block in layout.blocks) == 942
    assert all(block.graphs * block.side**2 <= module.BLOCK_LIMIT for block in layout.blocks if block.graphs > 1)
    assert [block.side for block in layout.blocks if block.graphs == 1] == [200, 201]


@pytest.mark.parametrize("sizes", [[], [3, 0], [-1]])
def test_no_graph_or_an_empty_one_is_refused(sizes: list[int]) -> None:
    with pytest.raises(ValueError, match="at least one node each"):
        Layout.of(sizes)
