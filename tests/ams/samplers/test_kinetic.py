"""Kinetic Langevin: the splittings against the formulas written out, the two forms of BAOAB, their stationary laws."""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ams.laws import GaussianLaw
from ams.samplers import (
    Particles,
    PerSample,
    State,
    Step,
    bao,
    baoab,
    baoab_positions,
    exponential_euler,
    last,
    leimkuhler_matthews,
    obabo,
    run,
    sghmc,
)
from ams.samplers.noise_sources import replayed
from ams.schedules import Level

STEPS, SIZE, KEPT = 6, 0.08, 0.7
LEVELS = [Level(i, sigma=0.0, step=SIZE) for i in range(STEPS)]
Update = Callable[[Tensor, Tensor, Tensor, float, float], tuple[Tensor, Tensor]]


def score(x: Tensor, level: Level) -> Tensor:
    return -x * torch.tensor([1.0, 3.0, 0.2], dtype=torch.float64) - 0.1 * x**3


def force(x: Tensor) -> Tensor:
    return score(x, LEVELS[0])


def inputs() -> tuple[Tensor, Tensor, list[Tensor]]:
    """Return position, velocity and a draw a step."""
    generator = torch.Generator().manual_seed(8)
    x, p, *draws = torch.randn(STEPS + 2, 4, 3, generator=generator, dtype=torch.float64)
    return x, p, draws


def positions(step: Step, state: State, draws: list[Tensor], algebra: Particles | None = None) -> list[Tensor]:
    program = [(step, level) for level in LEVELS]
    return [now.x.clone() for now, _ in run(program, state, score, replayed(draws), algebra or Particles())]


def plain_baoab(x: Tensor, p: Tensor, z: Tensor, dt: float, e: float) -> tuple[Tensor, Tensor]:
    p = p + dt * force(x)
    x = x + dt / 2 * p
    p = e * p + math.sqrt(1 - e**2) * z
    return x + dt / 2 * p, p


def plain_obabo(x: Tensor, p: Tensor, z: Tensor, dt: float, e: float) -> tuple[Tensor, Tensor]:
    p = e * (p + dt / 2 * force(x)) + math.sqrt(1 - e**2) * z + dt / 2 * force(x)
    return x + dt * p, p


def plain_bao(x: Tensor, p: Tensor, z: Tensor, dt: float, e: float) -> tuple[Tensor, Tensor]:
    p = p + dt * force(x)
    return x + dt * p, e * p + math.sqrt(1 - e**2) * z


def plain_sghmc(x: Tensor, p: Tensor, z: Tensor, dt: float, e: float) -> tuple[Tensor, Tensor]:
    p = e * p + dt * force(x) + math.sqrt(2 * (1 - e)) * z
    return x + dt * p, p


METHODS = pytest.mark.parametrize(
    ("step", "plain"),
    [(baoab, plain_baoab), (obabo, plain_obabo), (bao, plain_bao), (sghmc, plain_sghmc)],
    ids=["baoab", "obabo", "bao", "sghmc"],
)


@METHODS
@pytest.mark.parametrize("algebra", [Particles, PerSample])
def test_a_splitting_is_its_formula(
    step: Callable[[float], Step], plain: Update, algebra: Callable[[], Particles]
) -> None:
    x, p, draws = inputs()
    found = positions(step(KEPT), State(x, p=p), draws, algebra())
    for position, z in zip(found, draws, strict=True):
        x, p = plain(x, p, z, math.sqrt(2 * SIZE), KEPT)
        torch.testing.assert_close(position, x, rtol=1e-13, atol=1e-13)


@METHODS
def test_a_first_call_draws_the_velocity(step: Callable[[float], Step], plain: Update) -> None:
    x, p, draws = inputs()
    given = positions(step(KEPT), State(x, p=p), draws)
    drawn = positions(step(KEPT), State(x), [p, *draws])
    assert all(torch.equal(one, other) for one, other in zip(given, drawn, strict=True))


@METHODS
def test_mean_is_the_step_without_its_noise(step: Callable[[float], Step], plain: Update) -> None:
    x, p, draws = inputs()
    _, info = next(run([(step(KEPT), LEVELS[0])], State(x, p=p), score, replayed(draws), Particles()))
    torch.testing.assert_close(info.mean(), plain(x, p, torch.zeros_like(x), math.sqrt(2 * SIZE), KEPT)[0])
    assert info.evaluations == 1


