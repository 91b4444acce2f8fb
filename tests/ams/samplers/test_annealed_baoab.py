"""The isothermal sampler: invariant on one point, against its formulas written out, and its relatives."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ams.laws import GaussianLaw
from ams.metrics import gaussian_kl
from ams.samplers import (
    TAPERED,
    KineticParameters,
    Particles,
    PerSample,
    State,
    annealed_baoab,
    dpm_solver,
    fixed,
    last,
    leimkuhler_matthews,
    one_step_per_level,
    run,
)
from ams.samplers.noise_sources import replayed
from ams.schedules import VP, Level, annealed_levels, linked, process_levels
from ams.targets import Gaussian

POINT = 1e-300
"""A variance of the target that no sigma here can see."""


def levels_of(sigmas: list[float]) -> list[Level]:
    return annealed_levels(sorted(sigmas, reverse=True), 0.1)


sigma_lists = st.lists(st.floats(1e-2, 1e2), min_size=3, max_size=12, unique_by=lambda s: round(math.log(s), 3))


@given(sigmas=sigma_lists, e=st.floats(0.0, 0.99), seed=st.integers(0, 99), extrapolate=st.booleans())
@settings(deadline=None, max_examples=60)
def test_a_point_is_invariant(sigmas: list[float], e: float, seed: int, extrapolate: bool) -> None:
    """For any levels, `e`, and `u` that changes from step to step: KL to the last level's law below 1e-12."""
    levels, generator = levels_of(sigmas), np.random.default_rng(seed)
    law = GaussianLaw([POINT], [1.5])
    chosen: dict[float, float] = {}
    step = annealed_baoab(
        lambda h: KineticParameters(chosen.setdefault(h, float(generator.uniform(0.01, 1.9))), e), extrapolate
    )
    state, _ = law.end(one_step_per_level(step, levels), law.start(1.5, levels[0].sigma ** 2))
    found = law.moments(state.x)
    assert gaussian_kl(found.mean, found.variance, 1.5, levels[-1].sigma ** 2) < 1e-12


def test_a_point_is_invariant_under_vp() -> None:
    levels = process_levels(VP(), 20, 1e-2)
    law = GaussianLaw([POINT], [1.5])
    begin = law.start(1.5 * levels[0].scale, levels[0].sigma ** 2)
    found = law.moments(law.end(one_step_per_level(annealed_baoab(), levels), begin)[0].x)
    assert gaussian_kl(found.mean, found.variance, 1.5 * levels[-1].scale, levels[-1].sigma ** 2) < 1e-12


def test_the_falsifier_a_full_first_kick_is_not_invariant() -> None:
    """The start that looks natural, `p ~ N(0, I)` before a whole kick, moves the law."""
    law, levels = GaussianLaw([POINT]), levels_of([1.0, 2.0, 4.0])
    begin = law.start(0.0, 16.0)
    whole = law.begin_step(begin._replace(p=law.noise(begin.x)))._replace(h=math.log(2.0))
    found = law.moments(law.end(one_step_per_level(annealed_baoab(), levels), whole)[0].x)
    assert abs(found.variance.item() - 1.0) > 1e-2


def plain(x: Tensor, start: Tensor, draws: list[Tensor], sigmas: list[float], target: Gaussian, e: float) -> Tensor:
    """Return the positions at the end by the formulas, with variables of its own."""
    u_before = d_before = h_before = None
    p = start
    for s, s_next, z in zip(sigmas, sigmas[1:], draws, strict=False):
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
        gamma = s_next / s
        x = gamma * x + (1 - gamma) * ahead + math.sqrt(u / 2) * s_next * p
        p = e * p + math.sqrt(1 - e**2) * z
        x = x + math.sqrt(u / 2) * s_next * p
        u_before, d_before, h_before = u, d, h
    return x


@pytest.mark.parametrize("algebra", [Particles, PerSample])
@pytest.mark.parametrize("e", [0.0, 0.6])
def test_particles_follow_the_formulas(algebra: Callable[[], Particles], e: float) -> None:
    """Levels so unequal that `u` is 0.3, 0.5, 0.1 in turn."""
    logs = np.cumsum([0.0, 0.03, 0.5, 0.01, 0.02, 0.7])
    sigmas = [5.0 * math.exp(-value) for value in logs]
    generator = torch.Generator().manual_seed(5)
    x, *draws = torch.randn(8, 4, 3, generator=generator, dtype=torch.float64)
    target = Gaussian([0.5, -1.0, 2.0], [1.0, 0.1, 3.0])
    program = one_step_per_level(annealed_baoab(fixed(e)), annealed_levels(sigmas, 0.1))
    state, info = last(run(program, State(x), target.score, replayed(draws), algebra()))
    torch.testing.assert_close(state.x, plain(x, draws[0], draws[1:], sigmas, target, e), rtol=1e-12, atol=1e-12)
    assert info.evaluations == 1


