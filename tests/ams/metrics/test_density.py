"""Distances of densities on the line against closed forms on Gaussians, and where laws are far or nearly equal."""

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.special import ndtr

from ams.grid_function import GridFunction, tabulated
from ams.metrics import gaussian_kl, gaussian_w2, half_line, line_kl, line_tv, line_w2


def log_normal(mean, deviation):
    constant = math.log(deviation * math.sqrt(2 * math.pi))
    return lambda x: -(((x - mean) / deviation) ** 2) / 2 - constant


def normal(mean, deviation):
    return tabulated(log_normal(mean, deviation), around=mean)


def two(weight, apart, deviation):
    left, right = log_normal(-apart, deviation), log_normal(apart, deviation)
    return lambda x: np.logaddexp(math.log(weight) + left(x), math.log1p(-weight) + right(x))


@settings(deadline=None, max_examples=25)
@given(shift=st.floats(-2, 2), scale=st.floats(0.2, 5))
def test_gaussians_have_their_closed_forms(shift, scale):
    law, target = normal(shift, scale), log_normal(0.0, 1.0)
    assert line_w2(law, normal(0.0, 1.0)) == pytest.approx(gaussian_w2(shift, scale**2, 0.0, 1.0), abs=1e-9)
    assert line_kl(law, target) == pytest.approx(gaussian_kl(shift, scale**2, 0.0, 1.0), rel=1e-10, abs=1e-13)
    assert half_line(law, 0.3) == pytest.approx(ndtr((0.3 - shift) / scale), abs=1e-12)


@pytest.mark.parametrize("shift", [1e-3, 1e-5, 1e-7])
def test_nearly_equal_laws_lose_no_digits(shift):
    """A shift by t: W2 is t, KL t^2 / 2, total variation t / sqrt(2 pi)."""
    law = normal(shift, 1.0)
    assert line_w2(law, normal(0.0, 1.0)) == pytest.approx(shift, abs=1e-9 if shift > 1e-6 else 1e-10)
    assert line_kl(law, log_normal(0.0, 1.0)) == pytest.approx(shift**2 / 2, rel=1e-7)
    assert line_tv(law, log_normal(0.0, 1.0)) == pytest.approx(shift / math.sqrt(2 * math.pi), rel=1e-6)


@pytest.mark.parametrize("stretch", [1e-2, 1e-4])
def test_the_entropy_of_nearly_equal_laws_knows_which_is_wider(stretch):
    """KL of N(0, (1 + e)^2) and N(0, 1) is `e^2 - e^3 / 3 + ...`: the odd term is one of the integrand's series."""
    u = (1 + stretch) ** 2 - 1
    exact = (u - math.log1p(u)) / 2
    assert line_kl(normal(0.0, 1 + stretch), log_normal(0.0, 1.0)) == pytest.approx(exact, rel=1e-6)


def test_modes_far_apart_see_a_wrong_weight():
    """Mass 0.1 moves from mode to mode, through a gap of 1e-22: quantile functions jump there."""
    law, target = tabulated(two(0.2, 1.0, 0.1)), tabulated(two(0.3, 1.0, 0.1))
    shifted = line_w2(law, target) ** 2
    assert shifted == pytest.approx(0.1 * 1.73**2, rel=0.01)
    quantiles = np.linspace(0.0, 1.0, 400_001)[1:-1]
    gaps = law.refined(4).primitive().inverse(quantiles) - target.refined(4).primitive().inverse(quantiles)
    assert shifted == pytest.approx(np.mean(gaps**2), rel=1e-4)
    assert half_line(law) == pytest.approx(0.2, abs=1e-13)


def test_distances_are_of_laws_and_not_of_masses():
    """Every distance normalises: a factor on the density changes nothing."""
    law, target = normal(0.3, 0.8), log_normal(0.0, 1.0)
    double = law.with_values(2 * law.values)
    assert line_w2(double, normal(0.0, 1.0)) == pytest.approx(line_w2(law, normal(0.0, 1.0)), rel=1e-12)
    assert line_kl(double, target) == pytest.approx(line_kl(law, target), rel=1e-12)
    assert line_tv(double, target) == pytest.approx(line_tv(law, target), rel=1e-12)
    assert half_line(double) == pytest.approx(half_line(law), rel=1e-12)


def test_mirror_images_are_as_far_apart():
    law, other = tabulated(two(0.3, 1.0, 0.5)), normal(0.2, 0.9)
    mirrored = [GridFunction(-c.nodes[-1], c.spacing, c.values[::-1]) for c in (law, other)]
    assert line_w2(law, other) == pytest.approx(line_w2(*mirrored), rel=1e-10)
    assert line_w2(law, other) == pytest.approx(line_w2(other, law), rel=1e-12)
