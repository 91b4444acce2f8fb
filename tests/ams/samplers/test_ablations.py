"""The ablations: each leaves out one part; with the neutral value of that part nothing changes."""

import pytest
import sympy as sp
import torch
from torch import Tensor

from ams import samplers as sm
from ams.laws import GaussianLaw, Symbols
from ams.laws.symbolic import a, b, lam, m, mu, s, stationary_covariance, symbolic_step, transition, x, z
from ams.schedules import Level
from tests.ams.tools import assert_equal, draws, moments_at_end, trajectory

SIZES = [0.05, 0.02, 0.1, 0.1, 0.03, 0.07]
LEVELS = [Level(i, sigma=0.5, step=size) for i, size in enumerate(SIZES)]
START, *NOISE = draws(4, 1 + len(SIZES), 4, 3)


def score(at: Tensor, level: Level) -> Tensor:
    return -at * torch.tensor([1.0, 3.0, 0.2], dtype=at.dtype) - 0.1 * at**3


def by_hand(delta: float, averaged: bool, factored: bool, corrected: bool, single: bool) -> list[Tensor]:
    """Return positions of the ablated algorithm, written with variables of its own."""
    norm = (lambda v: v.norm(dim=1, keepdim=True)) if single else (lambda v: v.norm(dim=1).mean())
    at, average, before, positions = START, None, None, []
    for level, draw in zip(LEVELS, NOISE, strict=True):
        g = score(at, level)
        beta = torch.zeros((), dtype=torch.float64)
        if average is not None:
            rho = norm(g - before) / norm(average)
            beta = (((1 - rho) / (1 + rho)) ** 2).clamp(0, 1 - delta)
        average = beta * average + (1 - beta) * g if averaged and average is not None else g
        drift = level.step * ((1 + beta) ** 2 if factored else 1.0)
        noise = (2 * (drift if corrected else level.step)) ** 0.5
        at, before = at + drift * average + noise * draw, g
        positions.append(at)
    return positions


def rules(coefficient: object) -> dict[str, sm.Rule]:
    return {
        "drift only": sm.without_averaging(sm.momentum_rule(coefficient)),
        "averaging only": sm.momentum_rule(coefficient, factor=sm.unit_factor),
        "corrected noise": sm.with_corrected_noise(sm.momentum_rule(coefficient)),
    }


PARTS = {
    "drift only": {"averaged": False, "factored": True, "corrected": False},
    "averaging only": {"averaged": True, "factored": False, "corrected": False},
    "corrected noise": {"averaged": True, "factored": True, "corrected": True},
}


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("algebra", [sm.Particles, sm.PerSample])
def test_each_is_the_algorithm_without_that_part(name: str, algebra: type[sm.Particles]) -> None:
    single = algebra is sm.PerSample
    program = [(sm.momentum(rules(sm.adaptive(1e-2))[name]), level) for level in LEVELS]
    wanted = by_hand(1e-2, single=single, **PARTS[name])
    full = by_hand(1e-2, averaged=True, factored=True, corrected=False, single=single)
    assert_equal(trajectory(program, START, score, NOISE, algebra), wanted)
    assert (wanted[-1] - full[-1]).abs().max() > 1e-3, "the part makes a difference"


@pytest.mark.parametrize("name", PARTS)
def test_each_has_an_exact_law(name: str) -> None:
    """Without noise a particle of a Gaussian target follows the mean of the exact law."""
    law, level = GaussianLaw([0.5, 2.0], [0.3, -1.0]), Level(0, sigma=0.0, step=0.05)
    program = [(sm.momentum(rules(sm.constant(0.6))[name]), level)] * 9
    start = torch.tensor([[1.0, 2.0]], dtype=torch.float64)
    end = trajectory(program, start, lambda at, level: (law.mean - at) / law.variance, torch.zeros(9, 1, 2).double())
    assert_equal(moments_at_end(law, program, law.start([1.0, 2.0], 0.0)).mean, end[-1][0])


def test_without_averaging_the_score_is_the_momentum() -> None:
    after = symbolic_step(sm.momentum(sm.without_averaging(sm.momentum_rule(sm.constant(b)))), sm.State(x, m, s))
    assert after.m == -lam * (x - mu)
    drift = sp.Matrix([after.x]).jacobian([x, m, z])
    assert sp.simplify(drift - sp.Matrix([[1 - a * (1 + b) ** 2 * lam, 0, sp.sqrt(2 * a)]])) == sp.zeros(1, 3)


def test_drift_only_is_langevin_with_a_factor() -> None:
    """At constant beta, from the second step on."""
    after = symbolic_step(sm.momentum(sm.without_averaging(sm.momentum_rule(sm.constant(b)))), sm.State(x, m, s))
    assert sp.simplify(after.x - symbolic_step(sm.langevin(factor=(1 + b) ** 2), sm.State(x)).x) == 0


def test_corrected_noise_is_unbiased_in_the_limit() -> None:
    """G7: the stationary variance tends to the target's; with the authors' noise to `1 / (1 + b)^2` of it."""
    limits = []
    for change in (sm.with_corrected_noise, lambda rule: rule):
        after = symbolic_step(sm.momentum(change(sm.momentum_rule(sm.constant(b)))), sm.State(x, m))
        matrix, spread = transition(after, [x, m], ["x", "m"]), transition(after, [z], ["x", "m"])
        limits.append(sp.simplify(sp.limit(lam * stationary_covariance(matrix, spread)[0, 0], a, 0)))
    assert [limits[0], sp.simplify(limits[1] * (1 + b) ** 2)] == [1, 1]


def test_a_unit_factor_multiplies_nothing() -> None:
    rule = sm.momentum_rule(sm.constant(b), factor=sm.unit_factor)
    coefficients = rule(sm.State(x, m), s, z, Level(0, sigma=0.0, step=a), Symbols())
    assert sp.simplify(coefficients.drift - a) == 0 and coefficients.beta == b
