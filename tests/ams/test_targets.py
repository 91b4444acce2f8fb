"""Gaussians and mixtures, dense and of low rank: against SciPy, automatic differentiation and their
own draws.

Each has every form of a covariance that the arguments allow.
"""

import math
from itertools import combinations_with_replacement
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import logsumexp
from torch import Tensor

from ams.schedules import Level
from ams.statistics import goodness_of_fit, plan_fit_test, plan_known_mean_test, plan_squares_test
from ams.targets import CLEAN, Gaussian, GaussianMixture
from ams.targets.covariance import as_covariance
from ams.targets.low_rank_mixture import LowRankMixture, in_its_subspace
from tests.ams.tools import draws
from tests.monte_carlo import MonteCarlo

SHAPE, K = (2, 3), 3
WEIGHTS = [0.2, 0.5, 0.3]
LEVELS = [
    CLEAN,
    Level(0, 0.02),
    Level(0, 50.0),
    Level(0, 0.6, 0.8),
    Level(0, math.sqrt(1 - 1e-8), 1e-4),
]
MEAN, MEANS = draws(4, *SHAPE), 2 * draws(5, K, *SHAPE)
FACTORS = draws(3, K, 6, 12)
MATRICES = FACTORS @ FACTORS.mT / 6
OF_ONE = {
    "number": 0.7,
    "flat": draws(1, 6).square() + 0.1,
    "shaped": draws(2, *SHAPE).square() + 0.1,
    "matrix": MATRICES[0],
}
OF_SEVERAL = {
    "number": 0.7,
    "numbers": draws(2, K).square() + 0.1,
    "flat": draws(3, K, 6).square() + 0.1,
    "shaped": draws(4, K, *SHAPE).square() + 0.1,
    "matrices": MATRICES,
}


class Case(NamedTuple):
    """A target with its components, and the relative tolerances of its score and of its
    marginal's.
    """

    target: Gaussian | GaussianMixture
    weights: list[float]
    means: Tensor
    covariance: Any
    score: float
    marginal: float

    def joint(self, x: Tensor, level: Level) -> np.ndarray:
        """Return log weight plus log density of each component, by scipy; (K, batch)."""
        means = level.scale * self.means.flatten(1)
        covariances = (
            level.scale**2 * dense(self.covariance, len(means))
            + level.sigma**2 * torch.eye(6).double()
        )
        parts = zip(self.weights, means.numpy(), covariances.numpy(), strict=True)
        rows = x.flatten(1).numpy()
        return np.stack(
            [math.log(w) + stats.multivariate_normal(m, c).logpdf(rows) for w, m, c in parts]
        )


def dense(covariance: Any, count: int) -> Tensor:
    """Return a covariance of OF_ONE or OF_SEVERAL as `count` matrices."""
    value = torch.as_tensor(covariance, dtype=torch.float64)
    if value.shape[-2:] == (6, 6):
        return value.expand(count, 6, 6)
    return torch.diag_embed(
        (value if value.ndim else value.expand(count)).reshape(count, -1).expand(count, 6)
    )


CASES = {
    f"Gaussian, {kind}": Case(Gaussian(MEAN, each), [1.0], MEAN[None], each, 1e-11, 1e-13)
    for kind, each in OF_ONE.items()
} | {
    f"mixture, {kind}": Case(
        GaussianMixture(WEIGHTS, MEANS, each), WEIGHTS, MEANS, each, 1e-9, 1e-12
    )
    for kind, each in OF_SEVERAL.items()
}
each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@pytest.mark.parametrize("level", LEVELS, ids=lambda level: f"{level.scale:g}-{level.sigma:.2g}")
@each_case
def test_density_is_scipys_and_score_its_gradient(case: Case, level: Level) -> None:
    x = torch.cat([3 * draws(6, 20, *SHAPE), 1e3 * draws(7, 2, *SHAPE)]).requires_grad_()
    density, joint = case.target.log_density(x, level), case.joint(x.detach(), level)
    assert density.detach().numpy() == pytest.approx(logsumexp(joint, axis=0), rel=1e-11)
    (gradient,) = torch.autograd.grad(density.sum(), x)
    torch.testing.assert_close(
        case.target.score(x.detach(), level), gradient, rtol=case.score, atol=case.score / 1000
    )
    if isinstance(case.target, GaussianMixture):
        posterior = case.target.posterior(x.detach(), level)
        assert posterior.numpy() == pytest.approx(
            np.exp(joint - logsumexp(joint, axis=0)).T, rel=1e-7, abs=1e-12
        )


@each_case
def test_the_marginal_is_the_target_at_the_noise_level(case: Case) -> None:
    x, level = draws(5, 7, *SHAPE), Level(0, 0.6, 0.8)
    marginal = case.target.marginal(level)
    assert marginal.shape == SHAPE
    for name in ("score", "log_density"):
        there, here = getattr(marginal, name)(x, CLEAN), getattr(case.target, name)(x, level)
        torch.testing.assert_close(there, here, rtol=case.marginal, atol=1e-14)


