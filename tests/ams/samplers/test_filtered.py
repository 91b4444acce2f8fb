"""The filtered score: its special cases, its formula on symbols, and the gain of a filter of white noise."""

import sympy as sp

from ams import samplers as sm
from ams.laws.symbolic import a, b, lam, m, mu, symbolic_step, x, z
from ams.schedules import Level
from tests.ams.tools import assert_equal, draws, trajectory

K = sp.Symbol("K", positive=True)
START, *NOISE = draws(4, 7, 4, 3)


def path(step: sm.Step) -> list:
    program = [(step, Level(i, sigma=0.5, step=0.05 + 0.01 * i)) for i in range(6)]
    return trajectory(program, START, lambda at, level: -at - 0.1 * at**3, NOISE)


def test_its_special_cases_are_langevin_and_averaging() -> None:
    averaging = sm.momentum(sm.momentum_rule(sm.constant(0.8), factor=sm.unit_factor))
    for gain, known in ((1.0, sm.langevin()), (0.0, averaging)):
        assert_equal(path(sm.filtered(0.8, gain)), path(known))
    assert (path(sm.filtered(0.8, 0.5))[-1] - path(sm.langevin())[-1]).abs().max() > 1e-2  # the falsifier


def test_the_step_as_stated() -> None:
    after, s = symbolic_step(sm.filtered(b, K), sm.State(x, m)), -lam * (x - mu)
    average = b * m + (1 - b) * s
    assert sp.simplify(after.m - average) == 0
    assert sp.simplify(after.x - (x + a * (average + K * (s - average)) + sp.sqrt(2 * a) * z)) == 0


def test_the_gain_of_a_filter_of_white_noise() -> None:
    """The variance of `m = b m + (1 - b) g` for white `g`, from its own recursion."""
    v = sp.Symbol("v", positive=True)
    variance = sp.solve(v - b**2 * v - (1 - b) ** 2, v)[0]
    assert sp.simplify(variance / (variance + 1) - sm.wiener_gain(b)) == 0
    assert sp.simplify(sm.wiener_gain(b) - (1 - b) / 2) == 0
    assert abs(sm.wiener_gain(0.9) - 0.05) < 1e-15
