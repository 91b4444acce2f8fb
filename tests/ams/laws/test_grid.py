"""Densities on a grid: against the exact law on a Gaussian, and a finer grid on a mixture."""

import math

import numpy as np
import pytest

from ams import samplers as sm
from ams.grid_function import GridFunction
from ams.laws.gaussian import GaussianLaw
from ams.laws.grid import GridAlgebra, pushed_forward, resolves
from ams.laws.quadrature_algebra import Blurred
from ams.metrics import half_line, line_w2
from ams.samplers import AffineTransition, NonFiniteState, affine, annealed, flow_euler, langevin
from ams.schedules import VE, Level, annealed_levels, geometric_sigmas, process_levels
from ams.targets import CLEAN, Gaussian, GaussianMixture

MIXTURE = GaussianMixture([0.3, 0.7], [[-1.0], [1.0]], 0.01)


def moments(curve):
    mean = curve.integral(curve.nodes)
    return curve.integral(), mean, curve.integral((curve.nodes - mean) ** 2)


PROGRAMS = {
    "annealed": lambda: annealed(langevin(), annealed_levels(geometric_sigmas(20.0, 0.02, 12), 1e-4), 3),
    "far levels": lambda: annealed(langevin(), annealed_levels(geometric_sigmas(20.0, 0.02, 4), 1e-4), 3),
    "corrector": lambda: sm.predictor_corrector(
        affine(sm.reverse_sde), langevin(sm.snr_of_score(0.16)), process_levels(VE(0.02, 20.0), 20, 1e-3)[:-1]
    ),
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_gaussian_targets_have_the_exact_law(program):
    """The corrector sizes its step by expected norms: quadrature here, a closed form there."""
    grid, algebra = GridAlgebra(Gaussian([0.3], 0.01)), GaussianLaw([0.01], 0.3)
    end = moments(grid.density(grid.end(program(), grid.start_normal(1.0, 20.0))[0]))
    exact = algebra.moments(algebra.end(program(), algebra.start(1.0, 400.0))[0].x)
    assert end[0] == pytest.approx(1.0, abs=1e-12) and end[1] == pytest.approx(exact.mean.item(), abs=1e-10)
    assert end[2] == pytest.approx(exact.variance.item(), rel=1e-10)


def test_a_density_does_not_depend_on_its_nodes():
    levels = annealed_levels(geometric_sigmas(2.0, 0.05, 12), 0.1 * 0.05**2)
    results = []
    for resolution in (0.45, 0.3):
        algebra = GridAlgebra(MIXTURE, resolution)
        end = algebra.density(algebra.end(annealed(langevin(), levels, 2), algebra.start(levels[0]))[0])
        results.append((line_w2(end, algebra.exact(levels[-1])), half_line(end)))
    assert results[0] == pytest.approx(results[1], abs=1e-10)


def test_the_start_is_what_was_asked_for():
    algebra = GridAlgebra(MIXTURE)
    state = algebra.start(Level(0, sigma=0.5))
    assert half_line(algebra.density(state)) == pytest.approx(half_line(algebra.exact(Level(0, sigma=0.5))), abs=1e-13)
    assert moments(algebra.density(algebra.start_normal(2.0, 0.3))) == pytest.approx((1.0, 2.0, 0.09), abs=1e-12)
    assert half_line(algebra.density(algebra.start(CLEAN, power=4.0))) < 0.05


def test_steps_that_are_no_kernel_of_position_are_refused():
    algebra = GridAlgebra(MIXTURE)
    levels = process_levels(VE(0.02, 20.0), 4, 1e-3)
    with pytest.raises(ValueError, match="a transport"):
        algebra.end([(affine(flow_euler), levels[0]), (affine(flow_euler), levels[1])], algebra.start(levels[0]))
    state = algebra.start(CLEAN)._replace(z=Blurred(np.zeros(1)))
    with pytest.raises(ValueError, match="the state has z"):
        algebra.density(state)
    with pytest.raises(ValueError, match="one draw"):
        algebra.end([(sm.leimkuhler_matthews, Level(0, sigma=0.0, step=0.01))], algebra.start(CLEAN))


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
    assert [resolves(*moving(spacing)) for spacing in spacings] == [False, False, True] and errors[0] > 1e-9
    assert errors[-1] < 1e-12


def test_faults_that_more_nodes_do_not_correct_are_errors():
    """A step that is not finite, and one whose noise is far below the spacing of any grid."""
    algebra = GridAlgebra(MIXTURE)
    with pytest.raises(NonFiniteState):
        algebra.end([(affine(lambda level: AffineTransition(math.nan, 0.0, 1.0)), CLEAN)], algebra.start(CLEAN))
    with pytest.raises(ArithmeticError, match="do not resolve the step at noise level 3"):
        algebra.end([(langevin(), Level(3, sigma=0.0, step=1e-12))], algebra.start(CLEAN))
