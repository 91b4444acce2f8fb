"""The Gaussian target against SciPy, automatic differentiation and its draws, for every kind of covariance."""

import math
from itertools import combinations_with_replacement

import pytest
import torch
from scipy import stats
from torch import Tensor

from ams.schedules import Level
from ams.statistics import plan_known_mean_test, plan_squares_test
from ams.targets import CLEAN, Gaussian
from tests.ams.tools import draws
from tests.monte_carlo import MonteCarlo

SHAPE = (2, 3)
LEVELS = [CLEAN, Level(0, 0.02), Level(0, 50.0), Level(0, 0.6, 0.8), Level(0, math.sqrt(1 - 1e-8), 1e-4)]


FACTOR = draws(3, 6, 12)
COVARIANCES = {
    "number": 0.7,
    "flat": draws(1, 6).square() + 0.1,
    "shaped": draws(2, *SHAPE).square() + 0.1,
    "matrix": FACTOR @ FACTOR.mT / 6,
}


def dense(kind: str) -> Tensor:
    """Return a covariance of COVARIANCES as a matrix."""
    value = torch.as_tensor(COVARIANCES[kind], dtype=torch.float64)
    return value if value.shape == (6, 6) else torch.diag(value.reshape(-1).expand(6))


@pytest.mark.parametrize("level", LEVELS, ids=lambda level: f"{level.scale:g}-{level.sigma:.2g}")
@pytest.mark.parametrize("kind", COVARIANCES)
def test_density_is_scipys_and_score_its_gradient(kind: str, level: Level) -> None:
    mean, x = draws(4, *SHAPE), draws(5, 7, *SHAPE).requires_grad_()
    target = Gaussian(mean, COVARIANCES[kind])
    covariance = level.scale**2 * dense(kind) + level.sigma**2 * torch.eye(6).double()
    reference = stats.multivariate_normal(level.scale * mean.flatten().numpy(), covariance.numpy())
    density = target.log_density(x, level)
    assert density.detach().numpy() == pytest.approx(reference.logpdf(x.detach().flatten(1).numpy()), rel=1e-11)
    (gradient,) = torch.autograd.grad(density.sum(), x)
    torch.testing.assert_close(target.score(x.detach(), level), gradient, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("kind", COVARIANCES)
def test_the_marginal_is_the_target_at_the_noise_level(kind: str) -> None:
    x, level = draws(5, 7, *SHAPE), Level(0, 0.6, 0.8)
    target = Gaussian(draws(4, *SHAPE), COVARIANCES[kind])
    marginal = target.marginal(level)
    assert marginal.shape == SHAPE
    torch.testing.assert_close(marginal.score(x, CLEAN), target.score(x, level), rtol=1e-13, atol=0)
    torch.testing.assert_close(marginal.log_density(x, CLEAN), target.log_density(x, level), rtol=1e-13, atol=0)


@pytest.mark.monte_carlo(share=0.01)
@pytest.mark.parametrize("kind", COVARIANCES)
def test_draws_have_its_distribution(kind: str, monte_carlo: MonteCarlo) -> None:
    """Whitened, the draws are standard normal: mean and square along 21 directions, for every covariance entry.

    The directions are the coordinates and the sums of two of them, whose square depends on their covariance.
    """
    level, n, share = Level(0, 0.6, 0.8), 4000, monte_carlo.share / 42
    mean = draws(4, *SHAPE)
    samples = Gaussian(mean, COVARIANCES[kind]).sample(n, level, monte_carlo.torch())
    assert samples.shape == (n, *SHAPE)
    factor = torch.linalg.cholesky(level.scale**2 * dense(kind) + level.sigma**2 * torch.eye(6).double())
    white = torch.linalg.solve_triangular(factor, (samples - level.scale * mean).flatten(1).mT, upper=False)
    of_mean = monte_carlo.note(plan_known_mean_test(n, effect=0.15, share=share))
    of_square = monte_carlo.note(plan_squares_test(n, effect=0.24, share=share))
    for i, j in combinations_with_replacement(range(6), 2):
        along = white[i] if i == j else (white[i] + white[j]) / math.sqrt(2)
        assert not of_mean.rejects(float(along.sum()) / math.sqrt(n)), (i, j)
        assert not of_square.rejects(float(along.square().sum())), (i, j)


def test_float32_and_any_shape_of_as_many_elements() -> None:
    target = Gaussian(draws(4, *SHAPE), COVARIANCES["matrix"])
    x, level = draws(5, 7, 6), Level(0, 0.6, 0.8)
    score = target.score(x, level)
    assert score.shape == x.shape and score.data_ptr() != x.data_ptr()
    single = target.to(torch.float32).score(x.float().reshape(7, 3, 2), level)
    assert single.dtype == torch.float32 and single.shape == (7, 3, 2)
    torch.testing.assert_close(single.reshape(7, 6).double(), score, rtol=1e-4, atol=1e-5)
    assert target.to(torch.float32).sample(2, level, torch.Generator()).dtype == torch.float32


def test_an_isotropic_covariance_takes_no_memory() -> None:
    assert Gaussian(torch.zeros(100_000), 2.0).covariance.variances.untyped_storage().nbytes() == 4


def test_a_singular_target_has_no_density_at_sigma_0() -> None:
    target, x = Gaussian(torch.zeros(2), [1.0, 0.0]), torch.ones(3, 2)
    for call in (target.score, target.log_density):
        with pytest.raises(ValueError, match="use a noise level with sigma > 0"):
            call(x, CLEAN)
    torch.testing.assert_close(target.score(x, Level(0, 1.0)), torch.tensor([[-0.5, -1.0]]).expand(3, 2))
    assert bool((target.sample(5, CLEAN, torch.Generator())[:, 1] == 0).all())


def test_a_row_that_is_not_finite_gives_nan_alone() -> None:
    x = torch.tensor([[1.0, math.nan], [1.0, 1.0]])
    score = Gaussian(torch.zeros(2), [1.0, 2.0]).score(x, CLEAN)
    assert bool(score[0].isnan().any()) and bool(score[1].isfinite().all())


def test_rows_of_another_width_or_dtype_are_refused() -> None:
    target = Gaussian(torch.zeros(2))
    with pytest.raises(ValueError, match="2 elements a row"):
        target.score(torch.ones(3, 3), CLEAN)
    with pytest.raises(ValueError, match="2 elements a row"):
        target.score(torch.ones(2), CLEAN)
    with pytest.raises(TypeError, match=r"float64 on cpu, the target torch\.float32"):
        target.score(torch.ones(3, 2).double(), CLEAN)
