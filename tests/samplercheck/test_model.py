"""The exact network: its five predictions against each other and against Bayes' rule, guidance, clipping, errors."""

import math

import pytest
import torch
from torch import Tensor

from ams.schedules import Level
from ams.targets import Gaussian
from samplercheck import noise_level
from samplercheck.model import Enough, clipped, exact, guided, log_snr
from tests.ams.tools import assert_equal, draws

LEVEL = Level(0, sigma=0.6, scale=0.8)
MEAN, VARIANCE = torch.tensor([1.0, -0.5], dtype=torch.float64), torch.tensor([0.3, 2.0], dtype=torch.float64)
X = draws(1, 4, 1, 1, 2)


def network(shift: float = 0.0):  # type: ignore[no-untyped-def]
    return exact(Gaussian(MEAN + shift, VARIANCE), MEAN + shift)


def posterior_mean(x: Tensor) -> Tensor:
    """Return `E[x_0 | x]` by conditioning a joint Gaussian."""
    gain = 0.8 * VARIANCE / (0.64 * VARIANCE + 0.36)
    return MEAN + gain * (x - 0.8 * MEAN)


def test_the_predictions_are_one() -> None:
    x0 = posterior_mean(X)
    eps = (X - 0.8 * x0) / 0.6
    expected = {"x0": x0, "eps": eps, "v": 0.8 * eps - 0.6 * x0, "flow": eps - x0, "score": -eps / 0.6}
    for predict, value in expected.items():
        assert_equal(network()(predict, X, LEVEL), value)


def test_calls_are_recorded_until_there_are_enough() -> None:
    net = network()
    net.most = 2
    assert net("x0", X.float(), LEVEL).dtype is torch.float32
    with pytest.raises(Enough):
        net("x0", X, LEVEL)
    assert [call.level for call in net.calls] == [LEVEL, LEVEL]
    assert_equal(net.calls[1].x, X.reshape(4, 2))


@pytest.mark.parametrize("number", [float, lambda value: value.expand(4)])
def test_pure_noise_is_told_in_single_precision(number) -> None:  # type: ignore[no-untyped-def]
    """cos(pi/2) is -4e-8 there."""
    scale = torch.tensor(math.pi / 2, dtype=torch.float32).cos()
    assert noise_level(number(scale), 1.0).scale == 0.0


def test_pure_noise_predicts_the_mean_and_no_noise_the_point() -> None:
    assert_equal(network()("x0", X, Level(0, sigma=1.0, scale=0.0)), MEAN.expand(4, 1, 1, 2))
    assert_equal(network()("x0", X, Level(0, sigma=0.0)), X)


def test_guidance_combines_and_clipping_bounds() -> None:
    both = guided(network(), network(1.0), 3.0)
    assert_equal(both("x0", X, LEVEL), 3 * network()("x0", X, LEVEL) - 2 * network(1.0)("x0", X, LEVEL))
    bounded = clipped(network(), 0.7)
    x0, eps = bounded("x0", X, LEVEL), bounded("eps", X, LEVEL)
    assert_equal(x0, posterior_mean(X).clamp(-0.7, 0.7))
    assert_equal(0.8 * x0 + 0.6 * eps, X)


def test_noise_levels() -> None:
    assert noise_level(torch.full((3, 1), 0.8), 0.6)[1:3] == (0.6, pytest.approx(0.8))
    assert log_snr(LEVEL) == pytest.approx(math.log(4 / 3)) and log_snr(Level(0, sigma=0.0)) == math.inf
    rounded = torch.tensor([0.1, 0.1 * (1 + 1e-7)])
    assert noise_level(1.0, rounded).sigma == pytest.approx(0.1), "rows that differ by rounding"
    assert noise_level(1.0, -1e-17).sigma == 0.0 and noise_level(-1e-17, 1.0).scale == 0.0
    for below in ((1.0, -0.1), (-0.1, 1.0)):
        with pytest.raises(ValueError, match="neither can be below 0"):
            noise_level(*below)
    for apart in (torch.tensor([0.1, 0.2]), rounded.double(), torch.tensor([3, 4])):
        with pytest.raises(ValueError, match="different noise levels"):
            noise_level(1.0, apart)
    with pytest.raises(ValueError, match="unknown prediction 'y'"):
        network()("y", X, LEVEL)
