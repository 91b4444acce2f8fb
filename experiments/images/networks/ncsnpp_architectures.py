"""NCSN++ and DDPM++ at their published sizes, with random weights: for counts of arithmetic and for
timing.

The list of modules is `ncsnpp`'s, in its order, made from a configuration in place of a
checkpoint's names:

    embedding, a convolution
    down   at each resolution `blocks` blocks (attention where `attended`), then a block that halves the resolution
    middle a block, attention, a block
    up     at each resolution `blocks` + 1 blocks on the kept features, attention, then a block that doubles it

The input's pyramid joins after each halving (`summed`: added by a convolution of one pixel,
`carried`: by one of 3 x 3 at every other pixel); the output is read at each resolution
(`output_pyramid`) or at the last one. Sizes: the configurations of score_sde (Song et al., arXiv
2011.13456), by the names of its files.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from torch import nn

from experiments.images.networks.ncsnpp import (
    Attention,
    Block,
    CarriedDown,
    Combination,
    Convolution,
    Fourier,
    NCSNpp,
    Norm,
    ResamplingBlock,
)


class Architecture(NamedTuple):
    """A network's sizes: channels are `width` times `multiples`, one for each resolution from
    `side` pixels down.

    `attended` are the resolutions, in pixels a side, with attention beside the smallest one's.
    """

    side: int
    multiples: tuple[int, ...]
    blocks: int
    input_pyramid: Literal["none", "summed", "carried"]
    output_pyramid: bool
    fourier: bool
    width: int = 128
    attended: tuple[int, ...] = (16,)
    channels: int = 3


_WIDE = Architecture(256, (1, 1, 2, 2, 2, 2, 2), 2, "summed", output_pyramid=True, fourier=True)
_SMALL = Architecture(32, (1, 2, 2, 2), 4, "carried", output_pyramid=False, fourier=True)
ARCHITECTURES: Mapping[str, Architecture] = {
    "cifar10_ncsnpp_continuous": _SMALL,
    "cifar10_ddpmpp_continuous": _SMALL._replace(input_pyramid="none", fourier=False),
    "celeba_ncsnpp": _SMALL._replace(side=64),
    "celebahq_256_ncsnpp_continuous": _WIDE,
    "church_ncsnpp_continuous": _WIDE,
}
"""By the names of score_sde's configurations."""


def random_network(sizes: Architecture) -> NCSNpp:
    """Return the network with random weights, on torch's default device."""
    return NCSNpp(list(_modules(sizes)))


def _modules(a: Architecture) -> Iterator[nn.Module]:
    """Yield the modules in their order."""
    e, c, pyramid = 4 * a.width, a.width, a.channels
    kept = [c]
    if a.fourier:
        yield Fourier(a.width)
    yield nn.Linear(2 * a.width if a.fourier else a.width, e)
    yield nn.Linear(e, e)
    yield Convolution(a.channels, c)
    for level, multiple in enumerate(a.multiples):
        for _ in range(a.blocks):
            yield _block(c, c := multiple * a.width, e)
            yield from _attention(a, level, c)
            kept.append(c)
        if level < len(a.multiples) - 1:
            yield ResamplingBlock(c, c, e, shortcut=True)
            yield from _joined(a, pyramid, c)
            pyramid = c if a.input_pyramid == "carried" else pyramid
            kept.append(c)
    yield from (_block(c, c, e), Attention(c), _block(c, c, e))
    for level in reversed(range(len(a.multiples))):
        for _ in range(a.blocks + 1):
            yield _block(c + kept.pop(), c := a.multiples[level] * a.width, e)
        yield from _attention(a, level, c)
        if a.output_pyramid or not level:
            yield from (Norm(c), Convolution(c, a.channels))
        if level:
            yield ResamplingBlock(c, c, e, shortcut=True)


def _block(inputs: int, outputs: int, embedding: int) -> Block:
    return Block(inputs, outputs, embedding, shortcut=inputs != outputs)


def _attention(a: Architecture, level: int, channels: int) -> Iterator[nn.Module]:
    if a.side >> level in a.attended:
        yield Attention(channels)


def _joined(a: Architecture, inputs: int, outputs: int) -> Iterator[nn.Module]:
    """Yield what the input's pyramid joins by, if there is one."""
    if a.input_pyramid == "summed":
        yield Combination(OrderedDict(Conv_0=nn.Conv2d(inputs, outputs, 1)))
    elif a.input_pyramid == "carried":
        yield CarriedDown(OrderedDict(Conv2d_0=nn.Conv2d(inputs, outputs, 3, stride=2)))
