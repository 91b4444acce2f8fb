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
