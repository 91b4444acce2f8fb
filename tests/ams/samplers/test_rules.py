"""The rule, its parts and the steps that it drives, against the formulas written out plainly."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ams.samplers import (
    Coefficients,
    Particles,
    PerSample,
    State,
    Step,
    adaptive,
    authors_factor,
    constant,
    critical_momentum,
    langevin,
    leimkuhler_matthews,
    memoryless,
    momentum,
    momentum_rule,
    recorded,
    run,
    snr_of_last_momentum,
    snr_of_momentum,
    snr_of_score,
)
from ams.samplers.noise_sources import replayed
from ams.schedules import Level

SIZES = [0.05, 0.02, 0.1, 0.1, 0.03, 0.07]
LEVELS = [Level(i, sigma=0.5, alpha=0.9 - 0.1 * i, step=a) for i, a in enumerate(SIZES)]
CURVATURE = torch.tensor([1.0, 3.0, 0.2], dtype=torch.float64)


def score(x: Tensor, level: Level) -> Tensor:
    return -x * CURVATURE - 0.1 * x**3


def inputs() -> tuple[Tensor, Tensor]:
    """Return a start and a draw a step."""
    generator = torch.Generator().manual_seed(4)
    return tuple(torch.randn(*s, 4, 3, generator=generator, dtype=torch.float64) for s in ((), (len(LEVELS),)))


def mean_norm(v: Tensor) -> float:
    return v.norm(dim=1).mean().item()


def released(
    delta: float = 1e-3, extra: float = 0.0, beta: float | None = None, snr: float | None = None
) -> list[Tensor]:
    """Return positions of the released algorithm, written as DESIGN states it, with variables of its own."""
    x, draws = inputs()
    positions, m, s, big_a, d = [], None, None, None, None
    for level, z in zip(LEVELS, draws, strict=True):
        new = score(x, level)
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


def ours(step: Step, algebra: Particles | None = None, x: Tensor | None = None) -> list[Tensor]:
    start, draws = inputs()
    program = [(step, level) for level in LEVELS]
    states = run(program, State(start if x is None else x), score, replayed(draws), algebra or Particles())
    return [state.x.clone() for state, _ in states]


def assert_same(one: list[Tensor], other: list[Tensor]) -> None:
    for a, b in zip(one, other, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-13)


FORMS = {
    "adaptive": (momentum(momentum_rule(adaptive())), {}),
    "adaptive, small clip": (momentum(momentum_rule(adaptive(0.6))), {"delta": 0.6}),
    "adaptive, annealed": (momentum(momentum_rule(adaptive(), extra=0.04)), {"extra": 0.04}),
    "adaptive, corrector": (
        momentum(momentum_rule(adaptive(1e-4), snr_of_last_momentum(0.2))),
        {"delta": 1e-4, "snr": 0.2},
    ),
    "constant": (momentum(momentum_rule(constant(0.9))), {"beta": 0.9}),
    "constant, corrector": (momentum(momentum_rule(constant(0.9), snr_of_momentum(0.2))), {"beta": 0.9, "snr": 0.2}),
}


@pytest.mark.parametrize("form", FORMS)
def test_steps_are_the_released_algorithm(form: str) -> None:
    step, plain = FORMS[form]
    assert_same(ours(step), released(**plain))


def test_the_forms_differ() -> None:
    """What the comparison tells apart: no two forms agree to 1e-6 at the end."""
    ends = [ours(step)[-1] for step, _ in FORMS.values()]
    for i, one in enumerate(ends):
        assert all((one - other).abs().max() > 1e-6 for other in ends[:i])


@given(rho=st.one_of(st.floats(0, allow_infinity=True), st.just(math.nan)), delta=st.floats(1e-6, 0.5))
@settings(deadline=None, max_examples=200)
def test_damping_stays_in_its_range(rho: float, delta: float) -> None:
    """Beta in [0, 1 - delta] whatever the ratio; not a number becomes the upper end (R2)."""
    for algebra, value in ((Particles(), rho), (PerSample(), torch.tensor([rho], dtype=torch.float64))):
        beta = float(algebra.clip(critical_momentum(value), 0.0, 1.0 - delta))
        assert 0.0 <= beta <= 1.0 - delta
        assert beta == 1.0 - delta or beta == pytest.approx(((1 - rho) / (1 + rho)) ** 2)


@given(rho=st.floats(1e-6, 1e6))
@settings(deadline=None, max_examples=100)
def test_damping_does_not_know_rho_from_its_inverse(rho: float) -> None:
    assert critical_momentum(rho) == pytest.approx(critical_momentum(1 / rho), rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("algebra", [Particles, PerSample])
def test_nothing_over_nothing_is_the_upper_clip(algebra: type[Particles]) -> None:
    """Scores that vanish: 0 / 0, so `beta = 1 - delta`."""
    x = torch.ones(2, 3, dtype=torch.float64)
    states = run(
        [(momentum(momentum_rule(adaptive(0.01))), LEVELS[0])] * 2,
        State(x),
        lambda x, level: 0 * x,
        replayed([0 * x] * 2),
        algebra(),
    )
    *_, (_, info) = states
    assert torch.as_tensor(info.coefficients.beta).flatten().tolist() == pytest.approx(
        [0.99] * (1 if algebra is Particles else 2)
    )


@pytest.mark.parametrize("algebra", [Particles, PerSample])
def test_constant_momentum_zero_is_langevin(algebra: type[Particles]) -> None:
    assert_same(ours(momentum(momentum_rule(constant(0.0))), algebra()), ours(langevin(), algebra()))


def test_a_single_sample_couples_to_nothing_else() -> None:
    """Per sample, a batch is the runs of its samples; coupled, it is not."""
    x, draws = inputs()
    step = FORMS["adaptive"][0]
    singles = []
    for i in range(len(x)):
        program = [(step, level) for level in LEVELS]
        states = run(program, State(x[i : i + 1]), score, replayed(draws[:, i : i + 1]), PerSample())
        singles.append([state.x.clone() for state, _ in states])
    assert_same(ours(step, PerSample()), [torch.cat(parts) for parts in zip(*singles, strict=True)])
    assert (ours(step)[-1] - torch.cat([s[-1] for s in singles])).abs().max() > 1e-3


def test_the_stretched_langevin_drift() -> None:
    x, draws = inputs()
    exact = x + 2 * 0.05 * score(x, LEVELS[0]) + math.sqrt(0.1) * draws[0]
    torch.testing.assert_close(ours(langevin(factor=2.0))[0], exact, rtol=1e-12, atol=1e-13)


def test_the_langevin_corrector_sizes_by_the_score() -> None:
    x, draws = inputs()
    a = 2 * 0.9 * (0.2 * mean_norm(draws[0]) / mean_norm(score(x, LEVELS[0]))) ** 2
    exact = x + a * score(x, LEVELS[0]) + math.sqrt(2 * a) * draws[0]
    torch.testing.assert_close(ours(langevin(snr_of_score(0.2)))[0], exact, rtol=1e-12, atol=1e-13)


def test_recorded_coefficients_replay_their_run() -> None:
    step, noted = FORMS["adaptive, annealed"][0], []
    x, draws = inputs()
    for _, info in run([(step, level) for level in LEVELS], State(x), score, replayed(draws), Particles()):
        noted.append(info.coefficients)
    assert_same(ours(momentum(recorded(noted))), ours(step))
    assert noted[0] == Coefficients(0.0, 0.05, 0.05, math.sqrt(0.1), extra=0.04)
    assert all(each.rho > 0 and each.extra == 0.0 for each in noted[1:])
    assert all(each.drift == each.step * authors_factor(each.beta) for each in noted)


def test_without_memory_momentum_is_langevin() -> None:
    """R3: every call is a first call, so the released adjacency moves by plain Langevin."""
    for damping in (adaptive(), constant(0.9)):
        assert_same(ours(memoryless(momentum(momentum_rule(damping)))), ours(langevin()))


def test_leimkuhler_matthews_averages_two_draws() -> None:
    x, draws = inputs()
    noise = replayed(draws)
    states = run([(leimkuhler_matthews, LEVELS[0])] * 3, State(x), score, noise, Particles())
    for number, (state, info) in enumerate(states):
        mean = x + 0.05 * score(x, LEVELS[0])
        x = mean + math.sqrt(0.025) * (draws[number] + draws[number + 1])
        torch.testing.assert_close(state.x, x, rtol=1e-12, atol=1e-13)
        torch.testing.assert_close(info.mean(), mean, rtol=1e-12, atol=1e-13)
