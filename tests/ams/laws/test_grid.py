"""The grid law: against the exact law on a Gaussian, and its own refinement on a mixture."""

import math

import numpy as np
import pytest

from ams.grid_function import GridFunction
from ams.laws.gaussian import GaussianLaw
from ams.laws.grid import GridAlgebra, moved, resolves
from ams.laws.quadrature_algebra import Blurred
from ams.metrics import half_line, line_w2
from ams.samplers import (
    AffineTransition,
    NonFiniteState,
    affine,
    annealed,
    flow_euler,
    langevin,
    leimkuhler_matthews,
    predictor_corrector,
    reverse_sde,
    snr_of_score,
)
from ams.schedules import VE, Level, annealed_levels, geometric_sigmas, process_levels
from ams.targets import CLEAN, Gaussian, GaussianMixture

MIXTURE = GaussianMixture([0.3, 0.7], [[-1.0], [1.0]], 0.01)


def moments(curve):
    mean = curve.integral(curve.nodes)
    return curve.integral(), mean, curve.integral((curve.nodes - mean) ** 2)


PROGRAMS = {
    "annealed": lambda: annealed(langevin(), annealed_levels(geometric_sigmas(20.0, 0.02, 12), 1e-4), 3),
    "far levels": lambda: annealed(langevin(), annealed_levels(geometric_sigmas(20.0, 0.02, 4), 1e-4), 3),
    "corrector": lambda: predictor_corrector(
        affine(reverse_sde), langevin(snr_of_score(0.16)), process_levels(VE(0.02, 20.0), 20, 1e-3)[:-1]
    ),
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_gaussian_targets_have_the_exact_law(program):
    """The corrector sizes its step by expected norms: quadrature here, a closed form there."""
    grid, law = GridAlgebra(Gaussian([0.3], 0.01)), GaussianLaw([0.01], 0.3)
    found = moments(grid.density(grid.end(program(), grid.start_normal(1.0, 20.0))[0]))
    exact = law.moments(law.end(program(), law.start(1.0, 400.0))[0].x)
    assert found[0] == pytest.approx(1.0, abs=1e-12)
    assert found[1] == pytest.approx(exact.mean.item(), abs=1e-10)
    assert found[2] == pytest.approx(exact.variance.item(), rel=1e-10)


def test_a_law_does_not_depend_on_its_nodes():
    levels = annealed_levels(geometric_sigmas(20.0, 0.02, 30), 0.1 * 0.02**2)
    found = []
    for resolution in (0.45, 0.3):
        law = GridAlgebra(MIXTURE, resolution)
        end = law.density(law.end(annealed(langevin(), levels, 3), law.start(levels[0]))[0])
        found.append((line_w2(end, law.exact(levels[-1])), half_line(end)))
    assert found[0] == pytest.approx(found[1], abs=1e-10)


def test_the_start_is_what_was_asked_for():
    law = GridAlgebra(MIXTURE)
    state = law.start(Level(0, sigma=0.5))
    assert half_line(law.density(state)) == pytest.approx(half_line(law.exact(Level(0, sigma=0.5))), abs=1e-13)
    assert moments(law.density(law.start_normal(2.0, 0.3))) == pytest.approx((1.0, 2.0, 0.09), abs=1e-12)
    assert half_line(law.density(law.start(CLEAN, power=4.0))) < 0.05


def test_norms_are_integrals_over_the_law():
    law = GridAlgebra(Gaussian([0.3141], 0.7))
    state = law.start(CLEAN)
    s = law.score(state.x, CLEAN)
    assert law.norm(s) == pytest.approx(math.sqrt(2 / math.pi / 0.7), rel=1e-12)
    assert law.norm(Blurred(s.values, 0.5)) == pytest.approx(math.sqrt(2 / math.pi * (1 / 0.7 + 0.25)), rel=1e-12)
    assert law.norm(law.noise(state.x)) == pytest.approx(math.sqrt(2 / math.pi), rel=1e-12)


def test_steps_that_are_no_kernel_of_position_are_refused():
    law = GridAlgebra(MIXTURE)
    levels = process_levels(VE(0.02, 20.0), 4, 1e-3)
    with pytest.raises(ValueError, match="a transport"):
        law.end([(affine(flow_euler), levels[0]), (affine(flow_euler), levels[1])], law.start(levels[0]))
    state = law.start(CLEAN)._replace(z=Blurred(np.zeros(1)))
    with pytest.raises(ValueError, match="carries z"):
        law.density(state)
    with pytest.raises(ValueError, match="one draw"):
        law.end([(leimkuhler_matthews, Level(0, sigma=0.0, step=0.01))], law.start(CLEAN))


@pytest.mark.parametrize(("height", "wave", "kernel"), [(0.3, 5.0, 1.0), (0.5, 4.0, 1.5)])
def test_nodes_count_as_near_enough_only_where_the_moved_density_is_right(height, wave, kernel):
    """`g(x) = x + A sin(k x)` winds faster than a kernel as wide as this lets on: its slope alone asks for too few."""

    def moving(spacing):
        nodes = np.arange(-8.0, 8.0 + spacing / 2, spacing)
        law = GridFunction(-8.0, spacing, np.exp(-(nodes**2) / 2) / np.sqrt(2 * np.pi))
        return law, Blurred(nodes + height * np.sin(wave * nodes), kernel)

    def density(law, image):
        return moved(law, image, 0.2).primitive().rate(np.linspace(-6.0, 6.0, 200))

    exact = density(*moving(0.005))
    spacings = (0.2, 0.1, 0.05)
    errors = [np.abs(density(*moving(spacing)) - exact).max() for spacing in spacings]
    told = [resolves(*moving(spacing)) for spacing in spacings]
    assert told == [False, False, True] and errors[0] > 1e-9
    assert errors[-1] < 1e-12


def test_what_more_nodes_do_not_mend_ends_in_an_error():
    """A step that is not finite is the loop's complaint; one whose noise is far below any nodes is the grid's."""
    law = GridAlgebra(MIXTURE)
    with pytest.raises(NonFiniteState):
        law.end([(affine(lambda level: AffineTransition(math.nan, 0.0, 1.0)), CLEAN)], law.start(CLEAN))
    with pytest.raises(ArithmeticError, match="do not resolve the step at level 3"):
        law.end([(langevin(), Level(3, sigma=0.0, step=1e-12))], law.start(CLEAN))
