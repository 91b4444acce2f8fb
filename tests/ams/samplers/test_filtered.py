"""The filtered score: its two ends, the formula on symbols, and the gain that a filter of white noise would take."""

import sympy as sp
import torch

from ams.laws.symbolic import a, b, lam, m, mu, symbolic_step, x, z
from ams.samplers import (
    Particles,
    State,
    Step,
    constant,
    filtered,
    langevin,
    momentum,
    momentum_rule,
    run,
    unit_factor,
    wiener_gain,
)
from ams.samplers.noise_sources import replayed
from ams.schedules import Level

K = sp.Symbol("K", positive=True)


def path(step: Step) -> list[torch.Tensor]:
    start, *draws = torch.randn(7, 4, 3, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    program = [(step, Level(i, sigma=0.5, step=0.05 + 0.01 * i)) for i in range(6)]
    states = run(program, State(start), lambda at, level: -at - 0.1 * at**3, replayed(draws), Particles())
    return [state.x.clone() for state, _ in states]


def test_its_ends_are_known_samplers() -> None:
    averaging = momentum(momentum_rule(constant(0.8), factor=unit_factor))
    for gain, known in ((1.0, langevin()), (0.0, averaging)):
        for found, wanted in zip(path(filtered(0.8, gain)), path(known), strict=True):
            torch.testing.assert_close(found, wanted, rtol=1e-13, atol=1e-13)
    assert (path(filtered(0.8, 0.5))[-1] - path(langevin())[-1]).abs().max() > 1e-2  # the falsifier


def test_the_step_as_stated() -> None:
    after, s = symbolic_step(filtered(b, K), State(x, m)), -lam * (x - mu)
    average = b * m + (1 - b) * s
    assert sp.simplify(after.m - average) == 0
    assert sp.simplify(after.x - (x + a * (average + K * (s - average)) + sp.sqrt(2 * a) * z)) == 0


def test_the_gain_of_a_filter_of_white_noise() -> None:
    """`m = b m + (1 - b) g` of white `g`: the part of its variance that is left, from its own recursion."""
    left = sp.Symbol("v", positive=True)
    left = sp.solve(left - b**2 * left - (1 - b) ** 2, left)[0]
    assert sp.simplify(left / (left + 1) - wiener_gain(b)) == 0
    assert sp.simplify(wiener_gain(b) - (1 - b) / 2) == 0
    assert abs(wiener_gain(0.9) - 0.05) < 1e-15
