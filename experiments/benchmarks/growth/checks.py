"""T6: how CPU time grows: the exponent `p` of `time = C size^p`, fitted over sizes where size dominates.

The fit is least squares on logarithms of median CPU times. Its Student interval shows how far the times are from one
power.
"""

from collections.abc import Callable

import torch
from pydantic import JsonValue

from ams.laws import GaussianLaw
from ams.samplers import last, sample
from ams.schedules import Level
from ams.statistics import convergence_order
from ams.targets import Empirical, Gaussian
from experiments.benchmarks import timing
from experiments.benchmarks.exact_law import checks as exact_law
from experiments.benchmarks.growth.settings import Settings
from experiments.benchmarks.loop import checks as loop
from verdicts import Measurement, check


def exponent(work: Callable[[int], timing.Work], sizes: tuple[int, ...], runs: int) -> Measurement:
    """Return the fitted exponent of the CPU time of `work(size)`."""
    times = [timing.median_seconds(work(size), runs) for size in sizes]
    milliseconds: dict[str, JsonValue] = {
        str(size): round(1e3 * seconds, 3) for size, seconds in zip(sizes, times, strict=True)
    }
    return Measurement(**convergence_order(sizes, times)._asdict(), detail={"ms by size": milliseconds})


def particles(batch: int, dimension: int, steps: int, seed: int) -> timing.Work:
    """Return a run of adaptive momentum on a Gaussian target."""
    score, path = Gaussian(torch.zeros(dimension)).score, list(loop.program(loop.ADAPTIVE, steps))

    def work() -> None:
        x, generator = loop.start((batch, dimension), seed)
        sample(path, x, score, generator)

    return work


@check("T6.batch")
def exponent_in_batch(settings: Settings) -> Measurement:
    """Measure the exponent of the particle loop's CPU time in the batch, at dimension 512."""
    return exponent(lambda n: particles(n, 512, 10, settings.seed), settings.batches, settings.runs)


@check("T6.dimension")
def exponent_in_dimension(settings: Settings) -> Measurement:
    """Measure the exponent of the particle loop's CPU time in the dimension, at batch 512."""
    return exponent(lambda d: particles(512, d, 10, settings.seed), settings.dimensions, settings.runs)


@check("T6.steps")
def exponent_in_steps(settings: Settings) -> Measurement:
    """Measure the exponent of the particle loop's CPU time in the number of steps, at 64 samples of dimension 64."""
    return exponent(lambda n: particles(64, 64, n, settings.seed), settings.steps, settings.runs)


@check("T6.points")
def exponent_in_points(settings: Settings) -> Measurement:
    """Measure the exponent of an empirical score's CPU time in the number of points, at dimension 256 and batch 64."""
    level = Level(0, sigma=1.0)

    def work(points: int) -> timing.Work:
        generator = torch.Generator().manual_seed(settings.seed)
        target, x = Empirical(torch.rand(points, 256, generator=generator)), torch.randn(64, 256, generator=generator)
        return lambda: target.score(x, level)

    return exponent(work, settings.points, settings.runs)


@check("T6.directions")
def exponent_in_directions(settings: Settings) -> Measurement:
    """Measure the exponent of the exact law's CPU time in the number of distinct directions, over five steps."""

    def work(directions: int) -> timing.Work:
        law, path = GaussianLaw(1.0 / exact_law.precisions(directions)), list(exact_law.program(5))
        return lambda: last(law.run(path, law.start(0.0, 1.0)))

    return exponent(work, settings.directions, settings.runs)
