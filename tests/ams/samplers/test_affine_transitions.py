"""Steps from one noise level to the next against Bayes' rule and published formulas; flows against
their solution.

Affine transitions, EDM's churn, Restart, and the adaptive solver of the probability flow; orders
are from exact errors.
"""

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from ams import samplers as sm
from ams.laws import GaussianLaw, flowed
from ams.rk45 import NotIntegrated, flow_rk45, ve_level, vp_level
from ams.samplers import edm_stochastic, one_step_per_level
from ams.samplers.affine_transitions import next_level
from ams.samplers.dpm_solver import dpm_solver
from ams.samplers.noise_sources import replayed
from ams.samplers.restart import restart
from ams.schedules import (
    VP,
    Level,
    geometric_sigmas,
    linked,
    process_levels,
    ve_levels,
)
from ams.statistics import convergence_order
from ams.targets import Gaussian, GaussianMixture
from tests.ams.tools import assert_equal, draws, moments_at_end, trajectory

PAIRS = {
    "VE": ve_levels([2.0, 0.5]),
    "VP": process_levels(VP(), 2, 0.3, 0.6),
    "neither": linked([Level(0, sigma=0.8, scale=0.4), Level(1, sigma=0.3, scale=0.9)]),
}
EVERY = pytest.mark.parametrize("kind", PAIRS)


@EVERY
def test_ancestral_is_the_posterior_of_the_next_level(kind: str) -> None:
    """The posterior of `x_{t'}` given `x_t` and `x_0`, by conditioning."""
    level, after = PAIRS[kind]
    x0, x = 0.7, -1.3
    ratio = level.scale / after.scale
    forward = level.sigma**2 - ratio**2 * after.sigma**2
    gain = after.sigma**2 * ratio / level.sigma**2
    mean = after.scale * x0 + gain * (x - level.scale * x0)
    (p, q, r), score = sm.ancestral(level), (level.scale * x0 - x) / level.sigma**2
    assert p * x + q * score == pytest.approx(mean, rel=1e-12)
    assert r**2 == pytest.approx(after.sigma**2 * forward / level.sigma**2, rel=1e-12)


@EVERY
def test_flow_euler_is_ddim(kind: str) -> None:
    """DDIM combines the predicted point and the predicted noise at the next noise level."""
    level, after = PAIRS[kind]
    x, score = -1.3, 0.4
    noise, (p, q, r) = -level.sigma * score, sm.flow_euler(level)
    point = (x - level.sigma * noise) / level.scale
    assert (
        p * x + q * score == pytest.approx(after.scale * point + after.sigma * noise, rel=1e-12)
        and r == 0.0
    )


@EVERY
def test_reverse_sde_adds_the_difference_of_the_variances(kind: str) -> None:
    level, after = PAIRS[kind]
    drop = (level.sigma / level.scale) ** 2 - (after.sigma / after.scale) ** 2
    exact = (
        after.scale / level.scale,
        after.scale * level.scale * drop,
        after.scale * math.sqrt(drop),
    )
    assert sm.reverse_sde(level) == pytest.approx(exact, rel=1e-12)


def test_the_authors_vp_reverse_diffusion_is_its_formula() -> None:
    """Their other predictors are in their recorded runs (claim S1)."""
    n, t = 20, 0.37
    b = np.linspace(0.1 / n, 20.0 / n, n)[math.floor(t * 19)]
    kernel = sm.authors_vp_reverse_diffusion(VP(), n)(Level(0, sigma=1.0, t=t))
    assert kernel == pytest.approx((2 - math.sqrt(1 - b), b, math.sqrt(b)), rel=1e-13)


def test_a_transition_of_particles() -> None:
    x, z = torch.randn(2, 3, 4, dtype=torch.float64)
    for r, noise in ((0.3, [z]), (0.0, [])):
        program = [(sm.affine(lambda level, r=r: sm.AffineTransition(0.5, 0.2, r)), PAIRS["VE"][0])]
        ((state, info),) = sm.run(
            program, sm.State(x, m=z), lambda x, level: -2 * x, replayed(noise), sm.Particles()
        )
        assert_equal([info.mean(), state.x], [0.1 * x, 0.1 * x + r * z])
        assert state.m is z and info.at is x and info.evaluations == 1 and info.coefficients is None


