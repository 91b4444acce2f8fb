"""The ablations: each leaves out one part, and with the part's own neutral value nothing changes."""

import pytest
import sympy as sp
import torch
from torch import Tensor

from ams.laws import GaussianLaw, Symbols
from ams.laws.symbolic import a, b, lam, m, mu, s, stationary_covariance, symbolic_step, transition, x, z
from ams.samplers import (
    Particles,
    PerSample,
    Rule,
    State,
    Step,
    adaptive,
    constant,
    langevin,
    momentum,
    momentum_rule,
    run,
    unit_factor,
    with_corrected_noise,
    without_averaging,
)
from ams.samplers.noise_sources import replayed
from ams.schedules import Level

SIZES = [0.05, 0.02, 0.1, 0.1, 0.03, 0.07]
LEVELS = [Level(i, sigma=0.5, step=size) for i, size in enumerate(SIZES)]


def score(at: Tensor, level: Level) -> Tensor:
    return -at * torch.tensor([1.0, 3.0, 0.2], dtype=at.dtype) - 0.1 * at**3


def inputs() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(4)
    return tuple(torch.randn(*n, 4, 3, generator=generator, dtype=torch.float64) for n in ((), (len(LEVELS),)))


def path(step: Step, algebra: type[Particles] = Particles) -> list[Tensor]:
    start, draws = inputs()
    program = [(step, level) for level in LEVELS]
    return [state.x.clone() for state, _ in run(program, State(start), score, replayed(draws), algebra())]


def by_hand(delta: float, averaged: bool, factored: bool, corrected: bool, single: bool) -> list[Tensor]:
    """Return positions of the ablated algorithm, written out with variables of its own."""
    at, draws = inputs()
    norm = (lambda v: v.norm(dim=1, keepdim=True)) if single else (lambda v: v.norm(dim=1).mean())
    m = last = None
    found = []
    for level, draw in zip(LEVELS, draws, strict=True):
        g = score(at, level)
        beta = torch.zeros((), dtype=torch.float64)
        if m is not None:
            rho = norm(g - last) / norm(m)
            beta = (((1 - rho) / (1 + rho)) ** 2).clamp(0, 1 - delta)
        m = beta * m + (1 - beta) * g if averaged and m is not None else g
        moved = level.step * ((1 + beta) ** 2 if factored else 1.0)
        noise = (2 * (moved if corrected else level.step)) ** 0.5
        at, last = at + moved * m + noise * draw, g
        found.append(at)
    return found


RULES: dict[str, tuple[Rule, dict[str, bool]]] = {
    "drift only": (
        without_averaging(momentum_rule(adaptive(1e-2))),
        {"averaged": False, "factored": True, "corrected": False},
    ),
    "averaging only": (
        momentum_rule(adaptive(1e-2), factor=unit_factor),
        {"averaged": True, "factored": False, "corrected": False},
    ),
    "corrected noise": (
        with_corrected_noise(momentum_rule(adaptive(1e-2))),
        {"averaged": True, "factored": True, "corrected": True},
    ),
}


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("algebra", [Particles, PerSample])
def test_each_is_the_algorithm_without_that_part(name: str, algebra: type[Particles]) -> None:
    rule, parts = RULES[name]
    wanted = by_hand(1e-2, single=algebra is PerSample, **parts)
    full = by_hand(1e-2, averaged=True, factored=True, corrected=False, single=algebra is PerSample)
    for found, own in zip(path(momentum(rule), algebra), wanted, strict=True):
        torch.testing.assert_close(found, own, rtol=1e-12, atol=1e-12)
    assert (wanted[-1] - full[-1]).abs().max() > 1e-3  # the part was at work


@pytest.mark.parametrize("name", RULES)
def test_each_has_an_exact_law(name: str) -> None:
    """Against particles of a Gaussian target under common noise: at a prescribed damping the law is their map."""
    rule = {
        "drift only": without_averaging(momentum_rule(constant(0.6))),
        "averaging only": momentum_rule(constant(0.6), factor=unit_factor),
        "corrected noise": with_corrected_noise(momentum_rule(constant(0.6))),
    }[name]
    law, level = GaussianLaw([0.5, 2.0], [0.3, -1.0]), Level(0, sigma=0.0, step=0.05)
    start = torch.tensor([[1.0, 2.0]], dtype=torch.float64)
    draws = torch.zeros(9, 1, 2, dtype=torch.float64)
    ended, _ = law.end([(momentum(rule), level)] * 9, law.start([1.0, 2.0], 0.0))
    exact = lambda at, level: (law.mean - at) / law.variance  # noqa: E731
    *_, (state, _) = run([(momentum(rule), level)] * 9, State(start), exact, replayed(draws), Particles())
    torch.testing.assert_close(law.moments(ended.x).mean, state.x[0], rtol=1e-12, atol=1e-12)


def test_without_averaging_nothing_is_remembered() -> None:
    after = symbolic_step(momentum(without_averaging(momentum_rule(constant(b)))), State(x, m, s))
    assert after.m == -lam * (x - mu)
    drift = sp.Matrix([after.x]).jacobian([x, m, z])
    assert sp.simplify(drift - sp.Matrix([[1 - a * (1 + b) ** 2 * lam, 0, sp.sqrt(2 * a)]])) == sp.zeros(1, 3)


def test_drift_only_is_langevin_with_a_factor() -> None:
    """At constant damping, from the second step on."""
    law, level = GaussianLaw([1.0]), Level(0, sigma=0.0, step=0.1)
    row = law.start(0.4, 2.0).x
    state = law.begin_step(State(row, row, row))
    algebra = (law.score, law.noise, level, law)
    one, _ = momentum(without_averaging(momentum_rule(constant(0.5))))(state, *algebra)
    law.begin_step(state)
    other, _ = langevin(factor=2.25)(state, *algebra)
    torch.testing.assert_close(one.x, other.x, rtol=1e-14, atol=1e-14)


def test_corrected_noise_is_unbiased_in_the_limit() -> None:
    """G7: the stationary variance tends to the target's; with the released noise to `1 / (1 + b)^2` of it."""
    limits = []
    for change in (with_corrected_noise, lambda rule: rule):
        after = symbolic_step(momentum(change(momentum_rule(constant(b)))), State(x, m))
        matrix, spread = transition(after, [x, m], ["x", "m"]), transition(after, [z], ["x", "m"])
        limits.append(sp.simplify(sp.limit(lam * stationary_covariance(matrix, spread)[0, 0], a, 0)))
    assert [limits[0], sp.simplify(limits[1] * (1 + b) ** 2)] == [1, 1]


def test_a_unit_factor_multiplies_nothing() -> None:
    algebra, level = Symbols(), Level(0, sigma=0.0, step=a)
    chosen = momentum_rule(constant(b), factor=unit_factor)(State(x, m), s, z, level, algebra)
    assert sp.simplify(chosen.drift - a) == 0 and chosen.beta == b
