"""The exact law on a full covariance, in its eigenbasis and back, against dense matrices."""

import pytest
import torch

from ams.laws import GaussianLaw, eigenlaw, rotated_back
from ams.samplers import langevin
from ams.schedules import Level
from ams.targets import CLEAN, Gaussian
from tests.ams.tools import assert_equal, draws, moments_at_end

STEP = Level(0, sigma=0.0, step=0.05)


def full(seed: int = 0, d: int = 5) -> Gaussian:
    """Return a Gaussian with a full covariance and a mean."""
    root = draws(seed, d, 2 * d)
    return Gaussian(draws(seed + 1, d), root @ root.mT / d)


def test_langevin_on_a_full_covariance_is_the_matrix_recursion() -> None:
    target = full()
    law = eigenlaw(target)
    end = rotated_back(target, moments_at_end(law, [(langevin(), STEP)] * 7, law.start(0.0, 2.0)))
    eye = torch.eye(5, dtype=torch.float64)
    matrix = eye - 0.05 * torch.linalg.inv(target.covariance.matrix())
    mean, covariance = torch.zeros(5, dtype=torch.float64), 2.0 * eye
    for _ in range(7):
        mean = target.mean + matrix @ (mean - target.mean)
        covariance = matrix @ covariance @ matrix.mT + 0.1 * eye
    assert_equal((end.mean, end.covariance.matrix()), (mean, covariance))


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


def test_a_singular_target_is_refused() -> None:
    with pytest.raises(ValueError, match="variances must be positive"):
        eigenlaw(Gaussian([0.0, 0.0], [[1.0, 1.0], [1.0, 1.0]]))