@pytest.mark.parametrize(
    "step",
    [
        *map(sm.affine, (sm.ancestral, sm.reverse_sde, sm.flow_euler, sm.consistent(0.3))),
        sm.flow_heun,
        sm.annealed_baoab(),
    ],
)
def test_there_is_no_step_from_the_last_level(step: sm.Step) -> None:
    law, level = GaussianLaw([1.0]), Level(3, sigma=0.25)
    with pytest.raises(
        ValueError, match=r"noise level 3 \(sigma 0.25\) is the last: no level to step to"
    ):
        law.end([(step, level)], law.start(0.0, 1.0))
    assert next_level(PAIRS["VE"][0]) is PAIRS["VE"][0].next


VARIANCE, MEAN = 0.3, 0.8
COUNTS = [32, 64, 128, 256]
SCHEDULES: dict[str, Callable[[int], list[Level]]] = {
    "VE": lambda n: ve_levels(geometric_sigmas(5.0, 0.1, n + 1)),
    "VP": lambda n: process_levels(VP(0.1, 6.0), n + 1, 0.05),
}


def flow_error(step: sm.Step, schedule: str, n: int) -> tuple[float, float]:
    """Return errors of mean and standard deviation after `n` steps of the flow, from N(2, 1).

    Along the flow on a Gaussian `(x - r mu) / sqrt(r^2 v + sigma^2)` is constant.
    """
    levels, law = SCHEDULES[schedule](n), GaussianLaw([VARIANCE], [MEAN])
    spread = [
        math.sqrt(level.scale**2 * VARIANCE + level.sigma**2) for level in (levels[0], levels[-1])
    ]
    end, ratio = (
        moments_at_end(law, sm.one_step_per_level(step, levels), law.start(2.0, 1.0)),
        spread[1] / spread[0],
    )
    exact_mean = levels[-1].scale * MEAN + ratio * (2.0 - levels[0].scale * MEAN)
    return abs(end.mean.item() - exact_mean), abs(end.variance.sqrt().item() - ratio)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize(
    ("step", "order"), [(sm.affine(sm.flow_euler), 1), (sm.flow_heun, 2)], ids=["euler", "heun"]
)
def test_the_flows_order(step: sm.Step, order: int, schedule: str) -> None:
    """The 95 % interval of the slope of exact errors is within 0.05 of the order."""
    for errors in zip(*(flow_error(step, schedule, n) for n in COUNTS), strict=True):
        slope = convergence_order([1 / n for n in COUNTS], errors, 0.95)
        assert order - 0.05 < slope.low and slope.high < order + 0.05, slope


POINT, AT = 1e-24, 0.7


@given(gamma=st.floats(0.1, 0.95), within=st.floats(-0.99, 0.99), count=st.integers(2, 8))
@settings(deadline=None, max_examples=40)
def test_a_point_target_has_the_variance_of_each_level(
    gamma: float, within: float, count: int
) -> None:
    """For any eta in the range, from the distribution at the first noise level."""
    levels, law = ve_levels([2.0 * gamma**i for i in range(count)]), GaussianLaw([POINT], [AT])
    program = sm.one_step_per_level(sm.affine(sm.consistent(1.0 + within * gamma)), levels)
    end = moments_at_end(law, program, law.start(AT, 4.0))
    assert end.variance.item() == pytest.approx(levels[-1].sigma ** 2, rel=1e-10)
    assert end.mean.item() == pytest.approx(AT, rel=1e-10)


@EVERY
def test_special_cases_of_consistent_are_ancestral_and_euler(kind: str) -> None:
    """DDPM at `eta = 1 - g'^2`, the probability flow at the lower end of the range."""
    levels = PAIRS[kind]
    gamma = levels[1].sigma / levels[1].scale / (levels[0].sigma / levels[0].scale)
    assert sm.consistent(1 - gamma**2)(levels[0]) == pytest.approx(
        sm.ancestral(levels[0]), rel=1e-12
    )
    nearly = sm.consistent(1 - gamma * (1 - 1e-12))(levels[0])
    assert nearly == pytest.approx(sm.flow_euler(levels[0]), rel=1e-10, abs=1e-5)


