"""Ragged batches of graphs: they store real nodes and real pairs, nothing else.

Graphs of `n_1 <= n_2 <= ...` nodes lie one after the other: node features as (nodes, F), symmetric
matrices without diagonal as their strict upper triangles, row by row, (..., pairs). So a ragged
vector is symmetric, has a zero diagonal and no padding by construction, and a network that works
node by node or pair by pair wastes nothing.

Products of matrices need squares. So neighbouring graphs form *blocks*, padded to the size of the
largest graph. Sizes are cut into blocks where the entries that padding adds, `sum (N^2 - n^2)`,
cost more than another block: `_cuts` finds the cheapest cutting by dynamic programming.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

BLOCK_COST = 4000
"""The cost of a further block, in matrix entries of padding."""
BLOCK_LIMIT = 8000
"""How many matrix entries a block of several graphs may have: so the results of its layers stay
in a cache.
"""


@dataclass(frozen=True)
class Block:
    """Neighbouring graphs as `graphs` squares of side `side`; `nodes`, `pairs` are their ranges in
    the ragged vectors.

    All other numbers count within the block. `entry` is, for each of the (graphs, side, side)
    entries, flat, the number of its pair; the two numbers after the last pair stand for an entry
    beyond the graph and for the diagonal. `upper` and `lower` hold the places of pairs in the
    squares, above and below the diagonal, `real` those of nodes in (graphs, side).
    """

    graphs: int
    side: int
    nodes: slice
    pairs: slice
    entry: Tensor
    upper: Tensor
    lower: Tensor
    real: Tensor

    def squares(
        self, channels: Float[Tensor, "channels pairs"]
    ) -> Float[Tensor, "channels graphs side side"]:
        """Return symmetric matrices with 1 on the diagonal (of every row), and 0 beyond a graph."""
        ends = torch.tensor([0.0, 1.0], dtype=channels.dtype, device=channels.device).expand(
            len(channels), 2
        )
        slots = torch.cat((channels, ends), dim=1)
        return slots.index_select(1, self.entry).view(
            len(channels), self.graphs, self.side, self.side
        )

    def above(self, squares: Tensor) -> Float[Tensor, "channels pairs"]:
        """Return the entries above the diagonal, real pairs only."""
        return squares.flatten(1).index_select(1, self.upper)

    def symmetrised(self, squares: Tensor) -> Float[Tensor, "channels pairs"]:
        """Return the sum of the entries above and below the diagonal, real pairs only."""
        return self.above(squares) + squares.flatten(1).index_select(1, self.lower)

    def spread(
        self, rows: Float[Tensor, "nodes features"]
    ) -> Float[Tensor, "graphs side features"]:
        """Return the nodes' rows graph by graph; zero beyond a graph."""
        if len(self.real) == self.graphs * self.side:
            return rows.view(self.graphs, self.side, -1)
        wide = rows.new_zeros(self.graphs * self.side, rows.shape[1])
        return wide.index_copy(0, self.real, rows).view(self.graphs, self.side, -1)

    def rows(
        self, wide: Float[Tensor, "channels places features"]
    ) -> Float[Tensor, "channels nodes features"]:
        """Return the real nodes' rows of all `graphs * side` places."""
        return wide if len(self.real) == wide.shape[1] else wide.index_select(1, self.real)