def test_without_stirring_it_is_dpm_solver() -> None:
    law, levels = GaussianLaw([1.0, 0.01], [0.5, -1.0]), levels_of([0.01, 0.1, 0.4, 2.0, 10.0])
    still = annealed_baoab(lambda h: KineticParameters(0.0, 0.5))
    ends = [
        law.moments(law.end(one_step_per_level(step, levels), law.start(0.0, 100.0))[0].x)
        for step in (still, dpm_solver())
    ]
    for one, other in zip(*ends, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-14)


def test_where_the_noise_does_not_change_it_is_leimkuhler_matthews() -> None:
    """At `e = 0` and equal levels, from the second step on: kick, drift and draw of one level."""
    x, *draws = torch.randn(6, 4, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    target, u, sigma = Gaussian([0.0, 1.0, 0.0]), 0.3, 2.0
    levels = linked([Level(i, sigma=sigma, step=u * sigma**2) for i in range(5)])
    still = annealed_baoab(lambda h: KineticParameters(u, 0.0), extrapolate=False)
    states = run(one_step_per_level(still, levels), State(x), target.score, replayed(draws), Particles())
    found = [state.x.clone() for state, _ in states]
    program = [(leimkuhler_matthews, levels[0])] * 3
    after = run(program, State(found[0], z=draws[1]), target.score, replayed(draws[2:]), Particles())
    torch.testing.assert_close(found[1:], [state.x.clone() for state, _ in after], rtol=1e-12, atol=1e-12)


def test_the_noiseless_last_level_is_the_denoised_point() -> None:
    levels = linked([Level(0, sigma=1.0, scale=0.5), Level(1, sigma=0.5, scale=0.8), Level(2, sigma=0.0)])
    x, *draws = torch.randn(3, 4, 2, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    target, algebra = Gaussian([0.5, 1.0], 0.25), Particles()
    (middle, _), (end, info) = (
        (state._replace(x=state.x.clone()), info)
        for state, info in run(
            one_step_per_level(annealed_baoab(), levels), State(x), target.score, replayed(draws), algebra
        )
    )
    score = target.score(middle.x, levels[1])
    torch.testing.assert_close(end.x, (middle.x + 0.25 * score) / 0.8)
    torch.testing.assert_close(info.mean(), end.x)
    assert end.p is None


def test_mean_is_the_step_without_its_noise() -> None:
    levels = levels_of([1.0, 2.0, 4.0])
    x, start, z = torch.randn(3, 4, 2, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    target = Gaussian([0.5, 1.0], 0.25)
    state, info = next(
        run(one_step_per_level(annealed_baoab(), levels), State(x), target.score, replayed([start, z]), Particles())
    )
    spread = math.sqrt(0.75) * math.sqrt(0.25) * 2.0
    torch.testing.assert_close(state.x - info.mean(), spread * z)


def test_there_must_be_a_next_level() -> None:
    program, begin = [(annealed_baoab(), Level(0, sigma=1.0))], State(torch.zeros(1, 1))
    with pytest.raises(ValueError, match="is the last"):
        next(run(program, begin, Gaussian([0.0]).score, replayed([]), Particles()))


@given(h=st.floats(1e-6, 10.0), rate=st.floats(0.1, 20.0), most=st.floats(0.01, 1.9))
@settings(deadline=None, max_examples=30)
def test_stirring_is_proportional_then_constant(h: float, rate: float, most: float) -> None:
    assert fixed(0.5, rate, most)(h).u == (rate * h if rate * h < most else most)
    assert fixed()(h).u == min(0.5, 10 * h)


@given(h=st.floats(1e-4, 5.0))
@settings(deadline=None, max_examples=30)
def test_tapered_keeps_less_the_longer_the_step(h: float) -> None:
    parameters, longer = TAPERED(h), TAPERED(1.1 * h)
    assert 0.0 < longer.u < parameters.u < 1.8 and 0.0 < longer.e <= parameters.e <= 0.8
    assert parameters.u == pytest.approx(1.8 * parameters.e) or parameters.e == 0.8


def test_a_tapered_run_is_exact_on_a_point() -> None:
    """The parameters may change from step to step: `e` too."""
    levels, law = levels_of([0.1, 0.11, 0.2, 1.0, 1.05, 9.0, 10.0]), GaussianLaw([POINT])
    found = law.moments(law.end(one_step_per_level(annealed_baoab(TAPERED), levels), law.start(0.0, 100.0))[0].x)
    assert gaussian_kl(found.mean, found.variance, 0.0, 0.01) < 1e-12
