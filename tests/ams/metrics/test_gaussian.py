"""Gaussian distances against scipy's matrix square root, quadrature, and each other."""

import math

import numpy as np
import pytest
import torch
from scipy import integrate, linalg, stats

from ams.metrics import frechet_distance, gaussian_kl, gaussian_kl_full, gaussian_w2, gaussian_w2_full


def covariance(d: int, seed: int) -> torch.Tensor:
    """Return a random covariance of condition number about d."""
    factor = torch.randn(d, 2 * d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return factor @ factor.mT / d


@pytest.mark.parametrize("d", [1, 3, 20])
def test_full_w2_is_the_textbook_formula(d: int) -> None:
    m, c, tm, tc = torch.ones(d), covariance(d, 1), torch.zeros(d), covariance(d, 2)
    root = linalg.sqrtm(c.numpy())
    bures = np.trace(c.numpy() + tc.numpy() - 2 * linalg.sqrtm(root @ tc.numpy() @ root).real)
    assert gaussian_w2_full(m, c, tm, tc) == pytest.approx(math.sqrt(d + bures), rel=1e-10)


@pytest.mark.parametrize("d", [1, 3, 20])
def test_full_kl_is_the_textbook_formula(d: int) -> None:
    m, c, tm, tc = torch.ones(d).double(), covariance(d, 3), torch.zeros(d).double(), covariance(d, 4)
    inverse = torch.linalg.inv(tc)
    expected = float(torch.trace(inverse @ c) - d + m @ inverse @ m + torch.logdet(tc) - torch.logdet(c)) / 2
    assert gaussian_kl_full(m, c, tm, tc) == pytest.approx(expected, rel=1e-11)


def test_kl_is_the_integral_it_abbreviates() -> None:
    law, target = stats.norm(0.7, math.sqrt(0.3)), stats.norm(-0.2, math.sqrt(2.0))
    integral, _ = integrate.quad(lambda x: law.pdf(x) * (law.logpdf(x) - target.logpdf(x)), -12, 12, epsabs=1e-13)
    assert gaussian_kl(0.7, 0.3, -0.2, 2.0) == pytest.approx(integral, rel=1e-10)


def test_w2_is_the_quantile_integral_it_abbreviates() -> None:
    law, target = stats.norm(0.7, math.sqrt(0.3)), stats.norm(-0.2, math.sqrt(2.0))
    integral, _ = integrate.quad(lambda q: (law.ppf(q) - target.ppf(q)) ** 2, 0, 1, limit=400)
    assert gaussian_w2(0.7, 0.3, -0.2, 2.0) == pytest.approx(math.sqrt(integral), rel=1e-6)


def test_multiplicities_repeat_directions_and_full_agrees_with_distinct() -> None:
    m, v, tm, tv, n = [0.5, -1.0], [0.3, 4.0], [0.0, 0.25], [1.0, 3.5], [3, 2]
    repeat = [torch.tensor(value, dtype=torch.float64).repeat_interleave(torch.tensor(n)) for value in (m, v, tm, tv)]
    basis = torch.linalg.qr(covariance(5, 5)).Q
    full = [basis @ repeat[0], basis * repeat[1] @ basis.mT, basis @ repeat[2], basis * repeat[3] @ basis.mT]
    for short, matrix in ((gaussian_w2, gaussian_w2_full), (gaussian_kl, gaussian_kl_full)):
        expected = short(m, v, tm, tv, n)
        assert short(*repeat) == pytest.approx(expected, rel=1e-14)
        assert matrix(*full) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("gap", [1e-3, 1e-6, 1e-9])
def test_close_laws_lose_no_digits(gap: float) -> None:
    v = 3.0 * (1 + gap)
    u = (v - 3.0) / 3.0  # the gap after rounding
    series = (u**2 / 2 - u**3 / 3 + u**4 / 4) / 2
    assert gaussian_kl(0.0, v, 0.0, 3.0) == pytest.approx(series, rel=1e-15 / gap + 1e-12)
    spread = math.sqrt(3.0) * math.expm1(math.log1p(u) / 2)
    assert gaussian_w2(0.0, v, 0.0, 3.0) == pytest.approx(spread, rel=1e-12)
    same = torch.eye(4, dtype=torch.float64)
    assert gaussian_w2_full(torch.zeros(4), same * v, torch.zeros(4), same * 3.0) == pytest.approx(
        2 * spread, rel=1e-12 + 1e-14 / gap
    )


def test_degenerate_laws() -> None:
    assert gaussian_w2([1.0, 2.0], [0.0, 0.0], [0.0, 0.0], [0.0, 4.0]) == pytest.approx(3.0)
    assert gaussian_kl(0.0, 0.0, 0.0, 1.0) == math.inf
    flat = torch.diag(torch.tensor([1.0, 0.0]))
    assert gaussian_w2_full(torch.zeros(2), flat, torch.zeros(2), torch.eye(2)) == pytest.approx(1.0)
    assert gaussian_kl_full(torch.zeros(2), flat, torch.zeros(2), torch.eye(2)) == math.inf


def test_laws_that_are_none_are_refused() -> None:
    eye, zero = torch.eye(2), torch.zeros(2)
    with pytest.raises(ValueError, match="negative"):
        gaussian_w2(0.0, -1.0, 0.0, 1.0)
    with pytest.raises(ValueError, match="negative"):
        gaussian_kl(0.0, 1.0, 0.0, -1.0)
    with pytest.raises(ValueError, match="target is zero"):
        gaussian_kl(0.0, 1.0, 0.0, 0.0)
    with pytest.raises(ValueError, match="positive definite"):
        gaussian_kl_full(zero, eye, zero, -eye)
    with pytest.raises(ValueError, match="not \\(d, d\\)"):
        gaussian_w2_full(zero, torch.ones(2), zero, eye)
    with pytest.raises(ValueError, match="symmetric"):
        gaussian_w2_full(zero, torch.tensor([[1.0, 0.5], [0.0, 1.0]]), zero, eye)
    with pytest.raises(ValueError, match="not finite"):
        gaussian_w2_full(zero, eye * math.nan, zero, eye)
    with pytest.raises(ValueError, match="negative eigenvalue"):
        gaussian_w2_full(zero, -eye, zero, eye)


def test_frechet_distance_is_that_of_the_fitted_gaussians() -> None:
    x = torch.randn(50, 3, generator=torch.Generator().manual_seed(0))
    y = 2 * x + 1
    c = np.cov(x.double().numpy().T)
    expected = float(((x + 1).double().mean(0) ** 2).sum()) + np.trace(c)  # y's root is twice x's
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-6)
    assert frechet_distance(x, x) == pytest.approx(0.0, abs=1e-20)
    assert frechet_distance(x[:, :1], y[:, :1]) > 0
    with pytest.raises(ValueError, match="at least two"):
        frechet_distance(x[:1], y)
