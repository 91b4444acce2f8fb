"""T3: the exact score of a data set against the two matrix products that it cannot do without."""

from __future__ import annotations

import torch
from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt
from torch import Tensor

from ams.schedules import Level
from ams.targets import Empirical
from experiments.benchmarks import timing
from verdicts import Measurement, check


class Settings(BaseModel):
    """Points (MNIST's number and dimension), batch, noise level, pairs; the fewer points that memory is compared at."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    points: PositiveInt = 60_000
    fewer: PositiveInt = 20_000
    dimension: PositiveInt = 784
    batch: PositiveInt = 256
    sigma: float = 1.0
    pairs: PositiveInt = 25
    seed: NonNegativeInt = 7


def data(settings: Settings, points: int) -> tuple[Tensor, Tensor]:
    """Return random points in the unit cube, and a batch of noisy ones: time depends on their number, not on them."""
    generator = torch.Generator().manual_seed(settings.seed)
    cloud = torch.rand(points, settings.dimension, generator=generator)
    noise = torch.randn(settings.batch, settings.dimension, generator=generator)
    return cloud, cloud[: settings.batch] + settings.sigma * noise


@check("T3.time")
def against_its_products(settings: Settings) -> Measurement:
    """CPU time of a score over that of the batch times the points, and weights of that shape times the points."""
    cloud, x = data(settings, settings.points)
    target, level = Empirical(cloud), Level(0, sigma=settings.sigma)
    logits = torch.empty(settings.batch, settings.points)
    mean = torch.empty_like(x)

    def products() -> None:
        torch.mm(x, cloud.T, out=logits)
        torch.mm(logits, cloud, out=mean)

    return timing.ratio(lambda: target.score(x, level), products, settings.pairs, batch=settings.batch)


def largest_allocation(settings: Settings, points: int) -> int:
    """Return the bytes of the largest single allocation of a score, the target made before."""
    cloud, x = data(settings, points)
    target, level = Empirical(cloud), Level(0, sigma=settings.sigma)
    target.score(x, level)
    with torch.profiler.profile(profile_memory=True) as profile:
        target.score(x, level)
    return max(event.self_cpu_memory_usage for event in profile.events())


@check("T3.memory")
def memory_is_flat(settings: Settings) -> Measurement:
    """The largest allocation with all points over that with fewer."""
    many, few = (largest_allocation(settings, n) for n in (settings.points, settings.fewer))
    return Measurement(value=many / few, n=2, detail={"MiB, all": many / 2**20, "MiB, fewer": few / 2**20})
