"""DPM-Solver++ (2M), ODE and SDE: exact where the denoised point stands still, and their orders on the exact law."""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ams.laws import GaussianLaw
from ams.samplers import Particles, State, affine, ancestral, dpm_solver, flow_euler, last, one_step_per_level, run
from ams.samplers.noise_sources import replayed
from ams.schedules import VP, Level, geometric_sigmas, process_levels, ve_levels
from ams.statistics import convergence_order

VARIANCE, MEAN = 0.3, 0.8
SCHEDULES: dict[str, Callable[[int], list[Level]]] = {
    "VE": lambda n: ve_levels(geometric_sigmas(5.0, 0.1, n + 1)),
    "VP": lambda n: process_levels(VP(0.1, 6.0), n + 1, 0.05),
}
COUNTS = [128, 256, 512, 1024]


@given(eta=st.floats(0.0, 2.0), ratio=st.floats(0.1, 0.95), count=st.integers(2, 6))
@settings(deadline=None, max_examples=60)
def test_a_point_target_is_exact(eta: float, ratio: float, count: int) -> None:
    """There D is the point at every level: for any eta each level's own law is reached, at any steps."""
    levels, law = ve_levels([3.0 * ratio**i for i in range(count)]), GaussianLaw([1e-24], [MEAN])
    found = law.moments(law.end(one_step_per_level(dpm_solver(eta), levels), law.start(MEAN, 9.0))[0].x)
    assert found.variance.item() == pytest.approx(levels[-1].sigma ** 2, rel=1e-9)
    assert found.mean.item() == pytest.approx(MEAN, rel=1e-9)


def test_the_published_update() -> None:
    """With variables of its own, in (alpha, sigma, lambda) as the authors have it, on a score that is not affine."""
    levels = process_levels(VP(), 5, 0.05, 0.9)
    generator = torch.Generator().manual_seed(3)
    start, *draws = torch.randn(5, 4, 2, generator=generator, dtype=torch.float64)
    score = lambda at, level: -at - torch.sin(at) * level.sigma  # noqa: E731
    for eta in (0.0, 1.0):
        steps = run(one_step_per_level(dpm_solver(eta), levels), State(start), score, replayed(draws), Particles())
        x, before, last_h = start, None, 0.0
        for (state, info), level, z in zip(steps, levels, draws, strict=False):
            after = level.next
            h = math.log(after.scale / after.sigma) - math.log(level.scale / level.sigma)
            point = (x + level.sigma**2 * score(x, level)) / level.scale
            ahead = point if before is None else (1 + h / last_h / 2) * point - h / last_h / 2 * before
            x = (
                after.sigma / level.sigma * math.exp(-eta * h) * x
                + after.scale * (1 - math.exp(-(1 + eta) * h)) * ahead
            )
            torch.testing.assert_close(info.mean(), x, rtol=1e-12, atol=1e-12)
            x = x + after.sigma * math.sqrt(1 - math.exp(-2 * eta * h)) * z
            torch.testing.assert_close(state.x, x, rtol=1e-12, atol=1e-12)
            assert info.evaluations == 1
            before, last_h = point, h


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_its_first_step_is_a_known_move(schedule: str) -> None:
    """DDIM for eta = 0; for eta = 1 the ancestral move."""
    levels, law = SCHEDULES[schedule](1), GaussianLaw([VARIANCE], [MEAN])
    for eta, kernel in ((0.0, flow_euler), (1.0, ancestral)):
        ends = [
            law.end(one_step_per_level(step, levels), law.start(2.0, 1.0))[0].x
            for step in (dpm_solver(eta), affine(kernel))
        ]
        torch.testing.assert_close(*ends, rtol=1e-12, atol=1e-12)


def ode_error(schedule: str, n: int, eta: float = 0.0) -> float:
    """Return the error of the standard deviation after `n` steps of the flow from a law that is not the target's."""
    levels, law = SCHEDULES[schedule](n), GaussianLaw([VARIANCE], [MEAN])
    spread = [math.sqrt(level.scale**2 * VARIANCE + level.sigma**2) for level in (levels[0], levels[-1])]
    found = law.moments(law.end(one_step_per_level(dpm_solver(eta), levels), law.start(2.0, 1.0))[0].x)
    return abs(found.variance.sqrt().item() - spread[1] / spread[0])


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_solver_has_order_two(schedule: str) -> None:
    found = convergence_order([1 / n for n in COUNTS], [ode_error(schedule, n) for n in COUNTS])
    assert found.low > 1.95 and found.high < 2.05, found


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_stochastic_solver_has_weak_order_two(schedule: str) -> None:
    """Variance at the end, from the exact law at the start: the reverse process ends in the target's."""
    errors = []
    for n in COUNTS:
        levels, law = SCHEDULES[schedule](n), GaussianLaw([VARIANCE], [MEAN])
        first, end = (level.scale**2 * VARIANCE + level.sigma**2 for level in (levels[0], levels[-1]))
        found = law.moments(
            law.end(one_step_per_level(dpm_solver(1.0), levels), law.start(levels[0].scale * MEAN, first))[0].x
        )
        errors.append(abs(found.variance.item() - end))
    order = convergence_order([1 / n for n in COUNTS], errors)
    assert order.low > 1.9 and order.high < 2.1, order


def test_without_the_extrapolation_an_order_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """The falsifier: DDIM, its first step repeated."""
    errors = []
    for n in COUNTS:
        levels, law = SCHEDULES["VE"](n), GaussianLaw([VARIANCE], [MEAN])
        forget = lambda state, *rest: dpm_solver()(State(state.x), *rest)  # noqa: E731
        found = law.moments(law.end(one_step_per_level(forget, levels), law.start(2.0, 1.0))[0].x)
        ratio = math.sqrt((VARIANCE + 0.01) / (VARIANCE + 25.0))
        errors.append(abs(found.variance.sqrt().item() - ratio))
    assert convergence_order([1 / n for n in COUNTS], errors).high < 1.2


@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_the_noiseless_end_is_the_denoised_point(eta: float) -> None:
    levels, x = ve_levels([2.0, 1.0, 0.0]), torch.ones(1, 2, dtype=torch.float64)
    score, draws = lambda at, level: -at / (2 + level.sigma**2), [0.5 * x] * (1 if eta else 0)
    states = run(one_step_per_level(dpm_solver(eta), levels), State(x), score, replayed(draws), Particles())
    before = next(states)[0].x.clone()
    end, info = last(states)
    torch.testing.assert_close(end.x, before + score(before, levels[1]), rtol=1e-13, atol=1e-13)
    assert end.h == math.inf and info.evaluations == 1


def test_a_negative_eta_is_refused() -> None:
    with pytest.raises(ValueError, match=r"eta >= 0, got -0\.5"):
        dpm_solver(-0.5)