@each_case
def test_float32_and_any_shape_of_as_many_elements(case: Case) -> None:
    x, level = draws(5, 7, 6), Level(0, 0.6, 0.8)
    score, target = case.target.score(x, level), case.target.to(torch.float32)
    assert score.shape == x.shape and score.data_ptr() != x.data_ptr()
    single = target.score(x.float().reshape(7, 3, 2), level)
    assert single.dtype == torch.float32 and single.shape == (7, 3, 2)
    torch.testing.assert_close(single.reshape(7, 6).double(), score, rtol=1e-4, atol=1e-5)
    assert target.sample(2, level, torch.Generator()).dtype == torch.float32


@pytest.mark.monte_carlo(share=0.01)
@pytest.mark.parametrize("kind", OF_ONE)
def test_draws_of_a_gaussian_have_its_distribution(kind: str, monte_carlo: MonteCarlo) -> None:
    """Whitened, the draws are standard normal: mean and square along 21 directions, for every
    covariance entry.

    The directions are the coordinates and the sums of two of them, whose square depends on their
    covariance.
    """
    level, n, share = Level(0, 0.6, 0.8), 4000, monte_carlo.share / 42
    samples = Gaussian(MEAN, OF_ONE[kind]).sample(n, level, monte_carlo.torch())
    assert samples.shape == (n, *SHAPE)
    factor = torch.linalg.cholesky(
        level.scale**2 * dense(OF_ONE[kind], 1)[0] + level.sigma**2 * torch.eye(6).double()
    )
    white = torch.linalg.solve_triangular(
        factor, (samples - level.scale * MEAN).flatten(1).mT, upper=False
    )
    of_mean = monte_carlo.note(plan_known_mean_test(n, effect=0.15, share=share))
    of_square = monte_carlo.note(plan_squares_test(n, effect=0.24, share=share))
    for i, j in combinations_with_replacement(range(6), 2):
        along = white[i] if i == j else (white[i] + white[j]) / math.sqrt(2)
        assert not of_mean.rejects(float(along.sum()) / math.sqrt(n)), (i, j)
        assert not of_square.rejects(float(along.square().sum())), (i, j)


@pytest.mark.monte_carlo(share=0.01)
def test_draws_of_a_mixture_have_its_distribution(monte_carlo: MonteCarlo) -> None:
    """Components far apart: tests of their counts and of the whitened squares of each."""
    level, n, share = Level(0, 0.6, 0.8), 6000, monte_carlo.share / (1 + K)
    target = GaussianMixture(WEIGHTS, 50 * MEANS, MATRICES)
    samples = target.sample(n, level, monte_carlo.torch())
    assert samples.shape == (n, *SHAPE)
    component = target.posterior(samples, level).argmax(1)
    counts = monte_carlo.note(plan_fit_test(n, WEIGHTS, effect=0.13, share=share))
    assert not counts.rejects(goodness_of_fit(component.bincount(minlength=K).numpy(), WEIGHTS))
    for k in range(K):
        residual = (samples[component == k] - 50 * level.scale * MEANS[k]).flatten(1)
        covariance = level.scale**2 * MATRICES[k] + level.sigma**2 * torch.eye(6).double()
        squares = monte_carlo.note(plan_squares_test(residual.numel(), effect=0.2, share=share))
        assert not squares.rejects(
            float((residual @ torch.linalg.inv(covariance) * residual).sum())
        )


def test_an_isotropic_covariance_takes_no_memory() -> None:
    assert Gaussian(torch.zeros(100_000), 2.0).covariance.variances.untyped_storage().nbytes() == 4


def test_a_singular_target_has_no_density_at_sigma_0() -> None:
    target, x = Gaussian(torch.zeros(2), [1.0, 0.0]), torch.ones(3, 2)
    for call in (target.score, target.log_density):
        with pytest.raises(ValueError, match="use a noise level with sigma > 0"):
            call(x, CLEAN)
    torch.testing.assert_close(
        target.score(x, Level(0, 1.0)), torch.tensor([[-0.5, -1.0]]).expand(3, 2)
    )
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


ZERO = torch.zeros(4, dtype=torch.float64)
MATRIX = torch.tensor(
    [[2.0, 0.5, 0, 0], [0.5, 1.0, 0, 0], [0, 0, 3.0, -1.0], [0, 0, -1.0, 1.0]], dtype=torch.float64
)


def test_rounding_of_single_precision_is_allowed() -> None:
    u = draws(1, 4, 1, dtype=torch.float32)
    flat = u @ u.mT  # rank 1: eigenvalues of about -1e-8 in float32
    assert bool((as_covariance(flat, ZERO.float(), (2, 2)).variances >= 0).all())
    assert (
        as_covariance(flat, ZERO.float(), (2, 2)).to(torch.float64).variances.dtype == torch.float64
    )


