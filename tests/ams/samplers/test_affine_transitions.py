"""Affine moves against Bayes' rule and the published formulas; orders of convergence from exact errors."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from ams.laws import GaussianLaw
from ams.samplers import (
    Kernel,
    Particles,
    State,
    Step,
    affine,
    ancestral,
    authors_euler_maruyama,
    authors_ve_reverse_diffusion,
    authors_vp_reverse_diffusion,
    flow_euler,
    flow_heun,
    one_step_per_level,
    reverse_sde,
    run,
)
from ams.samplers.affine_transitions import AffineTransition, next_level
from ams.samplers.noise_sources import replayed
from ams.schedules import VE, VP, Level, SubVP, geometric_sigmas, linked, process_levels
from ams.statistics import convergence_order

PAIRS = {
    "VE": linked([Level(0, sigma=2.0), Level(1, sigma=0.5)]),
    "VP": process_levels(VP(), 2, 0.3, 0.6),
    "sub-VP": process_levels(SubVP(), 2, 0.3, 0.6),
}


@pytest.mark.parametrize("kind", PAIRS)
def test_ancestral_is_the_posterior_of_the_next_level(kind: str) -> None:
    """Of `x_{t'}` given `x_t` and `x_0`, by conditioning; the forward step adds `w` to `(r / r') x_{t'}`."""
    level, after = PAIRS[kind]
    x0, x = 0.7, -1.3
    ratio = level.scale / after.scale
    forward = level.sigma**2 - ratio**2 * after.sigma**2
    gain = after.sigma**2 * ratio / level.sigma**2
    mean = after.scale * x0 + gain * (x - level.scale * x0)
    move, score = ancestral(level), (level.scale * x0 - x) / level.sigma**2
    assert move.p * x + move.q * score == pytest.approx(mean, rel=1e-12)
    assert move.r**2 == pytest.approx(after.sigma**2 * forward / level.sigma**2, rel=1e-12)


@pytest.mark.parametrize("kind", PAIRS)
def test_flow_euler_is_ddim(kind: str) -> None:
    """Keep predicted point and predicted noise, and put them together at the next level."""
    level, after = PAIRS[kind]
    x, score = -1.3, 0.4
    noise, move = -level.sigma * score, flow_euler(level)
    point = (x - level.sigma * noise) / level.scale
    assert move.p * x + move.q * score == pytest.approx(after.scale * point + after.sigma * noise, rel=1e-12)
    assert move.r == 0.0


@pytest.mark.parametrize("kind", PAIRS)
def test_reverse_sde_drops_variance_and_adds_it(kind: str) -> None:
    level, after = PAIRS[kind]
    drop = (level.sigma / level.scale) ** 2 - (after.sigma / after.scale) ** 2
    exact = (after.scale / level.scale, after.scale * level.scale * drop, after.scale * math.sqrt(drop))
    assert reverse_sde(level) == pytest.approx(exact, rel=1e-12)


def test_the_released_predictors_are_the_released_formulas() -> None:
    n, t = 20, 0.37
    i = math.floor(t * 19)
    sigmas, rates = np.geomspace(0.01, 5.0, n), np.linspace(0.1 / n, 20.0 / n, n)
    level, last = Level(0, sigma=1.0, t=t), Level(0, sigma=1.0, t=1e-3)
    beta = 0.1 + t * 19.9
    euler = authors_euler_maruyama(VP(), n)(level)
    assert euler == pytest.approx((1 + beta / 2 / n, beta / n, math.sqrt(beta / n)), rel=1e-13)
    g = sigmas[i] ** 2 - sigmas[i - 1] ** 2
    assert authors_ve_reverse_diffusion(VE(0.01, 5.0), n)(level) == pytest.approx((1.0, g, math.sqrt(g)), rel=1e-11)
    assert authors_ve_reverse_diffusion(VE(0.01, 5.0), n)(last) == pytest.approx((1.0, 1e-4, 0.01), rel=1e-12)
    b = rates[i]
    vp = authors_vp_reverse_diffusion(VP(), n)(level)
    assert vp == pytest.approx((2 - math.sqrt(1 - b), b, math.sqrt(b)), rel=1e-13)


def test_a_move_on_particles() -> None:
    x, z = torch.randn(2, 3, 4, dtype=torch.float64)
    for r, draws in ((0.3, [z]), (0.0, [])):
        step = affine(lambda level, r=r: AffineTransition(0.5, 0.2, r))
        ((state, info),) = run(
            [(step, PAIRS["VE"][0])], State(x, m=z), lambda x, level: -2 * x, replayed(draws), Particles()
        )
        torch.testing.assert_close(info.mean(), 0.1 * x, rtol=1e-13, atol=1e-14)
        torch.testing.assert_close(state.x, 0.1 * x + r * z, rtol=1e-13, atol=1e-14)
        assert state.m is z and info.at is x and info.evaluations == 1 and info.coefficients is None


@pytest.mark.parametrize("step", [affine(ancestral), affine(reverse_sde), affine(flow_euler), flow_heun])
def test_the_last_level_leads_nowhere(step: Step) -> None:
    law, level = GaussianLaw([1.0]), Level(3, sigma=0.25)
    with pytest.raises(ValueError, match=r"level 3 \(sigma 0.25\) is the last: no level to step to"):
        law.end([(step, level)], law.start(0.0, 1.0))
    assert next_level(PAIRS["VE"][0]) is PAIRS["VE"][0].next


def test_heun_is_the_trapezoidal_rule() -> None:
    level, after = PAIRS["VP"]
    x, mu = 0.9, 0.2

    def slope(y: float, at: Level) -> float:
        """`dy/dv = -sigma s(r y)`."""
        return -at.sigma * (at.scale * mu - at.scale * y) / (at.scale**2 * 0.5 + at.sigma**2)

    y, h = x / level.scale, after.sigma / after.scale - level.sigma / level.scale
    guess = y + h * slope(y, level)
    exact = after.scale * (y + h * (slope(y, level) + slope(guess, after)) / 2)
    law = GaussianLaw([0.5], [mu])
    state, info = law.end([(flow_heun, level)], law.start(x, 0.0))
    assert law.moments(state.x).mean.item() == pytest.approx(exact, rel=1e-12)
    assert law.moments(info.at).mean.item() == pytest.approx(after.scale * guess, rel=1e-12)
    assert info.evaluations == 2


def test_heun_ends_as_euler_where_noise_ends() -> None:
    levels = linked([Level(0, 1.0), Level(1, 0.0)])
    law = GaussianLaw([0.5], [0.2])
    ends = [law.end(one_step_per_level(step, levels), law.start(1.0, 0.3)) for step in (flow_heun, affine(flow_euler))]
    assert ends[0][1].evaluations == ends[1][1].evaluations == 1
    assert torch.equal(ends[0][0].x, ends[1][0].x)


VARIANCE, MEAN = 0.3, 0.8
SCHEDULES: dict[str, Callable[[int], list[Level]]] = {
    "VE": lambda n: linked([Level(i, float(s)) for i, s in enumerate(geometric_sigmas(5.0, 0.1, n + 1))]),
    "VP": lambda n: process_levels(VP(0.1, 6.0), n + 1, 0.05),
}


def flow_error(step: Step, schedule: str, n: int) -> tuple[float, float]:
    """Return errors of the mean and of the standard deviation after `n` steps of the flow, from a law not the target's.

    Exactly, `(x - r mu) / sqrt(r^2 v + sigma^2)` does not change along the flow on a Gaussian.
    """
    levels, law = SCHEDULES[schedule](n), GaussianLaw([VARIANCE], [MEAN])
    spread = [math.sqrt(level.scale**2 * VARIANCE + level.sigma**2) for level in (levels[0], levels[-1])]
    state, _ = law.end(one_step_per_level(step, levels), law.start(2.0, 1.0))
    found, ratio = law.moments(state.x), spread[1] / spread[0]
    exact_mean = levels[-1].scale * MEAN + ratio * (2.0 - levels[0].scale * MEAN)
    return abs(found.mean.item() - exact_mean), abs(found.variance.sqrt().item() - ratio)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize(("step", "order"), [(affine(flow_euler), 1), (flow_heun, 2)], ids=["euler", "heun"])
def test_the_flows_order(step: Step, order: int, schedule: str) -> None:
    """Slope of exact errors over N = 128 to 2048 within 0.05 of the order, and all of its 95 % interval."""
    counts = [128, 256, 512, 1024, 2048]
    for errors in zip(*(flow_error(step, schedule, n) for n in counts), strict=True):
        found = convergence_order([1 / n for n in counts], errors)
        assert order - 0.05 < found.low and found.high < order + 0.05, found


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("kernel", [ancestral, reverse_sde])
def test_the_stochastic_moves_have_weak_order_one(kernel: Kernel, schedule: str) -> None:
    """Variance at the end, from the exact law at the start: the reverse process ends in the target's."""
    counts, errors = [256, 512, 1024, 2048], []
    for n in counts:
        levels, law = SCHEDULES[schedule](n), GaussianLaw([VARIANCE], [MEAN])
        first, end = (level.scale**2 * VARIANCE + level.sigma**2 for level in (levels[0], levels[-1]))
        state, _ = law.end(one_step_per_level(affine(kernel), levels), law.start(levels[0].scale * MEAN, first))
        errors.append(abs(law.moments(state.x).variance.item() - end))
        assert law.moments(state.x).mean.item() == pytest.approx(levels[-1].scale * MEAN, rel=1e-10)
    found = convergence_order([1 / n for n in counts], errors)
    assert found.low > 0.95 and found.high < 1.05, found


def test_a_typo_costs_an_order() -> None:
    """The falsifier: Heun with the slope's old sigma at the new level is seen."""

    def wrong(state: State, score: Callable, noise: Callable, level: Level, algebra: GaussianLaw) -> tuple:
        after, move = next_level(level), flow_euler(level)
        s = score(state.x, level)
        guess = algebra.combine((move.p, state.x), (move.q, s))
        x = algebra.combine((move.p, state.x), (move.q / 2, s), (move.q / 2, score(guess, after)))
        return state._replace(x=x), flow_heun(state, score, noise, level, algebra)[1]

    errors = [flow_error(wrong, "VE", n)[1] for n in (128, 256, 512)]
    assert convergence_order([1 / 128, 1 / 256, 1 / 512], errors).value < 1.5
