"""DPM-Solver++(2M), ODE and SDE: the published update, and the law at the end where the denoised point is constant."""

import math

import pytest
import torch
from hypothesis import given, settings, strategies as st

from ams import samplers as sm
from ams.laws import GaussianLaw
from ams.samplers import dpm_solver
from ams.samplers.noise_sources import replayed
from ams.schedules import VP, process_levels, ve_levels
from tests.ams.tools import assert_equal, draws, moments_at_end

MEAN = 0.8


@given(eta=st.floats(0.0, 2.0), ratio=st.floats(0.1, 0.95), count=st.integers(2, 6))
@settings(deadline=None, max_examples=40)
def test_a_point_target_is_exact(eta: float, ratio: float, count: int) -> None:
    """For any eta and steps, the distribution at the last noise level is exact."""
    levels, law = ve_levels([3.0 * ratio**i for i in range(count)]), GaussianLaw([1e-24], [MEAN])
    end = moments_at_end(law, sm.one_step_per_level(dpm_solver(eta), levels), law.start(MEAN, 9.0))
    assert end.variance.item() == pytest.approx(levels[-1].sigma ** 2, rel=1e-9)
    assert end.mean.item() == pytest.approx(MEAN, rel=1e-9)


@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_the_published_update(eta: float) -> None:
    """In the authors' (alpha, sigma, lambda), on a score that is not affine."""
    levels = process_levels(VP(), 5, 0.05, 0.9)
    x, *noise = draws(3, 5, 4, 2)
    score = lambda at, level: -at - torch.sin(at) * level.sigma  # noqa: E731
    steps = sm.run(sm.one_step_per_level(dpm_solver(eta), levels), sm.State(x), score, replayed(noise), sm.Particles())
    before, last_h = None, 0.0
    for (state, info), level, z in zip(steps, levels, noise, strict=False):
        after = level.next
        h = math.log(after.scale / after.sigma) - math.log(level.scale / level.sigma)
        point = (x + level.sigma**2 * score(x, level)) / level.scale
        ahead = point if before is None else (1 + h / last_h / 2) * point - h / last_h / 2 * before
        x = after.sigma / level.sigma * math.exp(-eta * h) * x + after.scale * (1 - math.exp(-(1 + eta) * h)) * ahead
        assert_equal(info.mean(), x)
        x = x + after.sigma * math.sqrt(1 - math.exp(-2 * eta * h)) * z
        assert_equal(state.x, x)
        assert info.evaluations == 1
        before, last_h = point, h


@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_at_a_last_sigma_of_0_it_ends_at_the_denoised_point(eta: float) -> None:
    levels, x = ve_levels([2.0, 1.0, 0.0]), torch.ones(1, 2, dtype=torch.float64)
    score, noise = lambda at, level: -at / (2 + level.sigma**2), [0.5 * x] * (1 if eta else 0)
    states = sm.run(sm.one_step_per_level(dpm_solver(eta), levels), sm.State(x), score, replayed(noise), sm.Particles())
    before = next(states)[0].x.clone()
    end, info = sm.last(states)
    assert_equal(end.x, before + score(before, levels[1]))
    assert end.h == math.inf and info.evaluations == 1


def test_a_negative_eta_is_refused() -> None:
    with pytest.raises(ValueError, match=r"eta >= 0, got -0\.5"):
        dpm_solver(-0.5)
