"""Densities on a grid and in phase space, and the functions on nodes that they are made of.

They are compared with closed forms, with the exact law on a Gaussian, with kernels of their own and
with finer grids.
"""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import stats
from scipy.special import ndtr, ndtri

from ams import samplers as sm
from ams.grid_function import GridFunction, tabulated
from ams.laws import GaussianLaw, meanfield
from ams.laws.grid import GridAlgebra, pushed_forward, resolves
from ams.laws.meanfield import mean_field
from ams.laws.phase_space import (
    AuxiliaryVariable,
    evolved,
    stationary,
)
from ams.laws.quadrature_algebra import Blurred, NodeAlgebra, folded, kernel_on_grid
from ams.laws.stationary import solved
from ams.metrics import half_line
from ams.samplers import (
    AffineTransition,
    NonFiniteState,
    State,
    adaptive,
    affine,
    annealed,
    authors_factor,
    flow_euler,
    langevin,
    leimkuhler_matthews,
    momentum_rule,
    unit_factor,
)
from ams.samplers.kinetic import baoab
from ams.schedules import VE, Level, annealed_levels, geometric_sigmas, process_levels
from ams.targets import CLEAN, Gaussian, GaussianMixture


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


@pytest.mark.parametrize("keep", [1, 2])
def test_finer_sampling_is_exact_for_odd_and_even_counts(keep):
    density = normal(0.2, 0.7)
    shorter = GridFunction(density.first, density.spacing, density.values[:-keep])
    finer = shorter.refined(3)
    exact = np.exp(-(((finer.nodes - 0.2) / 0.7) ** 2) / 2) / (0.7 * math.sqrt(2 * math.pi))
    assert np.abs(finer.values - exact).max() < 1e-14
    assert (
        finer.spacing == density.spacing / 3
        and len(finer.values) == 3 * (len(shorter.values) - 1) + 1
    )


def test_trimmed_ends_are_negligible():
    density = normal()
    shorter = density.trimmed()
    assert len(shorter.values) < len(density.values) and shorter.integral() == pytest.approx(
        1.0, abs=1e-14
    )
    assert density.values.max() * 2e-16 < min(shorter.values[0], shorter.values[-1])


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


MIXTURE = GaussianMixture([0.3, 0.7], [[-1.0], [1.0]], 0.01)


def moments(curve):
    mean = curve.integral(curve.nodes)
    return curve.integral(), mean, curve.integral((curve.nodes - mean) ** 2)


