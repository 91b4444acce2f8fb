"""Scores of networks' outputs, and S4's half steps."""

import math

import pytest
import torch
from hypothesis import given, settings, strategies as st

from experiments.graphs.systems import Pair, scores, ve_system, vp_system
from tests.experiments.graphs.random_networks import batch, made_networks

TIMES = st.floats(0.05, 1.0)
some = settings(deadline=None, max_examples=40)
SYSTEMS = {"VP": vp_system(0.1, 1.0), "VE": ve_system(0.2, 1.0)}


@pytest.mark.parametrize("name", SYSTEMS)
@given(t=TIMES, part=st.floats(0.05, 0.9))
@some
def test_a_half_step_undoes_the_mean_and_has_the_forward_noise(name: str, t: float, part: float) -> None:
    """From `t` to `t + h`: the mean factor `r(t+h)/r(t)`, the variance that `x_t` has given `x_{t+h}`."""
    system, h = SYSTEMS[name], -part * t
    (scale, sigma), (before, sigma_before) = system.process.marginal(t), system.process.marginal(t + h)
    step = system.half_step(t, h)
    assert step.p == pytest.approx(before / scale, rel=1e-12) and step.q == 0.0
    assert step.r**2 == pytest.approx(sigma**2 - (scale / before * sigma_before) ** 2, rel=1e-8)


def test_scores_are_the_outputs_over_minus_sigma_or_themselves() -> None:
    both, (layout, x, a) = made_networks(), batch([3, 4])
    pair = Pair(SYSTEMS["VP"], SYSTEMS["VE"])
    of_features, of_adjacency = scores(both, pair, layout)
    level = pair.features.levels(5, 1e-2)[2]
    scale = math.exp(-(level.t**2) * 0.9 / 4 - level.t * 0.05)
    torch.testing.assert_close(of_features(x, a, level), -both.features(x, a, layout) / math.sqrt(1 - scale**2))
    torch.testing.assert_close(of_adjacency(a, x, level), both.adjacency(x, a, layout))
