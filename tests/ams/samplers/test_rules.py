"""Rules and the steps that use them, against the formulas of the authors' code."""

import math
from collections.abc import Callable

import pytest
import sympy as sp
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor

from ams import samplers as sm
from ams.laws import GaussianLaw
from ams.laws.symbolic import a, b, lam, m, mu, s, symbolic_step, x, z
from ams.samplers import Coefficients, Particles, PerSample, State, Step
from ams.samplers.noise_sources import replayed
from ams.samplers.rules import Size
from ams.schedules import VP, Level, process_levels
from tests.ams.tools import assert_equal, draws, trajectory

SIZES = [0.05, 0.02, 0.1, 0.1, 0.03, 0.07]
LEVELS = [Level(i, sigma=0.5, alpha=0.9 - 0.1 * i, step=a) for i, a in enumerate(SIZES)]
X, *NOISE = draws(4, 1 + len(SIZES), 4, 3)


def score(x: Tensor, level: Level = LEVELS[0]) -> Tensor:
    return -x * torch.tensor([1.0, 3.0, 0.2], dtype=torch.float64) - 0.1 * x**3


def mean_norm(v: Tensor) -> Tensor:
    return v.norm(dim=1).mean()


def norms(v: Tensor) -> Tensor:
    return v.norm(dim=1, keepdim=True)


def by_hand(
    delta: float = 1e-3,
    extra: float = 0.0,
    beta: float | None = None,
    snr: float | None = None,
    averaged: bool = True,
    factored: bool = True,
    corrected: bool = False,
    norm: Callable[[Tensor], Tensor] = mean_norm,
) -> list[Tensor]:
    """Return positions of the authors' algorithm or of an ablation, written with variables of its
    own.
    """
    x, positions, m, s, big_a, d = X, [], None, None, None, None
    for level, draw in zip(LEVELS, NOISE, strict=True):
        new = score(x)
        b = torch.zeros((), dtype=torch.float64)
        if m is not None:
            rho = big_a * norm(new - s) / norm(d)
            b = (((1 - rho) / (1 + rho)) ** 2).clamp(0, 1 - delta) if beta is None else beta
        before = new if m is None else m
        m = b * m + (1 - b) * new if averaged and m is not None else new
        sized = m if beta is not None else before
        a = level.step if snr is None else 2 * level.alpha * (snr * norm(draw) / norm(sized)) ** 2
        big_a = a * ((1 + b) ** 2 if factored else 1.0)
        d = (big_a + (extra if s is None else 0.0)) * m
        s, x = new, x + d + (2 * (big_a if corrected else a)) ** 0.5 * draw
        positions.append(x)
    return positions


def path(step: Step, algebra: type[Particles] = Particles) -> list[Tensor]:
    return trajectory([(step, level) for level in LEVELS], X, score, NOISE, algebra)


def adaptive(delta: float = 1e-3, **parts: object) -> Step:
    return sm.momentum(sm.momentum_rule(sm.adaptive(delta), **parts))


def constant(beta: float, **parts: object) -> Step:
    return sm.momentum(sm.momentum_rule(sm.constant(beta), **parts))


FORMS = {
    "Langevin": (sm.langevin(), {"beta": 0.0}),
    "Langevin, corrector": (sm.langevin(sm.snr_of_score(0.2)), {"beta": 0.0, "snr": 0.2}),
    "adaptive": (adaptive(), {}),
    "adaptive, small clip": (adaptive(0.6), {"delta": 0.6}),
    "adaptive, annealed": (adaptive(extra=0.04), {"extra": 0.04}),
    "adaptive, corrector": (
        adaptive(1e-4, size=sm.snr_of_last_momentum(0.2)),
        {"delta": 1e-4, "snr": 0.2},
    ),
    "constant": (constant(0.9), {"beta": 0.9}),
    "constant, none": (constant(0.0), {"beta": 0.0}),
    "constant, corrector": (constant(0.9, size=sm.snr_of_momentum(0.2)), {"beta": 0.9, "snr": 0.2}),
    "drift only": (
        sm.momentum(sm.without_averaging(sm.momentum_rule(sm.adaptive()))),
        {"averaged": False},
    ),
    "averaging only": (adaptive(factor=sm.unit_factor), {"factored": False}),
    "corrected noise": (
        sm.momentum(sm.with_corrected_noise(sm.momentum_rule(sm.adaptive()))),
        {"corrected": True},
    ),
}
"""Of each: the step, and what it changes of the algorithm by hand."""


@pytest.mark.parametrize(("algebra", "norm"), [(Particles, mean_norm), (PerSample, norms)])
@pytest.mark.parametrize("form", FORMS)
def test_steps_are_the_authors_algorithm(
    form: str, algebra: type[Particles], norm: Callable[[Tensor], Tensor]
) -> None:
    step, parameters = FORMS[form]
    assert_equal(path(step, algebra), by_hand(norm=norm, **parameters))