PROGRAMS = {
    "annealed": lambda: annealed(
        langevin(), annealed_levels(geometric_sigmas(20.0, 0.02, 12), 1e-4), 3
    ),
    "far levels": lambda: annealed(
        langevin(), annealed_levels(geometric_sigmas(20.0, 0.02, 4), 1e-4), 3
    ),
    "corrector": lambda: sm.predictor_corrector(
        affine(sm.reverse_sde),
        langevin(sm.snr_of_score(0.16)),
        process_levels(VE(0.02, 20.0), 20, 1e-3)[:-1],
    ),
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_gaussian_targets_have_the_exact_law(program):
    """The corrector sizes its step by expected norms: quadrature here, a closed form there."""
    grid, algebra = GridAlgebra(Gaussian([0.3], 0.01)), GaussianLaw([0.01], 0.3)
    end = moments(grid.density(grid.end(program(), grid.start_normal(1.0, 20.0))[0]))
    exact = algebra.moments(algebra.end(program(), algebra.start(1.0, 400.0))[0].x)
    assert end[0] == pytest.approx(1.0, abs=1e-12) and end[1] == pytest.approx(
        exact.mean.item(), abs=1e-10
    )
    assert end[2] == pytest.approx(exact.variance.item(), rel=1e-10)


def test_the_start_is_what_was_asked_for():
    algebra = GridAlgebra(MIXTURE)
    state = algebra.start(Level(0, sigma=0.5))
    assert half_line(algebra.density(state)) == pytest.approx(
        half_line(algebra.exact(Level(0, sigma=0.5))), abs=1e-13
    )
    assert moments(algebra.density(algebra.start_normal(2.0, 0.3))) == pytest.approx(
        (1.0, 2.0, 0.09), abs=1e-12
    )
    assert half_line(algebra.density(algebra.start(CLEAN, power=4.0))) < 0.05


@pytest.mark.parametrize(("height", "wave", "kernel"), [(0.3, 5.0, 1.0), (0.5, 4.0, 1.5)])
def test_a_grid_is_fine_enough_only_if_the_new_density_is_right(height, wave, kernel):
    """`g(x) = x + A sin(k x)` oscillates faster than the width of the kernel suggests."""

    def moving(spacing):
        nodes = np.arange(-8.0, 8.0 + spacing / 2, spacing)
        density = GridFunction(-8.0, spacing, np.exp(-(nodes**2) / 2) / np.sqrt(2 * np.pi))
        return density, Blurred(nodes + height * np.sin(wave * nodes), kernel)

    def new_density(density, image):
        return pushed_forward(density, image, 0.2).primitive().rate(np.linspace(-6.0, 6.0, 200))

    exact = new_density(*moving(0.005))
    spacings = (0.2, 0.1, 0.05)
    errors = [np.abs(new_density(*moving(spacing)) - exact).max() for spacing in spacings]
    assert [resolves(*moving(spacing)) for spacing in spacings] == [False, False, True] and errors[
        0
    ] > 1e-9
    assert errors[-1] < 1e-12


def test_powers_are_normalised():
    algebra = NodeAlgebra(WIDE)
    curve = algebra.exact(CLEAN, 2.5)
    assert curve.integral() == pytest.approx(1.0, abs=1e-13)
    log_density = algebra.log_density(CLEAN, 2.5)
    assert np.exp(log_density(curve.nodes)) == pytest.approx(curve.values, abs=1e-13)
    whole = algebra.exact(CLEAN)
    assert np.exp(algebra.log_density(CLEAN)(whole.nodes)) == pytest.approx(whole.values, abs=1e-13)


def test_folded_normal():
    for mean, spread in ((0.7, 0.5), (0.0, 2.0), (5.0, 0.3)):
        exact = stats.foldnorm(mean / spread, scale=spread).mean()
        assert folded(np.array([mean, -mean]), spread) == pytest.approx([exact, exact], rel=1e-14)


WIDE = GaussianMixture([0.3, 0.7], [[-1.0], [1.0]], 0.25)


def variance(density):
    return moments(density)[2]


def test_the_density_after_some_steps_has_the_exact_laws_moments():
    """BAOAB from a wide start on a Gaussian, its velocity drawn; by the exact law after 0, 1 and 3
    steps.
    """
    target, law, a = Gaussian([0.4], 1.0), GaussianLaw([1.0], [0.4]), 0.6
    near = tabulated(lambda x: -(x**2) / 8)
    densities = evolved(
        target,
        baoab(0.2),
        a,
        AuxiliaryVariable("p"),
        lambda x: stats.norm.pdf(x, 0, 1.5),
        near,
        (0, 1, 3),
    )
    for count, density in zip((0, 1, 3), densities, strict=True):
        start = law.start(0.0, 1.5**2)
        states = [
            start,
            *(s for s, _ in law.run([(baoab(0.2), Level(0, 0.0, step=a))] * count, start)),
        ]
        moments = law.moments(states[-1].x)
        assert density.integral() == pytest.approx(1.0, abs=1e-9)
        assert density.integral(density.nodes) == pytest.approx(float(moments.mean), abs=1e-8)
        assert variance(density) == pytest.approx(float(moments.variance), rel=1e-8)


@pytest.mark.parametrize(
    ("u", "factor"), [(0.02, authors_factor), (0.1, authors_factor), (0.04, unit_factor)]
)
def test_a_gaussian_has_the_exact_fixed_point(u, factor):
    rule = momentum_rule(adaptive(1e-9), factor=factor)
    exact = solved(GaussianLaw([0.25], 0.2), rule, u / 4, 1 - 1e-9, factor)
    fixed_point = mean_field(Gaussian([0.2], 0.25), rule, u / 4, 10, factor)
    assert fixed_point.beta == pytest.approx(exact.beta, abs=1e-8)
    assert variance(fixed_point.stationary.density) == pytest.approx(
        exact.variance.item(), rel=1e-8
    )


def test_a_search_that_does_not_converge_is_an_error(monkeypatch):
    lost = SimpleNamespace(converged=False, flag="lost")
    monkeypatch.setattr(meanfield, "root_scalar", lambda *_, **__: lost)
    with pytest.raises(ArithmeticError, match="no stationary momentum coefficient at step 0"):
        mean_field(Gaussian([0.0], 0.25), momentum_rule(adaptive(1e-9)), 0.02, nodes=3)


def of_grid(step, level=CLEAN, start=CLEAN):
    """Run one step, and one more from the level after it, on the grid of a mixture."""
    algebra = GridAlgebra(MIXTURE)
    return algebra.end([(step, each) for each in (level, level.next) if each], algebra.start(start))


LINE, X = NodeAlgebra(Gaussian([0.0])), Blurred(np.zeros(3))
VE_LEVELS = process_levels(VE(0.02, 20.0), 4, 1e-3)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (
            lambda: of_grid(affine(flow_euler), VE_LEVELS[0], VE_LEVELS[0]),
            ValueError,
            "a transport",
        ),
        (
            lambda: of_grid(leimkuhler_matthews, Level(0, sigma=0.0, step=0.01)),
            ValueError,
            "one draw",
        ),
        (
            lambda: of_grid(affine(lambda level: AffineTransition(math.nan, 0.0, 1.0))),
            NonFiniteState,
            "not finite",
        ),
        (
            lambda: of_grid(langevin(), Level(3, 0.0, step=1e-12)),
            ArithmeticError,
            "the step at noise level 3",
        ),
        (lambda: GridAlgebra(MIXTURE).density(State(X, z=X)), ValueError, "the state has z"),
        (lambda: NodeAlgebra(Gaussian([0.0, 1.0])), ValueError, "on the line"),
        (lambda: LINE.score(Blurred(X.values, 1.0), CLEAN), ValueError, "before the step's draw"),
        (lambda: LINE.image(leimkuhler_matthews, State(X), 0.1), ValueError, "one draw"),
        (lambda: LINE.norm(X), ValueError, "constant coefficients"),
        (lambda: kernel_on_grid(X, 0.0, 0.1), ValueError, "needs noise"),
        # Laplace's density has a kink
        (
            lambda: tabulated(lambda x: -np.abs(x)),
            ArithmeticError,
            "do not resolve",
        ),
        (
            lambda: stationary(
                Gaussian([0.0]), langevin(), 0.1, near=tabulated(lambda x: -50 * x**2)
            ),
            ArithmeticError,
            "too narrow",
        ),
    ],
)
def test_what_has_no_density_on_nodes_is_refused(call, error, match):
    with pytest.raises(error, match=match):
        call()
