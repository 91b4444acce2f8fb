"""Noise levels and processes against their definition: moments of the forward SDE by numerical
integration.
"""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.integrate import solve_ivp
from scipy.optimize import minimize_scalar

from ams.laws import GaussianLaw
from ams.samplers import langevin
from ams.schedules import (
    VE,
    VP,
    Level,
    annealed_levels,
    geometric_sigmas,
    karras_sigmas,
    linked,
    ncsnv2_step,
    process_levels,
    table_index,
    ve_levels,
)

PROCESSES = [VE(0.01, 50.0), VP(0.1, 20.0), VP(0.5, 3.0)]


@pytest.mark.parametrize("process", PROCESSES, ids=str)
@pytest.mark.parametrize("t", [0.05, 0.4, 1.0])
def test_the_marginal_solves_the_forward_equation(process: VE | VP, t: float) -> None:
    """`dr/dt = f r`, `dv/dt = 2 f v + g^2`, from the marginal at a time close to 0."""
    begin = 1e-3
    scale, sigma = process.marginal(begin)

    def slope(time: float, moments: np.ndarray) -> list[float]:
        r, v = moments
        return [process.drift(time) * r, 2 * process.drift(time) * v + process.diffusion2(time)]

    end = solve_ivp(
        slope, (begin, t), [scale, sigma**2], method="DOP853", rtol=1e-12, atol=1e-15
    ).y[:, -1]
    scale, sigma = process.marginal(t)
    assert end == pytest.approx([scale, sigma**2], rel=1e-9)


@pytest.mark.parametrize("process", PROCESSES[1:], ids=str)
def test_vp_processes_start_without_noise(process: VP) -> None:
    assert process.marginal(0.0) == (1.0, 0.0)
    first = 0.5 * process.beta_min * 1e-12
    scale, sigma = process.marginal(1e-12)
    assert 1.0 - scale == pytest.approx(first, rel=1e-3)
    assert sigma == pytest.approx((2 * first) ** 0.5, rel=1e-9), "lost to cancellation"


def test_scale_and_sigma_of_each_kind() -> None:
    for t in (0.1, 0.7, 1.0):
        r, sigma = VP().marginal(t)
        assert r**2 + sigma**2 == pytest.approx(1.0, rel=1e-14)
        assert VE(0.1, 10.0).marginal(t) == pytest.approx((1.0, 10.0 ** (2 * t - 1)), rel=1e-14)


def test_tables_are_the_authors() -> None:
    assert VE(0.01, 5.0).table(7) == pytest.approx(np.geomspace(0.01, 5.0, 7), rel=1e-14)
    assert VP().table(7) == pytest.approx(np.linspace(0.1 / 7, 20.0 / 7, 7), rel=1e-15)
    assert [VP().alpha(i, 7) for i in (0, 6)] == pytest.approx([1 - 0.1 / 7, 1 - 20.0 / 7])
    assert VE(0.01, 5.0).alpha(3, 7) == 1.0


@given(n=st.integers(2, 2000), t=st.floats(0, 1))
@settings(deadline=None, max_examples=50)
def test_the_table_index_is_the_floor(n: int, t: float) -> None:
    assert table_index(t, n) == math.floor(t * (n - 1)) and 0 <= table_index(t, n) < n


@pytest.mark.parametrize("process", PROCESSES, ids=str)
def test_process_levels_follow_the_process(process: VE | VP) -> None:
    levels = process_levels(process, 9, 1e-3)
    assert [level.t for level in levels] == pytest.approx(np.linspace(1.0, 1e-3, 9))
    assert [level.number for level in levels] == list(range(9))
    for level in levels:
        assert (level.scale, level.sigma) == process.marginal(level.t)
        assert level.alpha == process.alpha(math.floor(level.t * 8), 9)
        assert math.isnan(level.step)


@given(st.lists(st.floats(0.01, 10), max_size=8))
@settings(deadline=None, max_examples=30)
def test_linked_levels_know_their_successor(sigmas: list[float]) -> None:
    levels = linked([Level(i, sigma) for i, sigma in enumerate(sigmas)])
    assert [level.sigma for level in levels] == sigmas
    for level, after in pairwise([*levels, None]):
        assert level.next is after


