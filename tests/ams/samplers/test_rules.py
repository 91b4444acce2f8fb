"""Rules and the steps that use them, against the formulas of the authors' code."""

import math

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor

from ams import samplers as sm
from ams.samplers import Coefficients, Particles, PerSample, State, Step
from ams.samplers.noise_sources import replayed
from ams.schedules import Level
from tests.ams.tools import assert_equal, draws, trajectory

SIZES = [0.05, 0.02, 0.1, 0.1, 0.03, 0.07]
LEVELS = [Level(i, sigma=0.5, alpha=0.9 - 0.1 * i, step=a) for i, a in enumerate(SIZES)]
X, *NOISE = draws(4, 1 + len(SIZES), 4, 3)


def score(x: Tensor, level: Level = LEVELS[0]) -> Tensor:
    return -x * torch.tensor([1.0, 3.0, 0.2], dtype=torch.float64) - 0.1 * x**3


def mean_norm(v: Tensor) -> float:
    return v.norm(dim=1).mean().item()


def by_hand(
    delta: float = 1e-3, extra: float = 0.0, beta: float | None = None, snr: float | None = None
) -> list[Tensor]:
    """Return positions of the authors' algorithm, written with variables of its own."""
    x, positions, m, s, big_a, d = X, [], None, None, None, None
    for level, z in zip(LEVELS, NOISE, strict=True):
        new = score(x)
        rho = math.nan if m is None else big_a * mean_norm(new - s) / mean_norm(d)
        b = min(max(((1 - rho) / (1 + rho)) ** 2, 0.0), 1 - delta) if beta is None else beta
        before = new if m is None else m
        b, m = (0.0, new) if m is None else (b, b * m + (1 - b) * new)
        sized = m if beta is not None else before
        a = level.step if snr is None else 2 * level.alpha * (snr * mean_norm(z) / mean_norm(sized)) ** 2
        big_a = a * (1 + b) ** 2
        d = (big_a + (extra if s is None else 0.0)) * m
        s, x = new, x + d + math.sqrt(2 * a) * z
        positions.append(x)
    return positions


def path(step: Step, algebra: type[Particles] = Particles) -> list[Tensor]:
    return trajectory([(step, level) for level in LEVELS], X, score, NOISE, algebra)


def adaptive(delta: float = 1e-3, **parts: object) -> Step:
    return sm.momentum(sm.momentum_rule(sm.adaptive(delta), **parts))


def constant(beta: float, **parts: object) -> Step:
    return sm.momentum(sm.momentum_rule(sm.constant(beta), **parts))


FORMS = {
    "adaptive": (adaptive(), {}),
    "adaptive, small clip": (adaptive(0.6), {"delta": 0.6}),
    "adaptive, annealed": (adaptive(extra=0.04), {"extra": 0.04}),
    "adaptive, corrector": (adaptive(1e-4, size=sm.snr_of_last_momentum(0.2)), {"delta": 1e-4, "snr": 0.2}),
    "constant": (constant(0.9), {"beta": 0.9}),
    "constant, corrector": (constant(0.9, size=sm.snr_of_momentum(0.2)), {"beta": 0.9, "snr": 0.2}),
}


@pytest.mark.parametrize("form", FORMS)
def test_steps_are_the_authors_algorithm(form: str) -> None:
    step, parameters = FORMS[form]
    assert_equal(path(step), by_hand(**parameters))


def test_the_forms_differ() -> None:
    """The comparison distinguishes them: no two forms agree to 1e-6 at the end."""
    ends = [path(step)[-1] for step, _ in FORMS.values()]
    for i, one in enumerate(ends):
        assert all((one - other).abs().max() > 1e-6 for other in ends[:i])


