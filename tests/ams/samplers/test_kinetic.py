"""Kinetic Langevin: the splittings against their formulas, the two forms of BAOAB, stationary variances."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from ams import samplers as sm
from ams.laws import GaussianLaw
from ams.samplers import Particles, PerSample, State, Step
from ams.samplers.noise_sources import replayed
from ams.schedules import Level
from tests.ams.tools import assert_equal, draws, trajectory

STEPS, SIZE, E = 6, 0.08, 0.7
LEVELS = [Level(i, sigma=0.0, step=SIZE) for i in range(STEPS)]
X, P, *NOISE = draws(8, STEPS + 2, 4, 3)
Method = Callable[[float], Step]
Update = Callable[[Tensor, Tensor, Tensor, float, float], tuple[Tensor, Tensor]]


def force(x: Tensor, level: Level = LEVELS[0]) -> Tensor:
    return -x * torch.tensor([1.0, 3.0, 0.2], dtype=torch.float64) - 0.1 * x**3


def positions(step: Step, state: State, noise: list[Tensor], algebra: type[Particles] = Particles) -> list[Tensor]:
    return trajectory([(step, level) for level in LEVELS], state, force, noise, algebra)


def first_step(step: Step, state: State, noise: list[Tensor]) -> tuple[State, sm.Info]:
    return next(iter(sm.run([(step, LEVELS[0])], state, force, replayed(noise), Particles())))


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
    [(sm.baoab, plain_baoab), (sm.obabo, plain_obabo), (sm.bao, plain_bao), (sm.sghmc, plain_sghmc)],
    ids=["baoab", "obabo", "bao", "sghmc"],
)


@METHODS
@pytest.mark.parametrize("algebra", [Particles, PerSample])
def test_a_splitting_is_its_formula(step: Method, plain: Update, algebra: type[Particles]) -> None:
    x, p = X, P
    for position, z in zip(positions(step(E), State(X, p=P), NOISE, algebra), NOISE, strict=True):
        x, p = plain(x, p, z, math.sqrt(2 * SIZE), E)
        assert_equal(position, x)


@METHODS
def test_the_first_step_draws_the_velocity_and_mean_has_no_noise(step: Method, plain: Update) -> None:
    given_velocity = positions(step(E), State(X, p=P), NOISE)
    drawn_velocity = positions(step(E), State(X), [P, *NOISE])
    assert all(torch.equal(one, other) for one, other in zip(given_velocity, drawn_velocity, strict=True))
    _, info = first_step(step(E), State(X, p=P), NOISE)
    assert_equal(info.mean(), plain(X, P, torch.zeros_like(X), math.sqrt(2 * SIZE), E)[0])
    assert info.evaluations == 1


def test_the_mean_of_the_position_form() -> None:
    before, z, *_ = NOISE
    state, info = first_step(sm.baoab_positions(E), State(X), [before, z])
    spread = math.sqrt(2 * SIZE * (1 - E**2)) / 2
    assert_equal(info.mean(), X + (1 + E) * SIZE * force(X) + spread * before)
    assert_equal(state.x - info.mean(), spread * z)


def test_the_position_form_without_momentum_is_leimkuhler_matthews() -> None:
    paths = (positions(step, State(X), [P, *NOISE]) for step in (sm.baoab_positions(0.0), sm.leimkuhler_matthews))
    assert_equal(*paths)


def test_exponential_euler_is_exact_without_a_score() -> None:
    """Free motion with friction over one step, against fine steps of the same equation."""
    size, e, law, ends = 0.5, 0.3, GaussianLaw([1.0]), []
    for count in (1, 1000):
        still = law.start(0.0, 0.0)
        begin = law.begin_step(still._replace(p=still.x))
        level = Level(0, sigma=0.0, step=size / count**2)
        program = [(sm.exponential_euler(e ** (1 / count)), level)] * count
        end = sm.last(sm.run(program, begin, lambda at, level: 0.0 * at, law.noise, law))[0]
        x, p = law.moments(end.x), law.moments(end.p)
        ends.append((x.variance.item(), p.variance.item(), law.covariance(end.x, end.p).item()))
    assert ends[0] == pytest.approx(ends[1], rel=1e-9) and ends[0][1] == pytest.approx(1 - e**2)


def test_exponential_euler_is_its_formula() -> None:
    """Position and velocity under a constant score, and the draw of a first velocity."""
    one, other, *_ = NOISE
    score, e, dt = torch.tensor([0.5, -2.0, 1.0]).double(), 0.4, math.sqrt(2 * SIZE)
    friction = -math.log(e) / dt
    program, noise = [(sm.exponential_euler(e), LEVELS[0])], replayed([P, one, other])
    state, info = next(iter(sm.run(program, State(X), lambda at, _: score + 0 * at, noise, Particles())))
    f = (1 - e) / friction
    assert_equal(info.mean(), X + f * P + (dt - f) / friction * score)
    assert_equal(state.p, e * P + f * score + math.sqrt(1 - e**2) * one)