@pytest.mark.parametrize("eta", [0.25, 1.75, 0.1, 2.0, math.nan])
def test_an_eta_outside_its_range_is_refused(eta: float) -> None:
    level = linked([Level(4, sigma=2.0), Level(5, sigma=1.5)])[0]
    with pytest.raises(
        ValueError, match=r"noise level 4: eta is .*, expected between 0.25 and 1.75"
    ):
        sm.consistent(eta)(level)


def test_there_is_no_noise_at_the_end() -> None:
    """At a next sigma of 0 any eta is allowed and nothing is drawn."""
    assert sm.consistent(0.3)(ve_levels([0.5, 0.0])[0]) == (1.0, 0.3 * 0.25, 0.0)


SIGMAS = [5.0, 2.0, 1.0, 0.5, 0.0]
LEVELS = ve_levels(SIGMAS)


@pytest.mark.parametrize(("churn", "gamma"), [(1.0, 0.25), (40.0, math.sqrt(2) - 1)])
def test_the_published_algorithm(churn: float, gamma: float) -> None:
    """Algorithm 2 with variables of its own, on a score that is not affine; noise levels 2 and 1
    are churned.
    """
    start, *noise = draws(3, 3, 4, 2)
    score = lambda at, level: -at / (1 + level.sigma**2) - torch.sin(at) / 3  # noqa: E731
    step = edm_stochastic(4, churn, s_noise=1.01, s_tmin=0.9, s_tmax=2.0)
    end = trajectory(one_step_per_level(step, LEVELS), 5 * start, score, noise)[-1]
    x, remaining = 5 * start, iter(noise)
    for t, t_next in pairwise(SIGMAS):
        t_hat = t * (1 + (gamma if 0.9 <= t <= 2.0 else 0.0))
        if t_hat > t:
            x = x + math.sqrt(t_hat**2 - t**2) * 1.01 * next(remaining)
        d = -t_hat * score(x, Level(0, t_hat))
        new = x + (t_next - t_hat) * d
        if t_next:
            new = x + (t_next - t_hat) * (d - t_next * score(new, Level(0, t_next))) / 2
        x = new
    assert_equal(end, x)


def test_a_churned_level_has_no_time() -> None:
    seen: list[Level] = []
    level, x = process_levels(VP(), 2, 0.3, 0.6)[0], torch.ones(1, 1, dtype=torch.float64)
    trajectory([(edm_stochastic(1), level)], x, lambda at, level: seen.append(level) or -at, [x])
    assert math.isnan(seen[0].t) and seen[0].sigma == pytest.approx(math.sqrt(2) * level.sigma)
    assert seen[1] == level.next


@pytest.mark.parametrize("arguments", [(0,), (5, -1.0), (5, 1.0, -0.1)])
def test_impossible_arguments_are_refused(arguments: tuple) -> None:
    with pytest.raises(ValueError, match="EDM needs"):
        edm_stochastic(*arguments)


def restarted(
    times: int, budget: int, share: float = 0.5, first: float = 0.1
) -> tuple[float, float, int]:
    """Return mean and variance at the end of a run whose start lies 1 away from the target's mean,
    and its cost.
    """
    law = GaussianLaw([1.0])
    program = restart(dpm_solver(), (first, 0.01), (0.1, 2.0), budget, share, times)
    *_, (state, _) = states = list(law.run(program, law.start(1.0, 1.0)))
    moments = law.moments(state.x)
    return float(moments.mean), float(moments.variance), sum(info.evaluations for _, info in states)


