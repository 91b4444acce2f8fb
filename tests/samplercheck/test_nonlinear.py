"""The two-mode mixture: its flow against a fine solver, its score, and what only a score that is not linear shows."""

import pytest
import torch
from torch import Tensor

from ams.schedules import Level, karras_sigmas, ve_levels
from samplercheck import Draws, Network
from samplercheck.nonlinear import TwoModes, distribution, transport
from tests.ams.tools import assert_equal
from tests.samplercheck.faulty import fault_of, faulty
from tests.samplercheck.references import REFERENCES, Reference, rectified, rectified_heun, unipc

TARGET = TwoModes(1.0)
P = torch.tensor([0.02, 0.3, 0.41, 0.77, 0.99], dtype=torch.float64)
ACROSS = torch.tensor([-1.0, 0.5, 0.0, 2.0, -0.3], dtype=torch.float64)


def test_the_flow_is_that_of_a_fine_solver() -> None:
    """UniPC of order 4 with 1000 steps from noise 20 to noise 0.3."""
    levels = ve_levels([*karras_sigmas(20.0, 0.3, 1000), 0.0])
    net = TARGET.network()
    unipc(3)(net, TARGET.flow(levels[0], P, ACROSS).reshape(-1, 1, 1, 2), levels, Draws())
    assert_equal(net.calls[-1].x, TARGET.flow(levels[-2], P, ACROSS), 1e-8, 1e-8)


def test_quantiles_invert_the_distribution_function() -> None:
    level = Level(0, sigma=0.4, scale=0.7)
    assert_equal(TARGET.cdf(level, TARGET.quantile(level, P)), P, 1e-12)
    means, std = TARGET.along(level)
    normal = torch.distributions.Normal(means, std)
    assert TARGET.cdf(level, torch.tensor(0.3)).item() == pytest.approx(
        float((TARGET.weights * normal.cdf(torch.tensor(0.3, dtype=torch.float64))).sum()), rel=1e-6
    )


@pytest.mark.parametrize(("name", "order"), [("rectified Euler", 1), ("rectified Heun", 2), ("exponential AB3, x0", 3)])
def test_orders_on_the_mixture(name: str, order: int) -> None:
    found = transport(REFERENCES[name].sampler(name))
    assert found.order is not None and found.order.value == pytest.approx(order, abs=0.3)


def test_a_sampler_that_is_right_on_every_gaussian_may_be_wrong_here() -> None:
    """The velocity of two rows' mean: no Gaussian shows an error of third order in the state, the mixture does."""

    def bent(network: Network, x: Tensor, levels: list[Level], draws: Draws) -> Tensor:
        def elementwise(predict: str, x: Tensor, level: Level) -> Tensor:
            value = network(predict, x, level)
            return value + 0.3 * (value - value.clamp(-0.2, 0.2))

        return rectified_heun(elementwise, x, levels, draws)

    assert transport(Reference(bent, rectified, 2).sampler("bent")).errors[-1] > 0.05


def test_a_law_is_seen_to_be_wrong_by_its_noise() -> None:
    right = distribution(REFERENCES["DDIM, eta 0.6"].sampler("DDIM"))
    assert right.distance < right.bound < 0.06
    wrong = distribution(faulty(fault_of("reverse SDE", "Langevin's factor of 2 in the noise")))
    assert wrong.distance > wrong.bound
