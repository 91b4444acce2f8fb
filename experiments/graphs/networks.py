r"""The two score networks of GDSS on a ragged batch: they compute at real nodes and real pairs
alone.

With `x` (nodes, F) and symmetric channels `A_i`, kept as upper triangles (channels, pairs), a layer
is

    y_i = N(A_i) x,   N(A) = D^-1/2 A D^-1/2 with the diagonal of A set to 1, D = its row sums, at least 1
    q_i, k_i, v_i = y_i W_i + b_i                                       one product for q and k, one for v
    M_i = mean over 4 heads of tanh(q k^T / sqrt(width of v)), made symmetric
    x' = tanh(stack(v_1 ... v_c)) at each node,  A' = 2 stack(M_1 ... M_c, A_1 ... A_c) at each pair

`final` maps the outputs of all layers, at each node (features) or pair (adjacency), to the output.
The diagonals of channels do not matter: a convolution replaces them, and those of the output are
zero. Two facts save work over the published, padded formulation beside the padding itself. Channels
are symmetric, so stacks are evaluated at one of each two entries (`Y + Y^T` of the authors' code is
`2 Y`). And `(N x) W` is cheaper than `N (x W)`, where all channels of a layer share `x`. Networks
go through a batch block by block (module `graph_layout`).

Source: Jo, Lee, Hwang, *Score-based generative modeling of graphs via the system of SDEs*, arXiv
2202.02514.
"""

import math
from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import pairwise
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import elu, linear

from experiments.graphs.graph_layout import Block, Layout

HEADS = 4
ALL = slice(None)
DUST = 1e-16
"""Weights below this count as zero: with inputs of order 1 they change no output by more than
its rounding.
"""
Nodes = Float[Tensor, "nodes features"]
Channels = Float[Tensor, "channels pairs"]


class Stack(nn.Module):
    """Linear layers of the given `widths`, elu between them and none after the last."""

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(i, o) for i, o in pairwise(widths))

    def rows(self, x: Float[Tensor, "items inputs"]) -> Float[Tensor, "items outputs"]:
        """Apply to each row."""
        for number, (weight, bias) in enumerate(self._affine()):
            x = linear(elu(x, inplace=True) if number else x, weight, bias)
        return x

    def columns(self, x: Float[Tensor, "inputs items"]) -> Float[Tensor, "outputs items"]:
        """Apply to each column."""
        for number, (weight, bias) in enumerate(self._affine()):
            x = torch.addmm(bias[:, None], weight, elu(x, inplace=True) if number else x)
        return x

    def _affine(self) -> Iterator[tuple[Tensor, Tensor]]:
        return ((layer.weight, layer.bias) for layer in self.layers if isinstance(layer, nn.Linear))


class Convolution(nn.Module):
    """`y_i W_i + b_i` for each of `channels` channels, `y_i = N(A_i) x`."""

    def __init__(self, channels: int, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels, inputs, outputs))
        self.bias = nn.Parameter(torch.zeros(channels, 1, outputs))
        bound = math.sqrt(6.0 / (inputs + outputs))
        nn.init.uniform_(self.weight, -bound, bound)

    def forward(
        self, x: Nodes, channels: Channels, block: Block
    ) -> Float[Tensor, "channels places outputs"]:
        """Return the convolution of each channel, at every place of the block's squares."""
        return self.applied(mixed(x, channels, block))

    def applied(
        self,
        y: Float[Tensor, "some places inputs"],
        channels: slice | Tensor = ALL,
        outputs: slice = ALL,
    ) -> Float[Tensor, "some places outputs"]:
        """Return `y_i W_i + b_i` for some channels and outputs."""
        return torch.baddbmm(self.bias[channels, :, outputs], y, self.weight[channels, :, outputs])


def mixed(x: Nodes, channels: Channels, block: Block) -> Float[Tensor, "channels places inputs"]:
    """Return `N(A_i) x` for each channel, at every place of the block's squares."""
    squares = block.squares(channels)
    root = squares.sum(-1, keepdim=True).clamp_(min=1.0).rsqrt()
    return (squares * root @ (root * block.spread(x))).flatten(1, 2)


