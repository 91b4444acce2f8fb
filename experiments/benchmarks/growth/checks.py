"""T6: how time grows: the exponent `p` of `time = C size^p`, fitted over sizes where size dominates.

Least squares on logarithms of median CPU times, with Student's interval: it tells how far the times are from one power.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt

from ams.laws import GaussianLaw
from ams.samplers import last, sample
from ams.schedules import Level
from ams.statistics import convergence_order
from ams.targets import Empirical, Gaussian
from experiments.benchmarks import timing
from experiments.benchmarks.exact_law import checks as law
from experiments.benchmarks.loop import checks as loop
from verdicts import Measurement, check
from verdicts.claims.sizes import Sizes


class Settings(BaseModel):
    """Sizes by what grows, three or more of each; runs at each size."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    batches: Sizes = (128, 192, 256, 384, 512, 768, 1024)
    dimensions: Sizes = (128, 192, 256, 384, 512, 768, 1024)
    steps: Sizes = (100, 200, 400, 800, 1600)
    points: Sizes = (4000, 8000, 16000, 32000, 64000)
    directions: Sizes = (4096, 8192, 16384, 32768, 65536)
    runs: PositiveInt = 9
    seed: NonNegativeInt = 7


def growth(work: Callable[[int], timing.Work], sizes: tuple[int, ...], runs: int) -> Measurement:
    """Return the fitted exponent of the CPU time of `work(size)`."""
    times = [timing.typical(work(size), runs).value for size in sizes]
    found = convergence_order(sizes, times)
    told = dict(zip(map(str, sizes), (round(1e3 * t, 3) for t in times), strict=True))
    return Measurement(value=found.value, low=found.low, high=found.high, n=found.n, detail={"ms by size": told})


def particles(batch: int, dimension: int, steps: int, seed: int) -> timing.Work:
    """Return an adaptive run on a Gaussian target."""
    score, path = Gaussian(torch.zeros(dimension)).score, list(loop.program(loop.ADAPTIVE, steps))

    def work() -> None:
        x, generator = loop.start((batch, dimension), seed)
        sample(path, x, score, generator)

    return work


@check("T6.batch")
def with_batch(settings: Settings) -> Measurement:
    """Exponent of the loop's time in the batch, at dimension 512."""
    return growth(lambda n: particles(n, 512, 10, settings.seed), settings.batches, settings.runs)


@check("T6.dimension")
def with_dimension(settings: Settings) -> Measurement:
    """Exponent of the loop's time in the dimension, at batch 512."""
    return growth(lambda d: particles(512, d, 10, settings.seed), settings.dimensions, settings.runs)


@check("T6.steps")
def with_steps(settings: Settings) -> Measurement:
    """Exponent of the loop's time in the number of steps."""
    return growth(lambda n: particles(64, 64, n, settings.seed), settings.steps, settings.runs)


@check("T6.points")
def with_points(settings: Settings) -> Measurement:
    """Exponent of an empirical score's time in the number of points, at dimension 256 and batch 64."""
    level = Level(0, sigma=1.0)

    def work(points: int) -> timing.Work:
        generator = torch.Generator().manual_seed(settings.seed)
        target, x = Empirical(torch.rand(points, 256, generator=generator)), torch.randn(64, 256, generator=generator)
        return lambda: target.score(x, level)

    return growth(work, settings.points, settings.runs)


@check("T6.directions")
def with_directions(settings: Settings) -> Measurement:
    """Exponent of the exact law's time in the number of distinct directions."""

    def work(directions: int) -> timing.Work:
        exact, path = GaussianLaw(1.0 / law.precisions(directions)), list(law.program(5))
        return lambda: last(exact.run(path, exact.start(0.0, 1.0)))

    return growth(work, settings.directions, settings.runs)