@given(rho=st.one_of(st.floats(0, allow_infinity=True), st.just(math.nan)), delta=st.floats(1e-6, 0.5))
@settings(deadline=None, max_examples=80)
def test_beta_is_within_its_range(rho: float, delta: float) -> None:
    """Beta is in [0, 1 - delta] for any ratio, and at the upper end for nan (R2)."""
    for algebra, value in ((Particles(), rho), (PerSample(), torch.tensor([rho], dtype=torch.float64))):
        beta = float(algebra.clip(sm.critical_momentum(value), 0.0, 1.0 - delta))
        assert 0.0 <= beta <= 1.0 - delta
        assert beta == 1.0 - delta or beta == pytest.approx(((1 - rho) / (1 + rho)) ** 2)


@given(rho=st.floats(1e-6, 1e6))
@settings(deadline=None, max_examples=40)
def test_beta_is_the_same_for_rho_and_its_inverse(rho: float) -> None:
    assert sm.critical_momentum(rho) == pytest.approx(sm.critical_momentum(1 / rho), rel=1e-9, abs=1e-15)


@pytest.mark.parametrize(("algebra", "size"), [(Particles, 1), (PerSample, 2)])
def test_zero_over_zero_is_the_upper_clip(algebra: type[Particles], size: int) -> None:
    """For scores that vanish, `beta = 1 - delta`."""
    x = torch.ones(2, 3, dtype=torch.float64)
    program = [(adaptive(0.01), LEVELS[0])] * 2
    _, info = sm.last(sm.run(program, State(x), lambda x, level: 0 * x, replayed([0 * x] * 2), algebra()))
    assert torch.as_tensor(info.coefficients.beta).flatten().tolist() == pytest.approx([0.99] * size)


@pytest.mark.parametrize("algebra", [Particles, PerSample])
def test_constant_momentum_zero_is_langevin(algebra: type[Particles]) -> None:
    assert_equal(path(constant(0.0), algebra), path(sm.langevin(), algebra))


def test_per_sample_a_batch_is_the_runs_of_its_samples() -> None:
    program, noise = [(adaptive(), level) for level in LEVELS], torch.stack(NOISE)
    singles = [trajectory(program, X[i : i + 1], score, noise[:, i : i + 1], PerSample)[-1] for i in range(len(X))]
    assert_equal(path(adaptive(), PerSample)[-1], torch.cat(singles))
    assert (path(adaptive())[-1] - torch.cat(singles)).abs().max() > 1e-3


def test_langevin_with_a_factor_and_with_an_snr() -> None:
    exact = X + 2 * 0.05 * score(X) + math.sqrt(0.1) * NOISE[0]
    assert_equal(path(sm.langevin(factor=2.0))[0], exact)
    a = 2 * 0.9 * (0.2 * mean_norm(NOISE[0]) / mean_norm(score(X))) ** 2
    assert_equal(path(sm.langevin(sm.snr_of_score(0.2)))[0], X + a * score(X) + math.sqrt(2 * a) * NOISE[0])


def test_recorded_coefficients_replay_their_run() -> None:
    step = FORMS["adaptive, annealed"][0]
    states = sm.run([(step, level) for level in LEVELS], State(X), score, replayed(NOISE), Particles())
    recorded = [info.coefficients for _, info in states]
    assert_equal(path(sm.momentum(sm.recorded(recorded))), path(step))
    assert recorded[0] == Coefficients(0.0, 0.05, 0.05, math.sqrt(0.1), extra=0.04)
    assert all(each.rho > 0 and each.extra == 0.0 for each in recorded[1:])
    assert all(each.drift == each.step * sm.authors_factor(each.beta) for each in recorded)


def test_memoryless_momentum_is_langevin() -> None:
    """R3: every step is a first step, so the authors' adjacency follows plain Langevin."""
    for step in (adaptive(), constant(0.9)):
        assert_equal(path(sm.memoryless(step)), path(sm.langevin()))


def test_leimkuhler_matthews_averages_two_draws() -> None:
    x, program = X, [(sm.leimkuhler_matthews, LEVELS[0])] * 3
    states = sm.run(program, State(X), score, replayed(NOISE), Particles())
    for number, (state, info) in enumerate(states):
        mean = x + 0.05 * score(x)
        x = mean + math.sqrt(0.025) * (NOISE[number] + NOISE[number + 1])
        assert_equal([state.x, info.mean()], [x, mean])
