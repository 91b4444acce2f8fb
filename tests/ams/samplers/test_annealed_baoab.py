"""Annealed BAOAB: invariant on a point target, equal to its formulas, and its relations to other samplers."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from torch import Tensor

from ams import samplers as sm
from ams.laws import GaussianLaw
from ams.metrics import gaussian_kl
from ams.samplers import TAPERED, KineticParameters, Particles, PerSample, State, annealed_baoab, fixed
from ams.samplers.noise_sources import replayed
from ams.schedules import VP, Level, annealed_levels, linked, process_levels
from ams.targets import Gaussian
from tests.ams.tools import assert_equal, draws, moments_at_end, trajectory

POINT = 1e-300
"""A variance of the target that is negligible at every sigma here."""


def levels_of(sigmas: list[float]) -> list[Level]:
    return annealed_levels(sorted(sigmas, reverse=True), 0.1)


sigma_lists = st.lists(st.floats(1e-2, 1e2), min_size=3, max_size=12, unique_by=lambda s: round(math.log(s), 3))


def kl_on_a_point(step: sm.Step, levels: list[Level]) -> float:
    """Return the KL to the distribution at the last noise level, from that at the first, for a target at 1.5."""
    law, first, last = GaussianLaw([POINT], [1.5]), levels[0], levels[-1]
    begin = law.start(1.5 * first.scale, first.sigma**2)
    end = moments_at_end(law, sm.one_step_per_level(step, levels), begin)
    return gaussian_kl(end.mean, end.variance, 1.5 * last.scale, last.sigma**2)


@given(sigmas=sigma_lists, e=st.floats(0.0, 0.99), seed=st.integers(0, 99), extrapolate=st.booleans())
@settings(deadline=None, max_examples=40)
def test_a_point_is_invariant(sigmas: list[float], e: float, seed: int, extrapolate: bool) -> None:
    """For any noise levels and `e`, and `u` that changes from step to step."""
    generator, chosen = np.random.default_rng(seed), dict[float, float]()

    def schedule(h: float) -> KineticParameters:
        return KineticParameters(chosen.setdefault(h, float(generator.uniform(0.01, 1.9))), e)

    assert kl_on_a_point(annealed_baoab(schedule, extrapolate), levels_of(sigmas)) < 1e-12


def test_a_point_is_invariant_under_vp_and_under_the_tapered_schedule() -> None:
    assert kl_on_a_point(annealed_baoab(), process_levels(VP(), 20, 1e-2)) < 1e-12
    assert kl_on_a_point(annealed_baoab(TAPERED), levels_of([0.1, 0.11, 0.2, 1.0, 1.05, 9.0, 10.0])) < 1e-12


def by_hand(x: Tensor, p: Tensor, noise: list[Tensor], sigmas: list[float], target: Gaussian, e: float) -> Tensor:
    """Return the positions at the end by the formulas, with variables of its own."""
    u_before = d_before = h_before = None
    for s, s_next, z in zip(sigmas, sigmas[1:], noise, strict=False):
        score = target.score(x, Level(0, sigma=s))
        h = math.log(s / s_next)
        u = min(0.5, 10 * h)
        if u_before is None:
            p = math.sqrt(1 - u / 2) * p
        else:
            p = (p + math.sqrt(u_before / 2) * s * score) * math.sqrt((1 - u / 2) / (1 - u_before / 2))
        p = p + math.sqrt(u / 2) * s * score
        d = x + s**2 * score
        ahead = d if d_before is None else d + h / (2 * h_before) * (d - d_before)
        x = s_next / s * x + (1 - s_next / s) * ahead + math.sqrt(u / 2) * s_next * p
        p = e * p + math.sqrt(1 - e**2) * z
        x = x + math.sqrt(u / 2) * s_next * p
        u_before, d_before, h_before = u, d, h
    return x


@pytest.mark.parametrize("algebra", [Particles, PerSample])
@pytest.mark.parametrize("e", [0.0, 0.6])
def test_particles_follow_the_formulas(algebra: Callable[[], Particles], e: float) -> None:
    """At noise levels so unequal that `u` is 0.3, 0.5, 0.1 in turn."""
    sigmas = [5.0 * math.exp(-value) for value in np.cumsum([0.0, 0.03, 0.5, 0.01, 0.02, 0.7])]
    x, p, *noise = draws(5, 8, 4, 3)
    target = Gaussian([0.5, -1.0, 2.0], [1.0, 0.1, 3.0])
    program = sm.one_step_per_level(annealed_baoab(fixed(e)), annealed_levels(sigmas, 0.1))
    end = trajectory(program, x, target.score, [p, *noise], algebra)[-1]
    assert_equal(end, by_hand(x, p, noise, sigmas, target, e))


def test_at_equal_noise_levels_it_is_leimkuhler_matthews() -> None:
    """At `e = 0`, from the second step on."""
    x, *noise = draws(2, 6, 4, 3)
    target, u, sigma = Gaussian([0.0, 1.0, 0.0]), 0.3, 2.0
    levels = linked([Level(i, sigma=sigma, step=u * sigma**2) for i in range(5)])
    step = annealed_baoab(lambda h: KineticParameters(u, 0.0), extrapolate=False)
    positions = trajectory(sm.one_step_per_level(step, levels), x, target.score, noise)
    program = [(sm.leimkuhler_matthews, levels[0])] * 3
    assert_equal(positions[1:], trajectory(program, State(positions[0], z=noise[1]), target.score, noise[2:]))


def test_at_a_last_sigma_of_0_it_ends_at_the_denoised_point() -> None:
    levels = linked([Level(0, sigma=1.0, scale=0.5), Level(1, sigma=0.5, scale=0.8), Level(2, sigma=0.0)])
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
