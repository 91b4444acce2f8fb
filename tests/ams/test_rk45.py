"""The probability flow by an adaptive solver, against the flow's solution, for particles and the exact law."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from ams.laws import GaussianLaw, flowed
from ams.rk45 import NotIntegrated, flow_rk45, ve_level, vp_level
from ams.schedules import VP, Level
from ams.targets import Gaussian, GaussianMixture
from tests.ams.tools import assert_equal, draws

VARIANCE, MEAN = torch.tensor([[1.0, 0.1, 0.01], [0.5, -0.3, 0.0]], dtype=torch.float64)
FIRST, LAST = 20.0, 0.05


@pytest.mark.parametrize("level_at", [ve_level, vp_level])
@pytest.mark.parametrize(("tolerance", "error"), [(1e-5, 1e-4), (1e-10, 1e-8)])
def test_particles_and_law_follow_the_flow(level_at: Callable[[float], Level], tolerance: float, error: float) -> None:
    """On a Gaussian `(y - mu) / sqrt(v_i + v^2)` is constant along the flow."""
    start, end = level_at(FIRST), level_at(LAST)
    x = start.scale * torch.tensor([[3.0, -8.0, 20.0], [0.0, 1.0, -5.0]], dtype=torch.float64)
    ratio = ((VARIANCE + LAST**2) / (VARIANCE + FIRST**2)).sqrt()
    exact = end.scale * (MEAN + ratio * (x / start.scale - MEAN))
    score = Gaussian(MEAN, VARIANCE).score
    positions, evaluations = flow_rk45(x, score, FIRST, LAST, tolerance, tolerance, level_at)
    assert_equal(positions, exact, 0.0, error)
    law, spread = GaussianLaw(VARIANCE, MEAN), [v * start.scale**2 for v in (4.0, 1.0, 0.5)]
    moments, steps = flowed(law, x[0].tolist(), spread, FIRST, LAST, tolerance, tolerance, level_at)
    assert_equal(moments.mean, exact[0], 0.0, error)
    assert_equal(moments.variance, (end.scale / start.scale * ratio) ** 2 * torch.tensor(spread), 0.0, 10 * error)
    assert evaluations >= 20 and steps >= 20


def test_every_evaluation_is_counted() -> None:
    levels: list[Level] = []
    _, evaluations = flow_rk45(torch.ones(2, 2), lambda x, level: levels.append(level) or -x / 2, 5.0, 0.1)
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
    with pytest.raises(NotIntegrated, match=r"probability flow from 5 to 0\.1: "), np.errstate(all="ignore"):
        flow_rk45(torch.ones(1, 1, dtype=torch.float64), lambda x, level: x**3 * 1e200, 5.0, 0.1)
    with pytest.raises(ValueError, match="0 or more"):
        flowed(GaussianLaw([1.0]), 0.0, -math.pi, 2.0, 1.0)
