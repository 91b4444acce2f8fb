"""Mixtures against SciPy, automatic differentiation and their draws, also where densities underflow."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import logsumexp
from torch import Tensor

from ams.schedules import Level
from ams.statistics import goodness_of_fit, plan_fit_test, plan_squares_test
from ams.targets import CLEAN, GaussianMixture
from tests.ams.tools import draws
from tests.monte_carlo import MonteCarlo

K, SHAPE = 3, (2, 2)
WEIGHTS = [0.2, 0.5, 0.3]
LEVELS = [CLEAN, Level(0, 0.02), Level(0, 50.0), Level(0, 0.6, 0.8)]


FACTORS = draws(1, K, 4, 8)
COVARIANCES = {
    "number": 0.7,
    "numbers": draws(2, K).square() + 0.1,
    "flat": draws(3, K, 4).square() + 0.1,
    "shaped": draws(4, K, *SHAPE).square() + 0.1,
    "matrices": FACTORS @ FACTORS.mT / 4,
}
MEANS = 2 * draws(5, K, *SHAPE)


def dense(kind: str) -> Tensor:
    """Return the covariances of a kind as matrices."""
    value = torch.as_tensor(COVARIANCES[kind], dtype=torch.float64)
    if value.shape == (K, 4, 4):
        return value
    return torch.diag_embed(value.reshape(K, -1).expand(K, 4) if value.ndim else value.expand(K, 4))


def log_joint(x: Tensor, kind: str, level: Level) -> np.ndarray:
    """Return log weight plus log density of each component, by scipy; (K, batch)."""
    covariances = level.scale**2 * dense(kind) + level.sigma**2 * torch.eye(4).double()
    parameters, rows = zip(WEIGHTS, MEANS, covariances, strict=True), x.flatten(1).numpy()
    return np.stack(
        [
            math.log(w) + stats.multivariate_normal(level.scale * m.flatten().numpy(), c.numpy()).logpdf(rows)
            for w, m, c in parameters
        ]
    )


@pytest.mark.parametrize("level", LEVELS, ids=lambda level: f"{level.scale:g}-{level.sigma:.2g}")
@pytest.mark.parametrize("kind", COVARIANCES)
def test_density_posterior_and_score(kind: str, level: Level) -> None:
    x = torch.cat([3 * draws(6, 20, *SHAPE), 1e3 * draws(7, 2, *SHAPE)]).requires_grad_()
    target = GaussianMixture(WEIGHTS, MEANS, COVARIANCES[kind])
    joint = log_joint(x.detach(), kind, level)
    density = target.log_density(x, level)
    assert density.detach().numpy() == pytest.approx(logsumexp(joint, axis=0), rel=1e-11)
    posterior = target.posterior(x.detach(), level)
    assert posterior.numpy() == pytest.approx(np.exp(joint - logsumexp(joint, axis=0)).T, rel=1e-7, abs=1e-12)
    (gradient,) = torch.autograd.grad(density.sum(), x)
    torch.testing.assert_close(target.score(x.detach(), level), gradient, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", COVARIANCES)
def test_the_marginal_is_the_target_at_the_noise_level(kind: str) -> None:
    x, level = draws(6, 5, *SHAPE), Level(0, 0.6, 0.8)
    target = GaussianMixture(WEIGHTS, MEANS, COVARIANCES[kind])
    torch.testing.assert_close(target.marginal(level).score(x, CLEAN), target.score(x, level), rtol=1e-12, atol=1e-14)


@pytest.mark.monte_carlo(share=0.01)
def test_draws_have_its_distribution(monte_carlo: MonteCarlo) -> None:
    """Components far apart: tests of their counts and of the whitened squares of each."""
    level, n, share = Level(0, 0.6, 0.8), 6000, monte_carlo.share / (1 + K)
    target = GaussianMixture(WEIGHTS, 50 * MEANS, COVARIANCES["matrices"])
    samples = target.sample(n, level, monte_carlo.torch())
    assert samples.shape == (n, *SHAPE)
    component = target.posterior(samples, level).argmax(1)
    counts = monte_carlo.note(plan_fit_test(n, WEIGHTS, effect=0.13, share=share))
    assert not counts.rejects(goodness_of_fit(component.bincount(minlength=K).numpy(), WEIGHTS))
    for k in range(K):
        residual = (samples[component == k] - 50 * level.scale * MEANS[k]).flatten(1)
        covariance = level.scale**2 * dense("matrices")[k] + level.sigma**2 * torch.eye(4).double()
        squares = monte_carlo.note(plan_squares_test(residual.numel(), effect=0.2, share=share))
        assert not squares.rejects(float((residual @ torch.linalg.inv(covariance) * residual).sum()))


def test_float32_and_any_shape_of_as_many_elements() -> None:
    target, level = GaussianMixture(WEIGHTS, MEANS, COVARIANCES["matrices"]), Level(0, 0.6, 0.8)
    x = draws(6, 5, 4)
    score = target.score(x, level)
    single = target.to(torch.float32).score(x.float(), level)
    assert score.shape == (5, 4) and single.dtype == torch.float32
    torch.testing.assert_close(single.double(), score, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("weights", "means", "match"),
    [
        ([1.0], torch.zeros(2), "means need shape"),
        ([1.0], torch.zeros(2, 3), r"\(1,\) weights for 2 means"),
        ([0.5, 0.6], torch.zeros(2, 3), "sum to 1"),
        ([-0.5, 1.5], torch.zeros(2, 3), "non-negative"),
        ([math.nan, 1.0], torch.zeros(2, 3), "non-negative"),
    ],
)
def test_invalid_mixtures_are_refused(weights: list[float], means: Tensor, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        GaussianMixture(weights, means)


def test_a_singular_component_has_no_density_without_noise() -> None:
    target = GaussianMixture([0.5, 0.5], torch.zeros(2, 2), torch.tensor([[1.0, 0.0], [1.0, 1.0]]))
    with pytest.raises(ValueError, match="sigma > 0"):
        target.posterior(torch.ones(1, 2), CLEAN)
