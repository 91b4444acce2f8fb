"""Kinetic steps against their formulas: splittings at one noise level, annealed BAOAB, the
corrector with momentum.
"""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor

from ams import samplers as sm
from ams.laws import GaussianLaw
from ams.metrics import gaussian_kl
from ams.samplers import (
    TAPERED,
    Particles,
    PerSample,
    State,
    Step,
    annealed_baoab,
    fixed,
)
from ams.samplers.corrected_descent import (
    condition,
    corrected_descent,
    corrector,
    critically_damped,
)
from ams.samplers.dpm_solver import dpm_solver
from ams.samplers.noise_sources import replayed
from ams.schedules import VP, Level, annealed_levels, linked, process_levels
from ams.targets import Gaussian
from tests.ams.tools import assert_equal, draws, moments_at_end, trajectory

STEPS, SIZE, E = 6, 0.08, 0.7
LEVELS = [Level(i, sigma=0.0, step=SIZE) for i in range(STEPS)]
X, P, *NOISE = draws(8, STEPS + 2, 4, 3)
Method = Callable[[float], Step]
Update = Callable[[Tensor, Tensor, Tensor, float, float], tuple[Tensor, Tensor]]


def force(x: Tensor, level: Level = LEVELS[0]) -> Tensor:
    return -x * torch.tensor([1.0, 3.0, 0.2], dtype=torch.float64) - 0.1 * x**3


def positions(
    step: Step, state: State, noise: list[Tensor], algebra: type[Particles] = Particles
) -> list[Tensor]:
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
    [
        (sm.baoab, plain_baoab),
        (sm.obabo, plain_obabo),
        (sm.bao, plain_bao),
        (sm.sghmc, plain_sghmc),
    ],
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
def test_the_first_step_draws_the_velocity_and_mean_has_no_noise(
    step: Method, plain: Update
) -> None:
    given_velocity = positions(step(E), State(X, p=P), NOISE)
    drawn_velocity = positions(step(E), State(X), [P, *NOISE])
    assert all(
        torch.equal(one, other) for one, other in zip(given_velocity, drawn_velocity, strict=True)
    )
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
    paths = (
        positions(step, State(X), [P, *NOISE])
        for step in (sm.baoab_positions(0.0), sm.leimkuhler_matthews)
    )
    assert_equal(*paths)


def test_exponential_euler_is_exact_under_a_constant_score() -> None:
    """One step against fine steps of the same equation; the mean velocity is `f s`, and the noise
    of the velocity `1 - e^2`.
    """
    size, e, law, ends = 0.5, 0.3, GaussianLaw([1.0]), []

    def force(at: Tensor, level: Level) -> Tensor:
        constant = torch.zeros_like(at)
        constant[:, 0] = 0.7
        return constant

    for count in (1, 1000):
        still = law.start(0.0, 0.0)
        begin = law.begin_step(still._replace(p=still.x))
        level = Level(0, sigma=0.0, step=size / count**2)
        program = [(sm.exponential_euler(e ** (1 / count)), level)] * count
        end = sm.last(sm.run(program, begin, force, law.noise, law))[0]
        x, p = law.moments(end.x), law.moments(end.p)
        ends.append((*x, *p, law.covariance(end.x, end.p)))
    assert_equal(*ends, 1e-9, 1e-9)
    _, _, mean, variance, _ = ends[0]
    assert mean.item() == pytest.approx((1 - e) / -math.log(e) * 0.7)
    assert variance.item() == pytest.approx(1 - e**2)


POINT = 1e-300
"""A variance of the target that is negligible at every sigma here."""


def levels_of(sigmas: list[float]) -> list[Level]:
    return annealed_levels(sorted(sigmas, reverse=True), 0.1)


def kl_on_a_point(step: sm.Step, levels: list[Level]) -> float:
    """Return the KL to the distribution at the last noise level, from that at the first, for a
    target at 1.5.
    """
    law, first, last = GaussianLaw([POINT], [1.5]), levels[0], levels[-1]
    begin = law.start(1.5 * first.scale, first.sigma**2)
    end = moments_at_end(law, sm.one_step_per_level(step, levels), begin)
    return gaussian_kl(end.mean, end.variance, 1.5 * last.scale, last.sigma**2)


def test_a_point_is_invariant_under_vp_and_under_the_tapered_schedule() -> None:
    assert kl_on_a_point(annealed_baoab(), process_levels(VP(), 20, 1e-2)) < 1e-12
    assert (
        kl_on_a_point(annealed_baoab(TAPERED), levels_of([0.1, 0.11, 0.2, 1.0, 1.05, 9.0, 10.0]))
        < 1e-12
    )


def by_hand(
    x: Tensor,
    p: Tensor,
    noise: list[Tensor],
    sigmas: list[float],
    target: Gaussian,
    e: float,
    extrapolate: bool,
) -> Tensor:
    """Return the positions at the end by the formulas, with variables of its own."""
    u_before = d_before = h_before = None
    for s, s_next, z in zip(sigmas, sigmas[1:], noise, strict=False):
        score = target.score(x, Level(0, sigma=s))
        h = math.log(s / s_next)
        u = min(0.5, 10 * h)
        if u_before is None:
            p = math.sqrt(1 - u / 2) * p
        else:
            p = (p + math.sqrt(u_before / 2) * s * score) * math.sqrt(
                (1 - u / 2) / (1 - u_before / 2)
            )
        p = p + math.sqrt(u / 2) * s * score
        d = x + s**2 * score
        ahead = (
            d if d_before is None or not extrapolate else d + h / (2 * h_before) * (d - d_before)
        )
        x = s_next / s * x + (1 - s_next / s) * ahead + math.sqrt(u / 2) * s_next * p
        p = e * p + math.sqrt(1 - e**2) * z
        x = x + math.sqrt(u / 2) * s_next * p
        u_before, d_before, h_before = u, d, h
    return x


