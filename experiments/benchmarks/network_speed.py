"""T12 and T12a: one network of colour images compiled, and with bfloat16, against itself as written in float32.

Samples are compared at common noise: start and every draw are the same, so that a difference is the arithmetic's alone.
Where every pixel agrees, the distributions do, and no distance can tell them apart.
"""

from collections.abc import Callable
from functools import cache, partial

import torch
from jaxtyping import Float
from torch import Tensor

from ams.samplers.presets import AUTHORS, SPECS
from experiments.benchmarks.settings import Settings
from experiments.benchmarks.timing import time_ratio, undisturbed
from experiments.images.networks.colour import KINDS, colour_network, score_of
from experiments.images.runs import denoised, generator, of_network, run
from verdicts import Measurement

NAME, SAMPLER, LAST_SIGMA = "cifar16-score", "PC, adaptive", 0.01
Network = Callable[[Tensor, Tensor], Tensor]


@cache
def network(kind: str) -> Network:
    """Return the network `written`, in float32, `compiled`, which its first call does, or in `bfloat16`."""
    if kind == "bfloat16":
        return short
    written = colour_network(NAME)
    return torch.compile(written) if kind == "compiled" else written


def short(y: Tensor, v: Tensor) -> Tensor:
    """Return the network's value with convolutions and products in bfloat16."""
    with torch.autocast("cpu", torch.bfloat16):
        return network("written")(y, v)


def time_over_written(settings: Settings, kind: str) -> Measurement:
    """Measure the CPU time of a kind of network over that as written, on one batch."""
    y, v = torch.randn(settings.network_batch, 3, 16, 16, generator=generator(settings.seed, 0)), torch.ones(1)
    ours, written = (partial(network(each), y, v) for each in (kind, "written"))
    with torch.no_grad():
        return time_ratio(ours, written, settings.network_pairs)


def samples(settings: Settings, kind: str) -> Float[Tensor, "n 3 16 16"]:
    """Return denoised samples by a kind of network."""
    problem = of_network(score_of(network(kind), KINDS[NAME]), LAST_SIGMA)
    with undisturbed():
        outcome = run(
            problem, SPECS[SAMPLER], settings.network_budget, AUTHORS, settings.images, generator(settings.seed, 1)
        )
        return denoised(problem, outcome.x)


def largest_difference(settings: Settings, kind: str) -> Measurement:
    """Measure the largest difference of a pixel between samples of a kind of network and of that as written."""
    apart = (samples(settings, kind) - samples(settings, "written")).abs()
    detail = {"root mean square": float(apart.square().mean().sqrt())}
    return Measurement(value=float(apart.max()), n=len(apart), seeds=(settings.seed,), detail=detail)
