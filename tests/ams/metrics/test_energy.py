"""Energy distances against brute force; they are unbiased."""

import math

import numpy as np
import pytest
import torch

from ams.metrics import MixtureReference, energy, energy_distance, mixture_spread
from ams.statistics import plan_mean_test
from tests.ams.tools import draws
from tests.monte_carlo import MonteCarlo


def brute_force(x: torch.Tensor, y: torch.Tensor) -> float:
    """Return the U-statistic by differences."""
    x, y = x.flatten(1).double(), y.flatten(1).double()
    across, xx, yy = ((a[:, None] - b).norm(dim=2) for a, b in ((x, y), (x, x), (y, y)))
    n, m = len(x), len(y)
    return float(2 * across.mean() - xx.sum() / (n * (n - 1)) - yy.sum() / (m * (m - 1)))


@pytest.mark.parametrize("block", [1, 7, 1024])
@pytest.mark.parametrize("shape", [(1,), (3, 2)])
def test_it_is_the_u_statistic_whatever_the_block(shape: tuple[int, ...], block: int, monkeypatch) -> None:
    monkeypatch.setattr(energy, "_BLOCK", block)
    x, y = draws(0, 23, *shape), draws(1, 31, *shape) + 10
    assert energy_distance(x, y) == pytest.approx(brute_force(x, y), rel=1e-12)


def test_a_mixture_without_noise_is_its_points() -> None:
    x, points = draws(0, 20, 2, 3), draws(1, 15, 2, 3)
    m = len(points)
    within = float(torch.pdist(points.flatten(1).double()).mean())
    expected = brute_force(x, points) + within / m  # Y and Y' may be one point
    assert MixtureReference(points, 0.0).energy_distance(x) == pytest.approx(expected, rel=1e-7)
    assert mixture_spread(points, 0.0) == pytest.approx(within * (m - 1) / m, rel=1e-7)


def test_one_point_gives_the_noise_of_two_draws() -> None:
    spread = mixture_spread(torch.ones(1, 3), 0.5)
    assert spread == pytest.approx(0.5 * math.sqrt(2) * math.sqrt(8 / math.pi), rel=1e-12)  # E|z| in 3-D


def replicates(count: int, generator: torch.Generator) -> np.ndarray:
    """Return energy distances of samples of a mixture to that mixture."""
    points = draws(3, 12, 5)
    reference = MixtureReference(points, 0.3)

    def one() -> float:
        chosen = points[torch.randint(12, (32,), generator=generator)]
        return reference.energy_distance(chosen + 0.3 * torch.randn(32, 5, generator=generator, dtype=torch.float64))

    return np.array([one() for _ in range(count)])


@pytest.mark.monte_carlo(share=0.01)
def test_against_its_own_distribution_it_is_zero_on_average(monte_carlo: MonteCarlo) -> None:
    """The bias of the V-statistic, E|Y - Y'| / 32 = 0.076, is some 1.5 standard deviations of one distance."""
    test = monte_carlo.note(plan_mean_test(600, effect=0.4, share=monte_carlo.share))
    distances = replicates(600, monte_carlo.torch())
    assert not test.rejects(distances)
    assert 2 * 0.4 * distances.std(ddof=1) < 0.076, "the detected effect is far below that bias"


def test_one_reference_serves_several_samples() -> None:
    points, generator = torch.rand(7, 2, 3), torch.Generator().manual_seed(2)
    reference, known = MixtureReference(points, 0.3), MixtureReference(points, 0.3, mixture_spread(points, 0.3))
    for x in (torch.randn(4, 2, 3, generator=generator), torch.randn(5, 2, 3, generator=generator)):
        assert reference.energy_distance(x) == known.energy_distance(x)
    with pytest.raises(ValueError, match=r"samples of shape \(2, 3\) are needed, not \(4, 3, 2\)"):
        reference.energy_distance(torch.ones(4, 3, 2))


def test_incomparable_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        energy_distance(torch.ones(1, 2), torch.ones(3, 2))
    with pytest.raises((ValueError, TypeError)):
        energy_distance(torch.ones(2, 2), torch.ones(3, 3))
    with pytest.raises(ValueError, match="at least two"):
        MixtureReference(torch.ones(3, 2), 0.1).energy_distance(torch.ones(1, 2))
    with pytest.raises(ValueError, match="at least 1"):
        mixture_spread(torch.ones(0, 2), 0.1)