class Attention(nn.Module):
    """Queries, keys and (where `valued`) values of each channel, and the channels' new matrices.

    Weight decay has left many channels of the published networks without queries or keys, and
    layers without values. Their matrices and values are zero: after `prune` they are not computed.
    """

    def __init__(self, channels: int, inputs: int, width: int, valued: bool) -> None:
        super().__init__()
        self.convolution = Convolution(channels, inputs, (3 if valued else 2) * width)
        self.width, self.outputs, self.valued = width, width if valued else 0, valued
        self.live: slice | Tensor = ALL

    def prune(self) -> None:
        """Leave out the scores of channels whose largest query times their largest key is below
        `DUST`, and zeros.
        """
        parameters = torch.cat((self.convolution.weight, self.convolution.bias), dim=1)
        queries, keys, *values = (
            part.abs().amax((1, 2)) for part in parameters.split(self.width, dim=2)
        )
        live = queries * keys > DUST
        self.live = ALL if bool(live.all()) else live.nonzero().flatten()
        self.valued = any(bool(part.any()) for part in values)

    def forward(self, x: Nodes, channels: Channels, block: Block) -> tuple[Channels, Tensor]:
        """Return `M_i`, and the values (channels, nodes, width), of no width where there are
        none.
        """
        split = 2 * self.width
        if self.valued:
            y = mixed(x, channels, block)
            values = block.rows(self.convolution.applied(y, ALL, slice(split, None)))
            y = y[self.live]
        else:
            y, values = (
                mixed(x, channels[self.live], block),
                x.new_zeros(len(channels), len(x), self.outputs),
            )
        scores = self._scores(self.convolution.applied(y, self.live, slice(split)), block)
        if isinstance(self.live, Tensor):
            scores = torch.zeros_like(channels).index_copy(0, self.live, scores)
        return scores, values

    def _scores(self, parts: Float[Tensor, "live places outputs"], block: Block) -> Channels:
        """Return `M_i` from queries and keys; `tanh(x) / 2 = 1 / (1 + exp(-2 x)) - 1 / 2`, which
        is faster here.
        """
        parts[..., : self.width].mul_(2 / math.sqrt(self.width))  # the queries
        shape = block.graphs, block.side, block.side
        squares = parts.view(-1, block.side, 2 * self.width)
        heads = zip(
            *(half.split(self.width // HEADS, 2) for half in squares.split(self.width, 2)),
            strict=True,
        )
        total = reduce(
            torch.add, (torch.sigmoid_(torch.bmm(query, key.mT)) for query, key in heads)
        )
        return block.symmetrised(total.view(len(parts), *shape)).mul_(1 / HEADS).sub_(1.0)


class Shape(NamedTuple):
    """Sizes of a network: node features, width, layers, linear layers of a pair's stack,
    channels between and last.
    """

    features: int
    width: int
    layers: int
    linears: int = 2
    between: int = 8
    last: int = 4


INITIAL = 2
"""Channels before the first layer: `A` and `A A`."""


def initial_channels(pairs: Float[Tensor, " pairs"], block: Block) -> Channels:
    """Return `A` and `A A` off the diagonal."""
    a = block.squares(pairs[None])
    a.diagonal(dim1=-2, dim2=-1).zero_()
    return torch.cat((pairs[None], block.above(a @ a)))


def node_stack(channels: int, new_channels: int, width: int) -> Stack:
    """Return the stack that joins the values of `channels` channels at a node."""
    return Stack([channels * width, 2 * max(channels, new_channels), width])


def pair_stack(channels: int, new_channels: int, linears: int) -> Stack:
    """Return the stack that makes new channels at a pair."""
    return Stack([2 * channels, *[2 * max(channels, new_channels)] * (linears - 1), new_channels])


def tanh(x: Tensor) -> Tensor:
    """Return `tanh(x) = 2 / (1 + exp(-2 x)) - 1`, which is faster here; `x` is lost."""
    return torch.sigmoid_(x.mul_(2.0)).mul(2.0).sub_(1.0)


def joined(values: Float[Tensor, "channels nodes width"], stack: Stack) -> Nodes:
    """Return `tanh(stack(v_1 ... v_c))`."""
    return tanh(stack.rows(values.transpose(0, 1).flatten(1)))


def linked(matrices: Channels, channels: Channels, stack: Stack) -> Channels:
    """Return `2 stack(M_1 ... M_c, A_1 ... A_c)`."""
    return stack.columns(torch.cat((matrices, channels))).mul_(2.0)


class Layer(nn.Module):
    """A layer of attention from `channels` to `new_channels`."""

    def __init__(self, channels: int, new_channels: int, inputs: int, shape: Shape) -> None:
        super().__init__()
        self.attention = Attention(channels, inputs, shape.width, valued=True)
        self.nodes = node_stack(channels, new_channels, shape.width)
        self.pairs = pair_stack(channels, new_channels, shape.linears)

    def forward(self, x: Nodes, channels: Channels, block: Block) -> tuple[Nodes, Channels]:
        """Return new features and channels."""
        matrices, values = self.attention(x, channels, block)
        return joined(values, self.nodes), linked(matrices, channels, self.pairs)


def inner_layers(shape: Shape) -> nn.ModuleList:
    """Return all layers but the last."""
    first = Layer(INITIAL, shape.between, shape.features, shape)
    others = (
        Layer(shape.between, shape.between, shape.width, shape) for _ in range(shape.layers - 2)
    )
    return nn.ModuleList([first, *others])


class BlockNetwork(nn.Module):
    """A network of graphs that do not see each other, so it evaluates one block after the other.

    An evaluation takes as much memory as one block, whatever the size of the batch.
    """

    def forward(self, x: Nodes, pairs: Float[Tensor, " pairs"], layout: Layout) -> Tensor:
        """Return the output at each node or pair of the layout."""
        return torch.cat(
            [self.on_block(x[block.nodes], pairs[block.pairs], block) for block in layout.blocks]
        )

    def on_block(self, x: Nodes, pairs: Float[Tensor, " pairs"], block: Block) -> Tensor:
        """Return the output at each node or pair of a block."""
        raise NotImplementedError


class AdjacencyNetwork(BlockNetwork):
    """The network of the adjacency: (nodes, F) and (pairs) to (pairs). Its last layer needs no
    values.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        total = INITIAL + shape.between * (shape.layers - 1) + shape.last
        self.layers = inner_layers(shape)
        self.attention = Attention(shape.between, shape.width, shape.width, valued=False)
        self.pairs = pair_stack(shape.between, shape.last, shape.linears)
        self.final = Stack([total, 2 * total, 2 * total, 1])

    def on_block(
        self, x: Nodes, pairs: Float[Tensor, " pairs"], block: Block
    ) -> Float[Tensor, " pairs"]:
        """Return the output at each pair."""
        channels = initial_channels(pairs, block)
        outputs = [channels]
        for layer in self.layers:
            x, channels = layer(x, channels, block)
            outputs.append(channels)
        outputs.append(linked(self.attention(x, channels, block)[0], channels, self.pairs))
        return self.final.columns(torch.cat(outputs))[0]


class FeaturesNetwork(BlockNetwork):
    """The network of the node features, convolutions on the adjacency alone: (nodes, F) and
    (pairs) to (nodes, F).
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        total = shape.features + shape.width * shape.layers
        inputs = [shape.features, *[shape.width] * (shape.layers - 1)]
        self.layers = nn.ModuleList(Convolution(1, count, shape.width) for count in inputs)
        self.final = Stack([total, 2 * total, 2 * total, shape.features])

    def on_block(self, x: Nodes, pairs: Float[Tensor, " pairs"], block: Block) -> Nodes:
        """Return the output at each node."""
        outputs = [x]
        for layer in self.layers:
            outputs.append(tanh(block.rows(layer(outputs[-1], pairs[None], block))[0]))
        return self.final.rows(torch.cat(outputs, dim=1))


class AttentiveFeaturesNetwork(BlockNetwork):
    """The second features network for ZINC250k: layers of attention, a second tanh after each.

    Only the values of its last layer are used.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        total = shape.features + shape.width * shape.layers
        self.layers = inner_layers(shape)
        self.values = Convolution(shape.between, shape.width, shape.width)
        self.nodes = node_stack(shape.between, shape.last, shape.width)
        self.final = Stack([total, 2 * total, 2 * total, shape.features])

    def on_block(self, x: Nodes, pairs: Float[Tensor, " pairs"], block: Block) -> Nodes:
        """Return the output at each node."""
        channels, outputs = initial_channels(pairs, block), [x]
        for layer in self.layers:
            x, channels = layer(x, channels, block)
            x = torch.tanh(x)
            outputs.append(x)
        outputs.append(torch.tanh(joined(block.rows(self.values(x, channels, block)), self.nodes)))
        return self.final.rows(torch.cat(outputs, dim=1))
