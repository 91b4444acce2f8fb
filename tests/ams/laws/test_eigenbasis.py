"""The law on a full covariance: its eigenbasis and back, against dense matrices."""

import pytest
import torch

from ams.laws import GaussianLaw, eigenlaw, rotated_back
from ams.samplers import langevin
from ams.schedules import Level
from ams.targets import CLEAN, Gaussian

STEP = Level(0, sigma=0.0, step=0.05)


def full(seed: int = 0, d: int = 5) -> Gaussian:
    """Return a Gaussian with a full covariance and a mean."""
    generator = torch.Generator().manual_seed(seed)
    root = torch.randn(d, 2 * d, dtype=torch.float64, generator=generator)
    return Gaussian(torch.randn(d, dtype=torch.float64, generator=generator), root @ root.mT / d)


def test_langevin_on_a_full_covariance_is_the_matrix_recursion() -> None:
    target = full()
    law = eigenlaw(target)
    state, _ = law.end([(langevin(), STEP)] * 7, law.start(0.0, 2.0))
    found = rotated_back(target, law.moments(state.x))
    matrix = torch.eye(5, dtype=torch.float64) - 0.05 * torch.linalg.inv(target.covariance.matrix())
    mean, covariance = torch.zeros(5, dtype=torch.float64), 2.0 * torch.eye(5, dtype=torch.float64)
    for _ in range(7):
        mean = target.mean + matrix @ (mean - target.mean)
        covariance = matrix @ covariance @ matrix.mT + 0.1 * torch.eye(5, dtype=torch.float64)
    torch.testing.assert_close(found.mean, mean, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(found.covariance.matrix(), covariance, rtol=1e-12, atol=1e-12)


def test_the_target_comes_back_as_it_was() -> None:
    target = full(1)
    law = eigenlaw(target)
    back = rotated_back(target, law.moments(law.start(law.mean.tolist(), law.variance.tolist()).x))
    torch.testing.assert_close(back.mean, target.mean)
    torch.testing.assert_close(back.covariance.matrix(), target.covariance.matrix())
    x = torch.ones(3, 5, dtype=torch.float64)
    torch.testing.assert_close(back.score(x, CLEAN), target.score(x, CLEAN))


def test_a_diagonal_target_keeps_its_directions_and_shape() -> None:
    target = Gaussian([[0.0, 1.0], [2.0, 3.0]], [[1.0, 2.0], [3.0, 4.0]])
    law = eigenlaw(target)
    assert isinstance(law, GaussianLaw) and law.variance.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert rotated_back(target, law.moments(law.start(0.0, 1.0).x)).shape == (2, 2)


def test_a_singular_target_has_no_law() -> None:
    with pytest.raises(ValueError, match="variances must be positive"):
        eigenlaw(Gaussian([0.0, 0.0], [[1.0, 1.0], [1.0, 1.0]]))
