"""The exact law: moments by hand, bookkeeping of covariances and draws, eigenbases of full covariances, errors."""

import math

import pytest
import torch

from ams.laws import GaussianLaw, eigenlaw, expected_norm, rotated_back
from ams.samplers import NonFiniteState, langevin
from ams.schedules import Level
from ams.targets import Gaussian
from tests.ams.tools import assert_equal, draws, moments_at_end

HERE = Level(0, sigma=0.0, step=0.1)


def test_the_score_is_that_of_the_level() -> None:
    """Against autograd of the log-density of `N(r mu, r^2 v + sigma^2)`."""
    law, level = GaussianLaw([0.7], [2.0]), Level(0, sigma=0.3, scale=0.6)
    at = torch.tensor(1.3, dtype=torch.float64, requires_grad=True)
    density = torch.distributions.Normal(*torch.tensor([0.6 * 2.0, math.sqrt(0.36 * 0.7 + 0.09)], dtype=torch.float64))
    (exact,) = torch.autograd.grad(density.log_prob(at), at)
    row = torch.tensor([[1.3, 0.0, 0.0]], dtype=torch.float64)
    assert law.score(row, level)[0, 0].item() == pytest.approx(exact.item(), rel=1e-12)


def test_the_norm_is_the_expectation_over_all_directions() -> None:
    law = GaussianLaw([1.0, 4.0], [0.0, 1.0], [3.0, 2.0])
    state = law.start([0.5, 0.0], [2.0, 0.1])
    exact = expected_norm(*(torch.tensor(v, dtype=torch.float64) for v in ([0.5, 0.0], [2.0, 0.1], [3.0, 2.0])))
    assert law.norm(state.x) == pytest.approx(exact, rel=1e-14)
    assert law.norm(law.noise(state.x)) == pytest.approx(math.sqrt(2) * math.gamma(3) / math.gamma(2.5), rel=1e-12)


def test_a_step_that_draws_more_is_refused() -> None:
    law = GaussianLaw([1.0])
    x = law.start(0.0, 1.0).x
    assert law.covariance(law.noise(x), law.noise(x)).item() == 0.0
    with pytest.raises(ValueError, match="has room for 2 draws a step"):
        law.noise(x)


def test_a_diverging_law_stops_the_run() -> None:
    law = GaussianLaw([1.0])
    with pytest.raises(NonFiniteState, match="sigma 0"):
        law.end([(langevin(), Level(0, sigma=0.0, step=100.0))] * 200, law.start(0.0, 1.0))


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (([1.0, 0.0],), "variances must be positive"),
        (([1.0, -1.0],), "variances must be positive"),
        (([1.0, math.nan],), "variances must be positive"),
        (([1.0, 2.0], [1.0]), "1 values for 2 directions"),
        (([1.0, 2.0], 0.0, [1.0, 1.0, 1.0]), "3 values for 2 directions"),
    ],
)
def test_invalid_targets_are_refused(arguments: tuple, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        GaussianLaw(*arguments)


@pytest.mark.parametrize("variance", [-1.0, math.nan, [1.0, -1e-9]])
def test_invalid_starts_are_refused(variance: float | list[float]) -> None:
    with pytest.raises(ValueError, match="start's variances must be 0 or more"):
        GaussianLaw([1.0, 2.0]).start(0.0, variance)


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


def test_a_diagonal_target_keeps_its_directions_and_shape() -> None:
    target = Gaussian([[0.0, 1.0], [2.0, 3.0]], [[1.0, 2.0], [3.0, 4.0]])
    law = eigenlaw(target)
    assert isinstance(law, GaussianLaw) and law.variance.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert rotated_back(target, law.moments(law.start(0.0, 1.0).x)).shape == (2, 2)


def test_a_singular_target_is_refused() -> None:
    with pytest.raises(ValueError, match="variances must be positive"):
        eigenlaw(Gaussian([0.0, 0.0], [[1.0, 1.0], [1.0, 1.0]]))