def test_each_restart_shrinks_an_error_by_the_factor_of_its_descent() -> None:
    """The flow from noise `high` to `low` multiplies a mean by `sqrt((v + low^2) / (v +
    high^2))`.
    """
    (once, *_), (twice, *_), (often, variance, _) = (restarted(times, 1200) for times in (1, 2, 8))
    assert twice / once == pytest.approx((1.01 / 5.0) ** 0.5, rel=1e-3)
    assert often == pytest.approx(0.0, abs=2e-3) and variance == pytest.approx(1.0001, rel=1e-3)


@pytest.mark.parametrize(
    ("times", "budget", "first"), [(2, 20, 50.0), (2, 20, 0.1), (6, 5, 50.0), (3, 21, 50.0)]
)
def test_a_run_spends_its_budget(times: int, budget: int, first: float) -> None:
    assert restarted(times, budget, first=first)[2] == budget


VARIANCES, MEANS = torch.tensor([[1.0, 0.1, 0.01], [0.5, -0.3, 0.0]], dtype=torch.float64)
FIRST, LAST = 20.0, 0.05


@pytest.mark.parametrize("level_at", [ve_level, vp_level])
@pytest.mark.parametrize(("tolerance", "error"), [(1e-5, 1e-4), (1e-10, 1e-8)])
def test_particles_and_law_follow_the_flow(
    level_at: Callable[[float], Level], tolerance: float, error: float
) -> None:
    """On a Gaussian `(y - mu) / sqrt(v_i + v^2)` is constant along the flow."""
    start, end = level_at(FIRST), level_at(LAST)
    x = start.scale * torch.tensor([[3.0, -8.0, 20.0], [0.0, 1.0, -5.0]], dtype=torch.float64)
    ratio = ((VARIANCES + LAST**2) / (VARIANCES + FIRST**2)).sqrt()
    exact = end.scale * (MEANS + ratio * (x / start.scale - MEANS))
    score = Gaussian(MEANS, VARIANCES).score
    positions, evaluations = flow_rk45(x, score, FIRST, LAST, tolerance, tolerance, level_at)
    assert_equal(positions, exact, 0.0, error)
    law, spread = GaussianLaw(VARIANCES, MEANS), [v * start.scale**2 for v in (4.0, 1.0, 0.5)]
    moments, steps = flowed(law, x[0].tolist(), spread, FIRST, LAST, tolerance, tolerance, level_at)
    assert_equal(moments.mean, exact[0], 0.0, error)
    assert_equal(
        moments.variance,
        (end.scale / start.scale * ratio) ** 2 * torch.tensor(spread),
        0.0,
        10 * error,
    )
    assert evaluations >= 20 and steps >= 20


def test_every_evaluation_is_counted() -> None:
    levels: list[Level] = []
    _, evaluations = flow_rk45(
        torch.ones(2, 2), lambda x, level: levels.append(level) or -x / 2, 5.0, 0.1
    )
    assert evaluations == len(levels)


def test_type_and_shape_are_the_samples_own() -> None:
    target = GaussianMixture([0.3, 0.7], [[[[-1.0, 0.0]]], [[[1.0, 0.5]]]], 0.01).to(torch.float32)
    x = 10 * draws(0, 5, 1, 1, 2, dtype=torch.float32)
    end, _ = flow_rk45(x, target.score, 10.0, 0.02)
    assert end.dtype is torch.float32 and end.shape == x.shape
    assert (target.log_density(end, Level(0, sigma=0.02)) > -8).all()


def test_levels_belong_to_their_process() -> None:
    assert ve_level(3.0)[1:3] == (3.0, 1.0)
    scale, sigma = VP().marginal(0.4)
    level = vp_level(sigma / scale)
    assert (level.scale, level.sigma) == pytest.approx((scale, sigma), rel=1e-14)


def test_a_solver_that_fails_and_a_negative_variance_are_refused() -> None:
    with (
        pytest.raises(NotIntegrated, match=r"probability flow from 5 to 0\.1: "),
        np.errstate(all="ignore"),
    ):
        flow_rk45(torch.ones(1, 1, dtype=torch.float64), lambda x, level: x**3 * 1e200, 5.0, 0.1)
    with pytest.raises(ValueError, match="0 or more"):
        flowed(GaussianLaw([1.0]), 0.0, -math.pi, 2.0, 1.0)
