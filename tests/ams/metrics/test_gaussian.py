"""Gaussian distances against SciPy's matrix square root and series; `test_density` has them by quadrature."""

import math

import numpy as np
import pytest
import torch
from scipy import linalg

from ams.metrics import frechet_distance, gaussian_kl, gaussian_w2
from tests.ams.tools import draws


def test_multiplicities_repeat_directions() -> None:
    m, v, tm, tv, n = [0.5, -1.0], [0.3, 4.0], [0.0, 0.25], [1.0, 3.5], [3, 2]
    repeated = [torch.tensor(value, dtype=torch.float64).repeat_interleave(torch.tensor(n)) for value in (m, v, tm, tv)]
    for distance in (gaussian_w2, gaussian_kl):
        assert distance(*repeated) == pytest.approx(distance(m, v, tm, tv, n), rel=1e-14)


@pytest.mark.parametrize("gap", [1e-3, 1e-6, 1e-9])
def test_close_distributions_lose_no_digits(gap: float) -> None:
    v = 3.0 * (1 + gap)
    u = (v - 3.0) / 3.0  # the gap after rounding
    series = (u**2 / 2 - u**3 / 3 + u**4 / 4) / 2
    assert gaussian_kl(0.0, v, 0.0, 3.0) == pytest.approx(series, rel=1e-15 / gap + 1e-12)
    spread = math.sqrt(3.0) * math.expm1(math.log1p(u) / 2)
    assert gaussian_w2(0.0, v, 0.0, 3.0) == pytest.approx(spread, rel=1e-12)


def test_degenerate_gaussians_and_invalid_variances() -> None:
    assert gaussian_w2([1.0, 2.0], [0.0, 0.0], [0.0, 0.0], [0.0, 4.0]) == pytest.approx(3.0)
    assert gaussian_kl(0.0, 0.0, 0.0, 1.0) == math.inf
    with pytest.raises(ValueError, match="negative"):
        gaussian_w2(0.0, -1.0, 0.0, 1.0)
    with pytest.raises(ValueError, match="negative"):
        gaussian_kl(0.0, 1.0, 0.0, -1.0)
    with pytest.raises(ValueError, match="target is zero"):
        gaussian_kl(0.0, 1.0, 0.0, 0.0)


@pytest.mark.parametrize(("n", "m", "d"), [(50, 30, 1), (50, 30, 4), (12, 9, 20)])
def test_frechet_distance_is_the_textbook_formula(n: int, m: int, d: int) -> None:
    """For more samples than features and for fewer."""
    x, y = draws(1, n, d), 2 * draws(2, m, d) + 1
    (c, shift_x), (tc, shift_y) = ((np.atleast_2d(np.cov(s.numpy().T)), s.mean(0).numpy()) for s in (x, y))
    root = linalg.sqrtm(c)
    bures = np.trace(c + tc - 2 * linalg.sqrtm(root @ tc @ root).real)
    exact = float(((shift_x - shift_y) ** 2).sum() + bures)
    assert frechet_distance(x, y) == pytest.approx(exact, rel=1e-5)
    assert frechet_distance(x, x) == pytest.approx(0.0, abs=1e-20)


def test_features_without_a_frechet_distance_are_refused() -> None:
    x = draws(0, 5, 3)
    with pytest.raises(ValueError, match="at least two"):
        frechet_distance(x[:1], x)
    with pytest.raises(ValueError, match="not finite"):
        frechet_distance(x * math.nan, x)
