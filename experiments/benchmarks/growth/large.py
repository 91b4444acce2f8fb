"""T13: a run of a million particles, by the bytes that are alive at once and by how its CPU time grows."""

import torch

from experiments.benchmarks.growth.checks import exponent, particles
from experiments.benchmarks.growth.settings import Settings
from experiments.benchmarks.memory import LiveBytes
from verdicts import Measurement, check

GIB = 2.0**30


def held(batch: int, dimension: int, steps: int, seed: int) -> int:
    """Return the bytes that a run of adaptive momentum holds at once, at most."""
    work = particles(batch, dimension, steps, seed)
    with torch.no_grad(), LiveBytes() as live:
        work()
    return live.peak


@check("T13.memory")
def memory_of_a_million(settings: Settings) -> Measurement:
    """Measure the memory that a run of the largest batch holds at once."""
    large = settings.large
    batch = large.batches[-1]
    peak = held(batch, large.dimension, large.few, settings.seed)
    numbers: float = peak / (batch * large.dimension)
    return Measurement(value=peak / GIB, n=1, unit="GiB", detail={"bytes a number of the state": round(numbers, 2)})


@check("T13.held")
def growth_of_memory_with_steps(settings: Settings) -> Measurement:
    """Measure how much more a run holds at once in four times the steps."""
    large = settings.large
    once, four = (held(large.batch, large.dimension, steps, settings.seed) for steps in (large.few, 4 * large.few))
    return Measurement(value=four / once, n=2)


@check("T13.batch")
def exponent_in_particles(settings: Settings) -> Measurement:
    """Measure the exponent of CPU time in the number of particles."""
    large = settings.large
    return exponent(lambda n: particles(n, large.dimension, large.few, settings.seed), large.batches, large.runs)


@check("T13.dimension")
def exponent_in_dimension_at_many_particles(settings: Settings) -> Measurement:
    """Measure the exponent of CPU time in the dimension."""
    large = settings.large
    return exponent(lambda d: particles(large.batch, d, large.few, settings.seed), large.dimensions, large.runs)


@check("T13.steps")
def exponent_in_steps_at_many_particles(settings: Settings) -> Measurement:
    """Measure the exponent of CPU time in the number of steps."""
    large = settings.large
    return exponent(lambda n: particles(large.batch, large.dimension, n, settings.seed), large.steps, large.runs)
