"""The low-rank mixture against the dense mixture, and against its own draws."""

import pytest
import torch

from ams.schedules import Level
from ams.targets import GaussianMixture
from ams.targets.low_rank_mixture import LowRankMixture, in_its_subspace

LEVEL = Level(0, sigma=0.3, scale=0.8)
DRAWS = torch.Generator().manual_seed(5)
WEIGHTS = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
MEANS = 2 * torch.randn(3, 12, generator=DRAWS, dtype=torch.float64)
BASES = torch.linalg.qr(torch.randn(3, 12, 2, generator=DRAWS, dtype=torch.float64)).Q
VARIANCES = 0.5 + torch.rand(3, 2, generator=DRAWS, dtype=torch.float64)
RESIDUAL = 0.05 + torch.rand(3, generator=DRAWS, dtype=torch.float64)
PARTS = (WEIGHTS, MEANS, BASES, VARIANCES, RESIDUAL)


def dense(mixture: LowRankMixture) -> GaussianMixture:
    """Return the same mixture with its covariances as matrices."""
    bases = torch.nn.functional.pad(mixture.bases, (0, 0, 0, mixture.d - mixture.m))
    along = torch.einsum("kir,kr,kjr->kij", bases, mixture.variances - mixture.residual[:, None], bases)
    covariances = along + mixture.residual[:, None, None] * torch.eye(mixture.d).to(along)
    means = torch.nn.functional.pad(mixture.means, (0, mixture.d - mixture.m))
    return GaussianMixture(mixture.weights, means, covariances)


@pytest.mark.parametrize("mixture", [LowRankMixture(*PARTS, 12), in_its_subspace(*PARTS)])
def test_it_is_the_dense_mixture(mixture: LowRankMixture) -> None:
    """Score, density and posterior, in any coordinates; also those of the distribution at the noise level."""
    x = 2 * torch.randn(7, 12, generator=DRAWS, dtype=torch.float64)
    clean = Level(0, sigma=0.0)
    for name in ("score", "log_density", "posterior"):
        wanted = getattr(dense(mixture), name)(x, LEVEL)
        assert torch.allclose(getattr(mixture, name)(x, LEVEL), wanted, rtol=1e-10, atol=1e-12)
        assert torch.allclose(getattr(mixture.marginal(LEVEL), name)(x, clean), wanted, rtol=1e-10, atol=1e-12)


def test_all_structure_lies_in_its_first_coordinates() -> None:
    """Three centred means span two dimensions and three bases six: eight of twelve; distances are kept."""
    mixture = in_its_subspace(*PARTS)
    assert mixture.m == 8
    assert torch.allclose(torch.cdist(mixture.means, mixture.means), torch.cdist(MEANS, MEANS))
    assert torch.allclose(WEIGHTS @ mixture.means, torch.zeros(8, dtype=torch.float64), atol=1e-12)


@pytest.mark.parametrize("flipped", [(0,), (1,), (0, 1)])
def test_no_sign_of_a_decomposition_is_seen(flipped: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor in draws: processors differ in the signs of singular vectors."""
    mixture, svd = in_its_subspace(*PARTS), torch.linalg.svd
    turned = BASES.clone()
    turned[..., flipped] *= -1

    def other(columns: torch.Tensor, full_matrices: bool) -> tuple[torch.Tensor, ...]:
        left, *rest = svd(columns, full_matrices=full_matrices)
        return left * (1 - 2 * (torch.arange(left.shape[1]) % 3 == 0).to(left)), *rest

    monkeypatch.setattr(torch.linalg, "svd", other)
    same = in_its_subspace(WEIGHTS, MEANS, turned, VARIANCES, RESIDUAL)
    assert torch.allclose(same.means, mixture.means) and torch.allclose(same.bases, mixture.bases)


def test_its_draws_have_its_moments() -> None:
    """Mean and covariance of 40,000 draws: six standard errors, a false alarm in 1e7; a tenth of a variance is seen."""
    mixture, n = in_its_subspace(*PARTS), 40_000
    x = mixture.sample(n, LEVEL, torch.Generator().manual_seed(1))
    whole = dense(mixture.marginal(LEVEL))
    spread = torch.einsum("k,kij->ij", WEIGHTS, whole.covariances.matrix())
    spread = spread + torch.einsum("k,ki,kj->ij", WEIGHTS, whole.means, whole.means)
    errors = (x.mT @ x / n - spread).abs()
    scale = torch.sqrt((spread.diag()[:, None] * spread.diag() + spread**2) / n)
    assert float((errors / scale).max()) < 6
    assert float((x.mean(0) / (spread.diag() / n).sqrt()).abs().max()) < 6


@pytest.mark.parametrize("wrong", [{"weights": 2 * WEIGHTS}, {"bases": 2 * BASES}, {"residual": -RESIDUAL}])
def test_parameters_that_do_not_fit_are_refused(wrong: dict[str, torch.Tensor]) -> None:
    parts = dict(zip(("weights", "means", "bases", "variances", "residual"), PARTS, strict=True))
    with pytest.raises(ValueError, match="low-rank mixture"):
        LowRankMixture(**{**parts, **wrong}, d=12)
