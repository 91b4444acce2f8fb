"""Distances of densities on the line: closed forms on Gaussians, densities far apart and nearly equal."""

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.special import ndtr

from ams.grid_function import tabulated
from ams.metrics import gaussian_kl, gaussian_w2, half_line, line_kl, line_w2, total_variation


def log_normal(mean, deviation):
    constant = math.log(deviation * math.sqrt(2 * math.pi))
    return lambda x: -(((x - mean) / deviation) ** 2) / 2 - constant


def normal(mean, deviation):
    return tabulated(log_normal(mean, deviation), around=mean)


def two(weight, apart, deviation):
    left, right = log_normal(-apart, deviation), log_normal(apart, deviation)
    return lambda x: np.logaddexp(math.log(weight) + left(x), math.log1p(-weight) + right(x))


@settings(deadline=None, max_examples=12)
@given(shift=st.floats(-2, 2), scale=st.floats(0.2, 5))
def test_gaussians_have_their_closed_forms(shift, scale):
    density, target = normal(shift, scale), log_normal(0.0, 1.0)
    assert line_w2(density, normal(0.0, 1.0)) == pytest.approx(gaussian_w2(shift, scale**2, 0.0, 1.0), abs=1e-9)
    assert line_kl(density, target) == pytest.approx(gaussian_kl(shift, scale**2, 0.0, 1.0), rel=1e-10, abs=1e-13)
    assert half_line(density, 0.3) == pytest.approx(ndtr((0.3 - shift) / scale), abs=1e-12)


@pytest.mark.parametrize("shift", [1e-3, 1e-5, 1e-7])
def test_nearly_equal_densities_lose_no_digits(shift):
    """For a shift by t, W2 is t and KL is t^2 / 2."""
    density = normal(shift, 1.0)
    assert line_w2(density, normal(0.0, 1.0)) == pytest.approx(shift, abs=1e-9 if shift > 1e-6 else 1e-10)
    assert line_kl(density, log_normal(0.0, 1.0)) == pytest.approx(shift**2 / 2, rel=1e-7)


@pytest.mark.parametrize("stretch", [1e-2, 1e-4])
def test_kl_of_nearly_equal_densities_has_the_odd_term(stretch):
    """KL of N(0, (1 + e)^2) and N(0, 1) is `e^2 - e^3 / 3 + ...`."""
    u = (1 + stretch) ** 2 - 1
    exact = (u - math.log1p(u)) / 2
    assert line_kl(normal(0.0, 1 + stretch), log_normal(0.0, 1.0)) == pytest.approx(exact, rel=1e-6)


def test_a_wrong_weight_of_distant_modes_is_seen():
    """Mass 0.1 moves between modes with a density of 1e-22 between them, where quantile functions jump."""
    density, target = tabulated(two(0.2, 1.0, 0.1)), tabulated(two(0.3, 1.0, 0.1))
    shifted = line_w2(density, target) ** 2
    assert shifted == pytest.approx(0.1 * 1.73**2, rel=0.01)
    quantiles = np.linspace(0.0, 1.0, 400_001)[1:-1]
    gaps = density.refined(4).primitive().inverse(quantiles) - target.refined(4).primitive().inverse(quantiles)
    assert shifted == pytest.approx(np.mean(gaps**2), rel=1e-4)
    assert half_line(density) == pytest.approx(0.2, abs=1e-13)


def test_total_variation() -> None:
    assert total_variation([1, 3, 0], [0.25, 0.25, 0.5]) == pytest.approx(0.5, rel=1e-15)
    assert total_variation([2, 0], [0, 7]) == 1.0
    assert total_variation([2, 4], [1, 2]) == 0.0


@pytest.mark.parametrize(("p", "match"), [([1.0], "shapes"), ([-1.0, 2.0], "non-neg"), ([0.0, 0.0], "total")])
def test_invalid_histograms_are_refused(p: list[float], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        total_variation(p, [0.5, 0.5])
