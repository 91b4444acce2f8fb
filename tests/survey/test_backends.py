"""Solvers and kernels in JAX and NumPy have the orders and variances that docs/backends.md says."""

import math

import numpy as np
import pytest

from samplercheck.verdict_words import HOLDS, REFUTED
from survey import backends
from survey.backends import PAGE, SIZES, SOLVERS, STD, Paths, Solver, brownian, strong_row


@pytest.fixture(scope="module")
def paths() -> Paths:
    return brownian(512, backends.CELLS)


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_increments_and_areas_of_a_straight_path_are_those_of_the_integral() -> None:
    t = np.linspace(0, 1, 17)[None]
    moved, area = Paths(t, t**2 / 2).increments(4)
    np.testing.assert_allclose(moved, 1 / 4)
    np.testing.assert_allclose(area, 1 / 32)


def test_areas_and_increments_have_their_joint_law() -> None:
    """Their covariance over a step h is [[h, h^2/2], [h^2/2, h^3/3]]; within 8 standard errors."""
    moved, area = brownian(2000, 64, seed=1).increments(4)
    h, n = 1 / 4, moved.size
    found = np.cov(moved.ravel(), area.ravel())
    np.testing.assert_allclose(
        found, [[h, h**2 / 2], [h**2 / 2, h**3 / 3]], rtol=8 * 2 / math.sqrt(n)
    )


@pytest.mark.parametrize(
    "solver",
    [one for one in SOLVERS if one.name in ("ItoMilstein", "ShARK", "SPaRK", "itoEuler")],
    ids=lambda one: one.name,
)
def test_a_solver_has_the_order_of_its_row(solver: Solver, paths: Paths) -> None:
    pytest.importorskip(solver.library)
    row = cells(strong_row(solver, paths))
    lines = [cells(line) for line in PAGE.read_text().splitlines() if row[1] in line]
    listed = next(line for line in lines if line[0].endswith(f": {solver.name}"))
    ours, theirs = (float(each[3].split()[0]) for each in (row, listed))
    assert row[5] == listed[5] == HOLDS
    assert ours == pytest.approx(theirs, abs=0.15)  # its paths are an eighth of the page's


def test_a_solver_that_takes_no_areas_does_not_have_the_order_three_halves(paths: Paths) -> None:
    pytest.importorskip("diffrax")
    assert cells(strong_row(Solver("diffrax", "Euler", "additive", 1.5), paths))[5] == REFUTED


def test_kernels_leave_the_variances_of_their_rows() -> None:
    pytest.importorskip("blackjax")
    page = PAGE.read_text()
    for kernel in backends.kernels():
        if kernel.name != "MALA":
            values = [backends.invariant(kernel, h) for h in SIZES]
            shown = ", ".join(f"{value:.4f}" for value in values)
            assert f"{kernel.name} | {shown} |" in page
        if kernel.name == "SGLD":  # x -> (1 - h / s^2) x + sqrt(2 h) z
            assert values == pytest.approx([1 / (1 - h / (2 * STD**2)) for h in SIZES], rel=1e-12)


def test_only_the_kernel_with_acceptance_is_in_detailed_balance() -> None:
    pytest.importorskip("blackjax")
    off = {one.name: one for one in backends.kernels()}
    assert backends.unbalanced(off["MALA"], 0.1) < 1e-12
    assert backends.unbalanced(off["SGLD"], 0.1) > 0.1
