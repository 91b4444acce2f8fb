"""T12 and T12a: one network of colour images compiled, and with bfloat16, against itself as written in float32.

Samples are compared at common noise: start and every draw are the same, so that a difference is the arithmetic's alone.
Where every pixel agrees, the distributions do, and no distance can tell them apart.
"""

from collections.abc import Callable
from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor

from ams.samplers.presets import AUTHORS, SPECS
from experiments.benchmarks.network_speed.settings import Settings
from experiments.benchmarks.timing import time_ratio, undisturbed
from experiments.images.networks.colour import KINDS, colour_network, score_of
from experiments.images.runs import denoised, generator, of_network, run
from verdicts import Measurement, check

NAME, SAMPLER, LAST_SIGMA = "cifar16-score", "PC, adaptive", 0.01
Network = Callable[[Tensor, Tensor], Tensor]


@cache
def written() -> Network:
    """Return the network as written, in float32."""
    return colour_network(NAME)


@cache
def compiled() -> Network:
    """Return the network compiled; the first call compiles."""
    network: Network = torch.compile(colour_network(NAME))
    return network


def short(y: Tensor, v: Tensor) -> Tensor:
    """Return the network's value with convolutions and products in bfloat16."""
    with torch.autocast("cpu", torch.bfloat16):
        return written()(y, v)


def time_over_written(settings: Settings, network: Network) -> Measurement:
    """Return the CPU time of a network over that as written, on one batch."""
    y, v = torch.randn(settings.batch, 3, 16, 16, generator=generator(settings.seed, 0)), torch.ones(1)

    def evaluated(one: Network) -> Callable[[], object]:
        def work() -> None:
            with torch.no_grad():
                one(y, v)

        return work

    return time_ratio(evaluated(network), evaluated(written()), settings.pairs)


def samples(settings: Settings, network: Network) -> Float[Tensor, "n 3 16 16"]:
    """Return denoised samples by a network."""
    problem = of_network(score_of(network, KINDS[NAME]), LAST_SIGMA)
    with undisturbed():
        outcome = run(problem, SPECS[SAMPLER], settings.budget, AUTHORS, settings.images, generator(settings.seed, 1))
        return denoised(problem, outcome.x)


def largest_difference(settings: Settings, network: Network) -> Measurement:
    """Return the largest difference of a pixel between a network's samples and those of the network as written."""
    apart = (samples(settings, network) - samples(settings, written())).abs()
    detail = {"root mean square": float(apart.square().mean().sqrt())}
    return Measurement(value=float(apart.max()), n=len(apart), seeds=(settings.seed,), detail=detail)


@check("T12.time")
def time_of_the_compiled_network(settings: Settings) -> Measurement:
    """Measure the CPU time of the compiled network over that as written."""
    return time_over_written(settings, compiled())


@check("T12.pixels")
def difference_by_compilation(settings: Settings) -> Measurement:
    """Measure the largest difference of a pixel between samples of the compiled network and of that as written."""
    return largest_difference(settings, compiled())


@check("T12a.time")
def time_in_bfloat16(settings: Settings) -> Measurement:
    """Measure the CPU time of the network in bfloat16 over that in float32."""
    return time_over_written(settings, short)


@check("T12a.pixels")
def difference_by_bfloat16(settings: Settings) -> Measurement:
    """Measure the largest difference of a pixel between samples of the network in bfloat16 and in float32."""
    return largest_difference(settings, short)
