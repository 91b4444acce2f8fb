"""T6, T13: how CPU time grows with size: the exponent `p` of `time = C size^p`, fitted over sizes
where size dominates.

The fit is least squares on logarithms of median CPU times. Its Student interval shows how far the
times are from one power. Of a run of a million particles the bytes that are alive at once are
measured too.
"""

from collections.abc import Callable

import torch
from pydantic import JsonValue

from ams.laws import GaussianLaw
from ams.samplers import last, sample
from ams.schedules import Level
from ams.statistics import convergence_order
from ams.targets import Empirical, Gaussian
from experiments.benchmarks import costs, exact, particle_loop
from experiments.benchmarks.costs import LiveBytes
from experiments.benchmarks.settings import Settings
from verdicts import Measurement

GIB = 2.0**30


def exponent(work: Callable[[int], costs.Work], sizes: tuple[int, ...], runs: int) -> Measurement:
    """Return the fitted exponent of the CPU time of `work(size)`."""
    times = [costs.median_seconds(work(size), runs) for size in sizes]
    milliseconds: dict[str, JsonValue] = {
        str(size): round(1e3 * seconds, 3) for size, seconds in zip(sizes, times, strict=True)
    }
    return Measurement(
        **convergence_order(sizes, times)._asdict(), detail={"ms by size": milliseconds}
    )


def particles(batch: int, dimension: int, steps: int, seed: int) -> costs.Work:
    """Return a run of adaptive momentum on a Gaussian target."""
    score, path = (
        Gaussian(torch.zeros(dimension)).score,
        list(particle_loop.program(particle_loop.ADAPTIVE, steps)),
    )

    def work() -> None:
        x, generator = particle_loop.start((batch, dimension), seed)
        sample(path, x, score, generator)

    return work


def exponent_of_particles(settings: Settings, varied: str, **fixed: int) -> Measurement:
    """Measure the exponent of the particle loop's CPU time in `batch`, `dimension` or `steps`;
    the others are fixed.
    """
    return exponent(
        lambda size: particles(seed=settings.seed, **fixed, **{varied: size}),
        settings.sizes[varied],
        settings.runs,
    )


def exponent_in_points(settings: Settings) -> Measurement:
    """Measure the exponent of an empirical score's CPU time in the number of points, at
    dimension 256 and batch 64.
    """
    level = Level(0, sigma=1.0)

    def work(points: int) -> costs.Work:
        generator = torch.Generator().manual_seed(settings.seed)
        target, x = (
            Empirical(torch.rand(points, 256, generator=generator)),
            torch.randn(64, 256, generator=generator),
        )
        return lambda: target.score(x, level)

    return exponent(work, settings.sizes["points"], settings.runs)


def exponent_in_directions(settings: Settings) -> Measurement:
    """Measure the exponent of the exact law's CPU time in the number of distinct directions,
    over five steps.
    """

    def work(directions: int) -> costs.Work:
        law, path = GaussianLaw(1.0 / exact.precisions(directions)), list(exact.program(5))
        return lambda: last(law.run(path, law.start(0.0, 1.0)))

    return exponent(work, settings.sizes["directions"], settings.runs)


def held(batch: int, dimension: int, steps: int, seed: int) -> int:
    """Return the bytes that a run of adaptive momentum holds at once, at most."""
    work = particles(batch, dimension, steps, seed)
    with torch.no_grad(), LiveBytes() as live:
        work()
    return live.peak


def memory_of_a_million(settings: Settings) -> Measurement:
    """Measure the memory that a run of the largest batch holds at once."""
    large = settings.large
    batch = large.sizes["batch"][-1]
    peak = held(batch, large.dimension, large.few, settings.seed)
    numbers: float = peak / (batch * large.dimension)
    return Measurement(
        value=peak / GIB, n=1, unit="GiB", detail={"bytes a number of the state": round(numbers, 2)}
    )


def growth_of_memory_with_steps(settings: Settings) -> Measurement:
    """Measure how much more a run holds at once in four times the steps."""
    large = settings.large
    once, four = (
        held(large.batch, large.dimension, steps, settings.seed)
        for steps in (large.few, 4 * large.few)
    )
    return Measurement(value=four / once, n=2)


def exponent_at_many_particles(settings: Settings, varied: str) -> Measurement:
    """Measure the exponent of CPU time in `batch`, `dimension` or `steps`, the others at the
    sizes of T13.
    """
    large = settings.large
    fixed = {"batch": large.batch, "dimension": large.dimension, "steps": large.few}
    return exponent(
        lambda size: particles(seed=settings.seed, **fixed | {varied: size}),
        large.sizes[varied],
        large.runs,
    )