@pytest.mark.parametrize(
    ("given", "match"),
    [
        (math.nan, "not finite"),
        (-1.0, "variance -1 is negative"),
        ([1.0, 1.0, -2.0, 1.0], "variance -2 is negative"),
        (torch.triu(MATRIX), "not symmetric"),
        (MATRIX - 2 * torch.eye(4), "eigenvalue -1.41421"),
        (torch.ones(3), r"shape \(3,\) fits neither a number, \(4,\) nor \(4, 4\)"),
    ],
)
def test_invalid_covariances_are_refused(given: object, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        as_covariance(given, ZERO, (2, 2))


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


LEVEL = Level(0, sigma=0.3, scale=0.8)
DRAWS = torch.Generator().manual_seed(5)
SHARES = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
CENTRES = 2 * torch.randn(3, 12, generator=DRAWS, dtype=torch.float64)
BASES = torch.linalg.qr(torch.randn(3, 12, 2, generator=DRAWS, dtype=torch.float64)).Q
VARIANCES = 0.5 + torch.rand(3, 2, generator=DRAWS, dtype=torch.float64)
RESIDUAL = 0.05 + torch.rand(3, generator=DRAWS, dtype=torch.float64)
PARTS = (SHARES, CENTRES, BASES, VARIANCES, RESIDUAL)


def as_mixture(mixture: LowRankMixture) -> GaussianMixture:
    """Return a mixture with its covariances as matrices."""
    bases = torch.nn.functional.pad(mixture.bases, (0, 0, 0, mixture.d - mixture.m))
    along = torch.einsum(
        "kir,kr,kjr->kij", bases, mixture.variances - mixture.residual[:, None], bases
    )
    covariances = along + mixture.residual[:, None, None] * torch.eye(mixture.d).to(along)
    means = torch.nn.functional.pad(mixture.means, (0, mixture.d - mixture.m))
    return GaussianMixture(mixture.weights, means, covariances)


@pytest.mark.parametrize("mixture", [LowRankMixture(*PARTS, 12), in_its_subspace(*PARTS)])
def test_it_is_the_dense_mixture(mixture: LowRankMixture) -> None:
    """Score, density and posterior, in any coordinates; also those of the distribution at the
    noise level.
    """
    x = 2 * torch.randn(7, 12, generator=DRAWS, dtype=torch.float64)
    clean = Level(0, sigma=0.0)
    for name in ("score", "log_density", "posterior"):
        wanted = getattr(as_mixture(mixture), name)(x, LEVEL)
        assert torch.allclose(getattr(mixture, name)(x, LEVEL), wanted, rtol=1e-10, atol=1e-12)
        assert torch.allclose(
            getattr(mixture.marginal(LEVEL), name)(x, clean), wanted, rtol=1e-10, atol=1e-12
        )


def test_all_structure_lies_in_its_first_coordinates() -> None:
    """Three centred means span two dimensions and three bases six: eight of twelve; distances
    are kept.
    """
    mixture = in_its_subspace(*PARTS)
    assert mixture.m == 8
    assert torch.allclose(torch.cdist(mixture.means, mixture.means), torch.cdist(CENTRES, CENTRES))
    assert torch.allclose(SHARES @ mixture.means, torch.zeros(8, dtype=torch.float64), atol=1e-12)


@pytest.mark.parametrize("flipped", [(0,), (1,), (0, 1)])
def test_no_sign_of_a_decomposition_is_seen(
    flipped: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor in draws: processors differ in the signs of singular vectors."""
    mixture, svd = in_its_subspace(*PARTS), torch.linalg.svd
    turned = BASES.clone()
    turned[..., flipped] *= -1

    def other(columns: torch.Tensor, full_matrices: bool) -> tuple[torch.Tensor, ...]:
        left, *rest = svd(columns, full_matrices=full_matrices)
        return left * (1 - 2 * (torch.arange(left.shape[1]) % 3 == 0).to(left)), *rest

    monkeypatch.setattr(torch.linalg, "svd", other)
    same = in_its_subspace(SHARES, CENTRES, turned, VARIANCES, RESIDUAL)
    assert torch.allclose(same.means, mixture.means) and torch.allclose(same.bases, mixture.bases)


def test_its_draws_have_its_moments() -> None:
    """Mean and covariance of 40,000 draws: six standard errors, a false alarm in 1e7; a tenth of
    a variance is seen.
    """
    mixture, n = in_its_subspace(*PARTS), 40_000
    x = mixture.sample(n, LEVEL, torch.Generator().manual_seed(1))
    whole = as_mixture(mixture.marginal(LEVEL))
    spread = torch.einsum("k,kij->ij", SHARES, whole.covariances.matrix())
    spread = spread + torch.einsum("k,ki,kj->ij", SHARES, whole.means, whole.means)
    errors = (x.mT @ x / n - spread).abs()
    scale = torch.sqrt((spread.diag()[:, None] * spread.diag() + spread**2) / n)
    assert float((errors / scale).max()) < 6
    assert float((x.mean(0) / (spread.diag() / n).sqrt()).abs().max()) < 6


@pytest.mark.parametrize(
    "wrong", [{"weights": 2 * SHARES}, {"bases": 2 * BASES}, {"residual": -RESIDUAL}]
)
def test_parameters_that_do_not_fit_are_refused(wrong: dict[str, torch.Tensor]) -> None:
    parts = dict(zip(("weights", "means", "bases", "variances", "residual"), PARTS, strict=True))
    with pytest.raises(ValueError, match="low-rank mixture"):
        LowRankMixture(**{**parts, **wrong}, d=12)