@given(
    rho=st.one_of(st.floats(0, allow_infinity=True), st.just(math.nan)), delta=st.floats(1e-6, 0.5)
)
@settings(deadline=None, max_examples=80)
def test_beta_is_within_its_range(rho: float, delta: float) -> None:
    """Beta is in [0, 1 - delta] for any ratio, and at the upper end for nan (R2)."""
    for algebra, value in (
        (Particles(), rho),
        (PerSample(), torch.tensor([rho], dtype=torch.float64)),
    ):
        beta = float(algebra.clip(sm.critical_momentum(value), 0.0, 1.0 - delta))
        assert 0.0 <= beta <= 1.0 - delta
        assert beta == 1.0 - delta or beta == pytest.approx(((1 - rho) / (1 + rho)) ** 2)


@pytest.mark.parametrize(("algebra", "size"), [(Particles, 1), (PerSample, 2)])
def test_zero_over_zero_is_the_upper_clip(algebra: type[Particles], size: int) -> None:
    """For scores that vanish, `beta = 1 - delta`."""
    x = torch.ones(2, 3, dtype=torch.float64)
    program = [(sm.momentum(sm.momentum_rule(sm.adaptive(0.01))), LEVELS[0])] * 2
    _, info = sm.last(
        sm.run(program, State(x), lambda x, level: 0 * x, replayed([0 * x] * 2), algebra())
    )
    assert torch.as_tensor(info.coefficients.beta).flatten().tolist() == pytest.approx(
        [0.99] * size
    )


def test_recorded_coefficients_replay_their_run() -> None:
    step = FORMS["adaptive, annealed"][0]
    states = sm.run(
        [(step, level) for level in LEVELS], State(X), score, replayed(NOISE), Particles()
    )
    recorded = [info.coefficients for _, info in states]
    assert_equal(path(sm.momentum(sm.recorded(recorded))), path(step))
    assert recorded[0] == Coefficients(0.0, 0.05, 0.05, math.sqrt(0.1), extra=0.04)
    assert all(each.rho > 0 and each.extra == 0.0 for each in recorded[1:])
    assert all(each.drift == each.step * sm.authors_factor(each.beta) for each in recorded)


SNR, SIZED = 0.16, Level(2, sigma=0.5, alpha=0.7)
S, Z = draws(2, 2, 3, 4, 2, 2)


@pytest.mark.parametrize("rule", [sm.snr_of_score, sm.snr_of_last_momentum, sm.snr_of_momentum])
def test_the_law_takes_expectations(rule: type[Size]) -> None:
    """On the target `E|s| / E|z| = 1 / sd`, so `a = 2 alpha snr^2 sd^2`."""
    law = GaussianLaw([0.3], multiplicity=6)
    state = law.start(0.0, 0.3 + 0.25)
    s, z = law.score(state.x, SIZED), law.noise(state.x)
    size = rule(SNR)(state, s, z, 0.0, SIZED, law)
    assert size == pytest.approx(2 * 0.7 * SNR**2 * 0.55, rel=1e-12)


def test_a_vanishing_direction_asks_for_an_infinite_step() -> None:
    assert sm.snr_of_score(SNR)(State(S), 0 * S, Z, 0.0, SIZED, Particles()) == math.inf


def test_too_few_noise_levels_of_a_vp_process_are_refused() -> None:
    """`alpha = 1 - beta(t) / N` at the first of 9 levels: `1 - 20/9`."""
    (level, *_), law = process_levels(VP(), 9, 0.01), GaussianLaw([1.0])
    with pytest.raises(
        ValueError,
        match=r"noise level 0: alpha is -1.22222; a VP corrector needs more noise levels",
    ):
        law.end([(sm.langevin(sm.snr_of_score(SNR)), level)], law.start(0.0, 1.0))


def test_without_averaging_it_is_langevin_with_a_factor_and_the_score_is_the_momentum() -> None:
    """At constant beta, from the second step on."""
    after = symbolic_step(
        sm.momentum(sm.without_averaging(sm.momentum_rule(sm.constant(b)))), sm.State(x, m, s)
    )
    assert after.m == -lam * (x - mu)
    assert (
        sp.simplify(after.x - symbolic_step(sm.langevin(factor=(1 + b) ** 2), sm.State(x)).x) == 0
    )


K = sp.Symbol("K", positive=True)


def test_the_filtered_score_as_stated() -> None:
    after, s = symbolic_step(sm.filtered(b, K), sm.State(x, m)), -lam * (x - mu)
    average = b * m + (1 - b) * s
    assert sp.simplify(after.m - average) == 0
    assert sp.simplify(after.x - (x + a * (average + K * (s - average)) + sp.sqrt(2 * a) * z)) == 0
    assert sp.simplify(sm.wiener_gain(b) - (1 - b) / 2) == 0