@pytest.mark.parametrize("algebra", [Particles, PerSample])
@pytest.mark.parametrize(("e", "extrapolate"), [(0.0, True), (0.6, True), (0.6, False)])
def test_particles_follow_the_formulas(
    algebra: Callable[[], Particles], e: float, extrapolate: bool
) -> None:
    """At noise levels so unequal that `u` is 0.3, 0.5, 0.1 in turn."""
    sigmas = [5.0 * math.exp(-value) for value in np.cumsum([0.0, 0.03, 0.5, 0.01, 0.02, 0.7])]
    x, p, *noise = draws(5, 8, 4, 3)
    target = Gaussian([0.5, -1.0, 2.0], [1.0, 0.1, 3.0])
    program = sm.one_step_per_level(
        annealed_baoab(fixed(e), extrapolate), annealed_levels(sigmas, 0.1)
    )
    end = trajectory(program, x, target.score, [p, *noise], algebra)[-1]
    assert_equal(end, by_hand(x, p, noise, sigmas, target, e, extrapolate))


def test_at_a_last_sigma_of_0_it_ends_at_the_denoised_point() -> None:
    levels = linked(
        [Level(0, sigma=1.0, scale=0.5), Level(1, sigma=0.5, scale=0.8), Level(2, sigma=0.0)]
    )
    x, *noise = draws(2, 3, 4, 2)
    target, program = Gaussian([0.5, 1.0], 0.25), sm.one_step_per_level(annealed_baoab(), levels)
    middle, end = trajectory(program, x, target.score, noise)
    assert_equal(end, (middle + 0.25 * target.score(middle, levels[1])) / 0.8)
    state, info = sm.last(sm.run(program, State(x), target.score, replayed(noise), Particles()))
    assert_equal(info.mean(), end)
    assert state.p is None


def test_mean_is_the_step_without_its_noise() -> None:
    x, start, z = draws(2, 3, 4, 2)
    program = sm.one_step_per_level(annealed_baoab(), levels_of([1.0, 2.0, 4.0]))
    score = Gaussian([0.5, 1.0], 0.25).score
    state, info = next(iter(sm.run(program, State(x), score, replayed([start, z]), Particles())))
    assert_equal(state.x - info.mean(), math.sqrt(0.75) * math.sqrt(0.25) * 2.0 * z)
    assert info.evaluations == 1


@given(h=st.floats(1e-4, 5.0), rate=st.floats(0.1, 20.0), most=st.floats(0.01, 1.9))
@settings(deadline=None, max_examples=30)
def test_the_schedules(h: float, rate: float, most: float) -> None:
    assert fixed(0.5, rate, most)(h).u == (rate * h if rate * h < most else most)
    assert fixed()(h) == (min(0.5, 10 * h), 0.5)
    parameters, longer = TAPERED(h), TAPERED(1.1 * h)
    assert 0.0 < longer.u < parameters.u < 1.8 and 0.0 < longer.e <= parameters.e <= 0.8
    assert parameters.u == pytest.approx(1.8 * parameters.e) or parameters.e == 0.8


SIGMA, VARIANCE = 0.1, 1.0
KAPPA = condition(SIGMA, VARIANCE)


@pytest.mark.parametrize("e", [0.0, critically_damped(KAPPA)])
def test_the_slowest_direction_contracts_at_the_rate_of_its_momentum(e: float) -> None:
    """Without momentum a mean falls by (kappa - 1)/(kappa + 1) a step, critically damped by that of
    sqrt(kappa).

    At critical damping the root is double: the mean falls as `n r^n`, and the rate is that of its
    (n + 1)/n multiple.
    """
    law, root = GaussianLaw([VARIANCE, 1e-6]), math.sqrt(KAPPA) if e else KAPPA
    states = law.run([corrector(SIGMA, VARIANCE, e)] * 120, law.start(1.0, VARIANCE))
    means = [float(law.moments(state.x).mean[0]) for state, _ in states]
    n = len(means)
    measured = means[-1] / means[-2] * ((n - 1) / n if e else 1.0)
    assert measured == pytest.approx((root - 1) / (root + 1), rel=2e-3)


@pytest.mark.parametrize(("first", "budget"), [(50.0, 20), (50.0, 7), (SIGMA, 20)])
def test_a_run_spends_its_budget(first: float, budget: int) -> None:
    """Also where it begins at the level of its correction."""
    levels, law = (first, SIGMA, 0.01), GaussianLaw([0.5])
    program = corrected_descent(dpm_solver(), levels, budget, 0.5, VARIANCE, 0.3, 4.0)
    states = law.run(program, law.start(0.0, first**2))
    assert sum(info.evaluations for _, info in states) == budget
