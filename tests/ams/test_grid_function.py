"""Curves on uniform grids against closed forms: integral, primitive, quantiles, modulus, finer sampling."""

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.special import ndtr, ndtri

from ams.grid_function import GridFunction, tabulated


def normal(mean=0.0, deviation=1.0):
    return tabulated(lambda x: -(((x - mean) / deviation) ** 2) / 2, around=mean)


@settings(deadline=None, max_examples=15)
@given(mean=st.floats(-3, 3), deviation=st.floats(0.02, 30))
def test_a_gaussian_is_held_and_resolved(mean, deviation):
    curve = normal(mean, deviation)
    x = curve.nodes
    exact = np.exp(-(((x - mean) / deviation) ** 2) / 2) / (deviation * math.sqrt(2 * math.pi))
    assert np.abs(curve.values - exact).max() < 1e-13 / deviation
    assert curve.integral(x) == pytest.approx(mean, abs=1e-12 * (1 + deviation))
    assert curve.integral((x - mean) ** 2) == pytest.approx(deviation**2, rel=1e-12)


def test_a_grid_that_cannot_resolve_a_density_is_refused():
    """Laplace's density has a kink."""
    with pytest.raises(ArithmeticError, match="do not resolve"):
        tabulated(lambda x: -np.abs(x))


@pytest.mark.parametrize("keep", [1, 2])
def test_finer_sampling_is_exact_for_odd_and_even_counts(keep):
    curve = normal(0.2, 0.7)
    shorter = GridFunction(curve.first, curve.spacing, curve.values[:-keep])
    finer = shorter.refined(3)
    exact = np.exp(-(((finer.nodes - 0.2) / 0.7) ** 2) / 2) / (0.7 * math.sqrt(2 * math.pi))
    assert np.abs(finer.values - exact).max() < 1e-14
    assert finer.spacing == curve.spacing / 3 and len(finer.values) == 3 * (len(shorter.values) - 1) + 1


def test_what_is_trimmed_is_negligible():
    curve = normal()
    shorter = curve.trimmed()
    assert len(shorter.values) < len(curve.values)
    assert shorter.integral() == pytest.approx(1.0, abs=1e-14)
    assert curve.values.max() * 2e-16 < min(shorter.values[0], shorter.values[-1])


def test_a_coarse_grid_knows_that_it_is():
    curve = normal()
    coarse = GridFunction(curve.first, 8 * curve.spacing, curve.values[::8])
    assert curve.resolved() and not coarse.resolved()


def test_primitive_rate_and_quantiles_of_a_gaussian():
    primitive = normal().refined(4).primitive()
    x = np.linspace(-5, 5, 997)
    assert np.abs(primitive.at(x) - ndtr(x)).max() < 1e-13
    assert np.abs(primitive.rate(x) - np.exp(-x * x / 2) / math.sqrt(2 * math.pi)).max() < 1e-10
    u = np.concatenate([np.geomspace(1e-10, 0.5, 50), np.linspace(0.5, 0.999, 50)])
    assert np.abs(primitive.inverse(u) - ndtri(u)).max() < 1e-5
    assert np.abs(primitive.inverse(u[u > 1e-6]) - ndtri(u[u > 1e-6])).max() < 1e-9
    assert primitive.at(np.array([-1e3, 1e3])) == pytest.approx([0.0, 1.0], abs=1e-14)


@settings(deadline=None, max_examples=20)
@given(at=st.floats(-2, 2))
def test_modulus_is_exact_wherever_the_zero_falls(at):
    """`E|z - t| = 2 phi(t) + t (2 Phi(t) - 1)`."""
    curve = normal()
    exact = 2 * math.exp(-at * at / 2) / math.sqrt(2 * math.pi) + at * (2 * ndtr(at) - 1)
    assert curve.modulus(curve.nodes - at) == pytest.approx(exact, rel=1e-12)


def test_modulus_keeps_the_sign_of_what_is_integrated():
    """A signed measure: `int p |f|` with p negative is negative."""
    curve = normal()
    assert curve.with_values(-curve.values).modulus(curve.nodes) == pytest.approx(-math.sqrt(2 / math.pi), rel=1e-12)
    assert curve.modulus(np.ones_like(curve.nodes)) == pytest.approx(1.0, rel=1e-13)