@dataclass(frozen=True)
class Layout:
    """Where each graph of a batch lies: `sizes` ascending, `order[i]` the caller's number of the
    i-th.
    """

    sizes: tuple[int, ...]
    order: tuple[int, ...]
    blocks: tuple[Block, ...]

    @staticmethod
    def of(sizes: Sequence[int]) -> "Layout":
        """Return the layout of graphs of these numbers of nodes. Raises ValueError for none, or
        one below 1.
        """
        if not len(sizes) or min(sizes) < 1:
            raise ValueError(
                f"a batch needs graphs of at least one node each, got sizes {list(sizes)[:8]}"
            )
        order = sorted(range(len(sizes)), key=lambda i: sizes[i])
        ascending = tuple(int(sizes[i]) for i in order)
        return Layout(ascending, tuple(order), tuple(_blocks(ascending)))

    @property
    def graphs(self) -> int:
        """Return the number of graphs."""
        return len(self.sizes)

    @property
    def nodes(self) -> int:
        """Return the number of nodes in all."""
        return sum(self.sizes)

    @property
    def pairs(self) -> int:
        """Return the number of pairs of nodes of one graph, in all."""
        return sum(self._pairs)

    @cached_property
    def graph_of_node(self) -> Tensor:
        """Return the place in `sizes` of each node's graph."""
        return torch.repeat_interleave(torch.arange(self.graphs), torch.tensor(self.sizes))

    @cached_property
    def graph_of_pair(self) -> Tensor:
        """Return the place in `sizes` of each pair's graph."""
        return torch.repeat_interleave(torch.arange(self.graphs), torch.tensor(self._pairs))

    @property
    def _pairs(self) -> list[int]:
        return [math.comb(n, 2) for n in self.sizes]

    def pack_rows(
        self, padded: Float[Tensor, "graphs side features"]
    ) -> Float[Tensor, "nodes features"]:
        """Return the real nodes' rows of padded features, graphs in the caller's order."""
        return torch.cat(
            [padded[graph, :n] for graph, n in zip(self.order, self.sizes, strict=True)]
        )

    def pack_pairs(self, padded: Float[Tensor, "graphs side side"]) -> Float[Tensor, " pairs"]:
        """Return the strict upper triangles of padded symmetric matrices, graphs in the caller's
        order.
        """
        return torch.cat(
            [
                padded[graph][*torch.triu_indices(n, n, 1)]
                for graph, n in zip(self.order, self.sizes, strict=True)
            ]
        )

    def pad_rows(
        self, rows: Float[Tensor, "nodes features"], side: int
    ) -> Float[Tensor, "graphs side features"]:
        """Return features padded with zeros, graphs in the caller's order."""
        padded = rows.new_zeros(self.graphs, side, rows.shape[1])
        for graph, own in zip(self.order, rows.split(self.sizes), strict=True):
            padded[graph, : len(own)] = own
        return padded

    def pad_pairs(
        self, pairs: Float[Tensor, " pairs"], side: int
    ) -> Float[Tensor, "graphs side side"]:
        """Return symmetric matrices padded with zeros, graphs in the caller's order."""
        padded = pairs.new_zeros(self.graphs, side, side)
        for graph, n, own in zip(self.order, self.sizes, pairs.split(self._pairs), strict=True):
            padded[graph][*torch.triu_indices(n, n, 1)] = own
        return padded + padded.mT


def _cuts(sizes: Sequence[int]) -> list[int]:
    """Return where ascending `sizes` are cut into blocks, both ends included.

    With `C(j)` the least cost of the first `j` graphs, `C(j) = min_i C(i) + (j - i) sizes[j-1]^2 +
    BLOCK_COST` over the places `i` where the size changes or a block would be too large.
    """
    places = _places(sizes)
    cost, before = {0: 0}, {0: 0}
    for j in places[1:]:
        square = sizes[j - 1] ** 2
        fitting = [i for i in places if i < j and (j - i) * square <= BLOCK_LIMIT] or [
            places[places.index(j) - 1]
        ]
        before[j] = min(fitting, key=lambda i: cost[i] + (j - i) * square)
        cost[j] = cost[before[j]] + (j - before[j]) * square + BLOCK_COST
    cuts = [len(sizes)]
    while cuts[-1]:
        cuts.append(before[cuts[-1]])
    return cuts[::-1]


def _places(sizes: Sequence[int]) -> list[int]:
    """Return where a cut may be: 0, the end, wherever the size changes, and within a run that is
    too large.
    """
    places = [0]
    for i in range(1, len(sizes) + 1):
        full = (i - places[-1] + 1) * sizes[i - 1] ** 2 > BLOCK_LIMIT
        if i == len(sizes) or full or sizes[i] != sizes[i - 1]:
            places.append(i)
    return places


def _blocks(sizes: Sequence[int]) -> Iterator[Block]:
    nodes, pairs = 0, 0
    for first, end in pairwise(_cuts(sizes)):
        block = _block(sizes[first:end], nodes, pairs)
        nodes, pairs = block.nodes.stop, block.pairs.stop
        yield block


def _block(sizes: Sequence[int], nodes: int, pairs: int) -> Block:
    """Return the block of these graphs, the first of whose nodes and pairs are numbers `nodes`
    and `pairs`.
    """
    side, count = max(sizes), sum(math.comb(n, 2) for n in sizes)
    ends = [torch.triu_indices(n, n, 1) for n in sizes]
    upper = torch.cat([number * side**2 + i * side + j for number, (i, j) in enumerate(ends)])
    lower = torch.cat([number * side**2 + j * side + i for number, (i, j) in enumerate(ends)])
    entry = torch.full((len(sizes), side, side), count)
    entry.diagonal(dim1=1, dim2=2).fill_(count + 1)
    entry = entry.flatten()
    entry[upper] = entry[lower] = torch.arange(count)
    real = torch.cat([torch.arange(n) + number * side for number, n in enumerate(sizes)])
    ranges = slice(nodes, nodes + sum(sizes)), slice(pairs, pairs + count)
    return Block(len(sizes), side, *ranges, entry, upper, lower, real)