@given(kept=st.floats(0.0, 0.99), size=st.floats(1e-4, 0.4))
@settings(deadline=None, max_examples=30)
def test_the_forms_of_baoab_are_one(kept: float, size: float) -> None:
    """From `p_0 = sqrt(1 - e^2) z_{-1} / (1 + e)`, the velocity of a position form that has not moved yet: 1e-12."""
    x, _, draws = inputs()
    before, *after = draws
    program = [(size, Level(i, sigma=0.0, step=size)) for i in range(len(after))]
    begin = State(x, p=math.sqrt(1 - kept**2) / (1 + kept) * before)
    ends = [
        last(run([(step, level) for _, level in program], start, score, replayed(noise), Particles()))[0].x
        for step, start, noise in ((baoab(kept), begin, after), (baoab_positions(kept), State(x), draws))
    ]
    torch.testing.assert_close(*ends, rtol=1e-12, atol=1e-12)


def test_the_position_form_without_memory_is_leimkuhler_matthews() -> None:
    x, p, draws = inputs()
    found = [positions(step, State(x), [p, *draws]) for step in (baoab_positions(0.0), leimkuhler_matthews)]
    torch.testing.assert_close(*found, rtol=1e-14, atol=1e-14)


def test_the_position_form_knows_its_mean() -> None:
    x, _, (before, z, *_) = inputs()
    state, info = next(run([(baoab_positions(KEPT), LEVELS[0])], State(x), score, replayed([before, z]), Particles()))
    spread = math.sqrt(2 * SIZE * (1 - KEPT**2)) / 2
    torch.testing.assert_close(info.mean(), x + (1 + KEPT) * SIZE * force(x) + spread * before)
    torch.testing.assert_close(state.x - info.mean(), spread * z)


@pytest.mark.parametrize(
    ("step", "variance"),
    [
        (baoab, lambda u, e: 1.0),
        (obabo, lambda u, e: 1 / (1 - u / 2)),
        (sghmc, lambda u, e: (1 + e) / (1 + e - u)),
        (bao, lambda u, e: (1 + e) ** 2 / (2 * (1 + e - u))),
    ],
    ids=["baoab", "obabo", "sghmc", "bao"],
)
@given(kept=st.floats(0.0, 0.95), share=st.floats(0.01, 0.95), size=st.floats(0.01, 100.0))
@settings(deadline=None, max_examples=30)
def test_stationary_variance(
    step: Callable[[float], Step], variance: Callable[[float, float], float], kept: float, share: float, size: float
) -> None:
    """The law that one step leaves unchanged, solved for, in units of the target's variance (K1, K3)."""
    u = share * (2.0 if step in (baoab, obabo) else 1 + kept)
    law = GaussianLaw([size])
    row = law.start(0.0, 1.0).x
    state = law.begin_step(State(row, p=row))
    after, _ = step(kept)(state, law.score, law.noise, Level(0, sigma=0.0, step=u * size), law)
    found = law.moments(law.set_stationary(state, after).x).variance.item()
    assert found / size == pytest.approx(variance(u, kept), rel=1e-9)


def test_exponential_euler_is_exact_without_a_score() -> None:
    """Free motion with friction: its mean and covariance over one step, against fine steps of the same equation."""
    size, kept = 0.5, 0.3
    law, ends = GaussianLaw([1.0]), []
    for count in (1, 4000):
        still = law.start(0.0, 0.0)
        begin = law.begin_step(still._replace(p=still.x))
        level = Level(0, sigma=0.0, step=size / count**2)
        program = [(exponential_euler(kept ** (1 / count)), level)] * count
        end = last(run(program, begin, lambda at, level: 0.0 * at, law.noise, law))[0]
        x, p = law.moments(end.x), law.moments(end.p)
        ends.append((x.variance.item(), p.variance.item(), law.covariance(end.x, end.p).item()))
    assert ends[0] == pytest.approx(ends[1], rel=1e-9)
    assert ends[0][1] == pytest.approx(1 - kept**2)


def test_exponential_euler_is_its_formula() -> None:
    """Pull and drift under a constant score, and the draw of a first velocity."""
    x, p, (one, other, *_) = inputs()
    pull, kept, dt = torch.tensor([0.5, -2.0, 1.0]).double(), 0.4, math.sqrt(2 * SIZE)
    friction = -math.log(kept) / dt
    found, info = next(
        run(
            [(exponential_euler(kept), LEVELS[0])],
            State(x),
            lambda at, _: pull + 0 * at,
            replayed([p, one, other]),
            Particles(),
        )
    )
    f = (1 - kept) / friction
    torch.testing.assert_close(info.mean(), x + f * p + (dt - f) / friction * pull)
    torch.testing.assert_close(found.p, kept * p + f * pull + math.sqrt(1 - kept**2) * one)