def test_geometric_levels() -> None:
    sigmas = geometric_sigmas(50.0, 0.01, 12)
    assert sigmas == pytest.approx(np.geomspace(50.0, 0.01, 12), rel=1e-13)
    assert geometric_sigmas(2.0, 2.0, 1) == pytest.approx([2.0])


def test_edm_levels() -> None:
    """Equally spaced in `sigma^(1/rho)`; ends exact; as rho grows they tend to the geometric
    levels.
    """
    sigmas = karras_sigmas(80.0, 0.002, 18)
    assert np.diff(sigmas ** (1 / 7)) == pytest.approx(
        np.full(17, (0.002 ** (1 / 7) - 80 ** (1 / 7)) / 17), rel=1e-12
    )
    assert sigmas[[0, -1]] == pytest.approx([80.0, 0.002], rel=1e-13)
    assert karras_sigmas(80.0, 0.002, 18, 1e6) == pytest.approx(
        geometric_sigmas(80.0, 0.002, 18), rel=1e-4
    )
    assert karras_sigmas(3.0, 1.0, 5, 1.0) == pytest.approx([3.0, 2.5, 2.0, 1.5, 1.0], rel=1e-15)


def test_ve_levels() -> None:
    levels = ve_levels([2.0, 1.0, 0.0])
    assert [level[:3] for level in levels] == [(0, 2.0, 1.0), (1, 1.0, 1.0), (2, 0.0, 1.0)]
    assert levels[0].next == levels[1] and levels[2].next is None


def test_annealed_steps_follow_the_variance() -> None:
    levels = annealed_levels([4.0, 2.0, 1.0], 0.25)
    assert [level.step for level in levels] == [4.0, 1.0, 0.25] and levels[0].next is levels[1]


def excess(u: float, g: float, repeats: int) -> float:
    """Return NCSNv2's `f(u)` by the exact law: a point target, `repeats` Langevin steps at sigma
    1, from g^2.
    """
    law = GaussianLaw([1e-40])
    state, _ = law.end([(langevin(), Level(0, sigma=1.0, step=u))] * repeats, law.start(0.0, g**2))
    return law.moments(state.x).variance.item() - 1.0


@pytest.mark.parametrize(("g", "repeats"), [(1.5, 5), (3.0, 2), (1.2, 5), (1.1, 20), (1.01, 5)])
def test_the_step_rule_minimises_the_excess_variance(g: float, repeats: int) -> None:
    sigmas = [0.3 * g**2, 0.3 * g, 0.3]
    u = ncsnv2_step(sigmas, repeats) / 0.3**2
    best = minimize_scalar(
        lambda u: excess(u, g, repeats), bounds=(1e-6, 1.0), options={"xatol": 1e-9}
    )
    assert best.fun > 0.0 and 1e-3 < best.x < 0.999
    assert u == pytest.approx(best.x, rel=2e-4)
    stationary = 2 * u / (1 - (1 - u) ** 2)
    assert excess(u, g, repeats) == pytest.approx(
        (1 - u) ** (2 * repeats) * (g**2 - stationary) + stationary - 1
    )


REFUSED = {
    "first >= last > 0 and count >= 1": (
        geometric_sigmas,
        [(1.0, 2.0, 3), (1.0, 0.0, 3), (1.0, 0.5, 0), (math.nan, 0.5, 3)],
    ),
    "EDM's levels need": (
        karras_sigmas,
        [(0.1, 1.0, 5), (1.0, 0.0, 5), (1.0, 0.1, 1), (1.0, 0.1, 5, 0.0)],
    ),
    "noise levels must fall": (ve_levels, [([1.0, 1.0],), ([1.0, 2.0],), ([1.0, -0.5],)]),
    "end above 0": (
        annealed_levels,
        [(sigmas, 0.1) for sigmas in ([], [1.0, 0.0], [1.0, -1.0], [1.0, math.nan])],
    ),
    "at least two": (ncsnv2_step, [([1.0], 5)]),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_impossible_levels_are_refused(reason: str) -> None:
    function, cases = REFUSED[reason]
    for arguments in cases:
        with pytest.raises(ValueError, match=reason):
            function(*arguments)
