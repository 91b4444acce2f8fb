"""Functions on uniform grids against closed forms: integral, primitive, quantiles, modulus, refinement."""

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.special import ndtr, ndtri

from ams.grid_function import GridFunction, tabulated


def normal(mean=0.0, deviation=1.0):
    return tabulated(lambda x: -(((x - mean) / deviation) ** 2) / 2, around=mean)


@settings(deadline=None, max_examples=8)
@given(mean=st.floats(-3, 3), deviation=st.floats(0.02, 30))
def test_a_gaussian_is_covered_and_resolved(mean, deviation):
    density = normal(mean, deviation)
    x = density.nodes
    exact = np.exp(-(((x - mean) / deviation) ** 2) / 2) / (deviation * math.sqrt(2 * math.pi))
    assert np.abs(density.values - exact).max() < 1e-13 / deviation
    assert density.integral(x) == pytest.approx(mean, abs=1e-12 * (1 + deviation))
    assert density.integral((x - mean) ** 2) == pytest.approx(deviation**2, rel=1e-12)


def test_a_grid_that_cannot_resolve_a_density_is_refused():
    """Laplace's density has a kink."""
    with pytest.raises(ArithmeticError, match="do not resolve"):
        tabulated(lambda x: -np.abs(x))


@pytest.mark.parametrize("keep", [1, 2])
def test_finer_sampling_is_exact_for_odd_and_even_counts(keep):
    density = normal(0.2, 0.7)
    shorter = GridFunction(density.first, density.spacing, density.values[:-keep])
    finer = shorter.refined(3)
    exact = np.exp(-(((finer.nodes - 0.2) / 0.7) ** 2) / 2) / (0.7 * math.sqrt(2 * math.pi))
    assert np.abs(finer.values - exact).max() < 1e-14
    assert finer.spacing == density.spacing / 3 and len(finer.values) == 3 * (len(shorter.values) - 1) + 1


def test_trimmed_ends_are_negligible():
    density = normal()
    shorter = density.trimmed()
    assert len(shorter.values) < len(density.values) and shorter.integral() == pytest.approx(1.0, abs=1e-14)
    assert density.values.max() * 2e-16 < min(shorter.values[0], shorter.values[-1])


def test_a_coarse_grid_does_not_resolve():
    density = normal()
    coarse = GridFunction(density.first, 8 * density.spacing, density.values[::8])
    assert density.resolved() and not coarse.resolved()


def test_primitive_rate_and_quantiles_of_a_gaussian():
    primitive = normal().refined(4).primitive()
    x = np.linspace(-5, 5, 997)
    assert np.abs(primitive.at(x) - ndtr(x)).max() < 1e-13
    assert np.abs(primitive.rate(x) - np.exp(-x * x / 2) / math.sqrt(2 * math.pi)).max() < 1e-10
    u = np.concatenate([np.geomspace(1e-10, 0.5, 50), np.linspace(0.5, 0.999, 50)])
    assert np.abs(primitive.inverse(u) - ndtri(u)).max() < 1e-5
    assert np.abs(primitive.inverse(u[u > 1e-6]) - ndtri(u[u > 1e-6])).max() < 1e-9
    assert primitive.at(np.array([-1e3, 1e3])) == pytest.approx([0.0, 1.0], abs=1e-14)


@settings(deadline=None, max_examples=10)
@given(at=st.floats(-2, 2))
def test_modulus_is_exact_wherever_the_zero_falls(at):
    """`E|z - t| = 2 phi(t) + t (2 Phi(t) - 1)`."""
    density = normal()
    exact = 2 * math.exp(-at * at / 2) / math.sqrt(2 * math.pi) + at * (2 * ndtr(at) - 1)
    assert density.modulus(density.nodes - at) == pytest.approx(exact, rel=1e-12)


def test_modulus_keeps_the_sign_of_what_is_integrated():
    """A signed measure: `int p |f|` with p negative is negative."""
    density = normal()
    assert density.with_values(-density.values).modulus(density.nodes) == pytest.approx(
        -math.sqrt(2 / math.pi), rel=1e-12
    )
    assert density.modulus(np.ones_like(density.nodes)) == pytest.approx(1.0, rel=1e-13)
