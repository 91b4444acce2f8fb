"""T3: the exact score of a data set against the two matrix products that it cannot do without."""

import torch
from torch import Tensor

from ams.schedules import Level
from ams.targets import Empirical
from experiments.benchmarks.memory import allocations
from experiments.benchmarks.settings import Settings
from experiments.benchmarks.timing import Work, time_ratio
from verdicts import Measurement


def data(settings: Settings, points: int) -> tuple[Tensor, Tensor]:
    """Return random points in the unit cube and a batch of noisy points; only their number affects the time."""
    generator = torch.Generator().manual_seed(settings.seed)
    cloud = torch.rand(points, settings.dimension, generator=generator)
    noise = torch.randn(settings.score_batch, settings.dimension, generator=generator)
    return cloud, cloud[: settings.score_batch] + settings.sigma * noise


def evaluation(settings: Settings, points: int) -> Work:
    """Return one evaluation of the score, on a target that is prepared and has been used once."""
    cloud, x = data(settings, points)
    target, level = Empirical(cloud), Level(0, sigma=settings.sigma)
    target.score(x, level)
    return lambda: target.score(x, level)


def time_over_its_matrix_products(settings: Settings) -> Measurement:
    """Measure the CPU time of a score over that of its products: batch times points, weights times points."""
    cloud, x = data(settings, settings.points)
    logits, mean = torch.empty(settings.score_batch, settings.points), torch.empty_like(x)

    def products() -> None:
        torch.mm(x, cloud.T, out=logits)
        torch.mm(logits, cloud, out=mean)

    return time_ratio(evaluation(settings, settings.points), products, settings.score_pairs, batch=settings.score_batch)


def allocation_over_that_with_fewer_points(settings: Settings) -> Measurement:
    """Measure the largest allocation of a score with all points over that with fewer points."""
    many, few = (max(allocations(evaluation(settings, n))) for n in (settings.points, settings.fewer_points))
    return Measurement(value=many / few, n=2, detail={"MiB, all": many / 2**20, "MiB, fewer": few / 2**20})
