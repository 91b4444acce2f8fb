"""Discrete diffusion as an exact chain: right steps of order 1, an exact one, and wrong ones."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from samplercheck.discrete import Step, chain
from tests.docs.test_recipes import blocks

DATA = torch.rand(729, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) ** 4
DATA /= DATA.sum()


def uniform(predicted: Tensor, x: Tensor, t: float, s: float) -> Tensor:
    """Return D3PM's step from uniform noise: p(x_s | x_t) is the sum over x_0 of p(x_s | x_t, x_0) predicted(x_0)."""
    between = one_hot(x, 3) * (1 - t) / (1 - s) + (t - s) / (1 - s) / 3
    joint = between[:, :, None] * ((1 - s) * torch.eye(3, dtype=torch.float64) + s / 3)
    return (predicted[..., None] * joint / joint.sum(-1, keepdim=True)).sum(2)


def unmasking(rate) -> Step:  # type: ignore[no-untyped-def]
    """Return the step that unmasks a masked site with the probability `rate(x, t, s)`."""

    def step(predicted: Tensor, x: Tensor, t: float, s: float) -> Tensor:
        share = (rate(x, t, s) * (x == 3).double())[..., None]
        return share * torch.cat([predicted, torch.zeros(*x.shape, 1)], -1) + (1 - share) * one_hot(x, 4)

    return step


def test_right_steps_have_order_1_and_one_site_at_a_time_is_exact() -> None:
    space: dict[str, Step] = {}
    exec(blocks("../test_your_sampler.md")[0]["my_unmasking.py"], space)  # type: ignore[arg-type]
    for step, absorbing in ((space["step"], True), (uniform, False)):
        order = chain(step, absorbing, DATA).order
        assert order is not None and order.low <= 1.15 and order.high >= 0.9
    leftmost = unmasking(lambda x, t, s: (x == 3).cumsum(1) == 1)
    assert chain(leftmost, True, DATA, (6, 8)).distance == pytest.approx({6: 0.0, 8: 0.0}, abs=1e-12)


@pytest.mark.parametrize("rate", [lambda x, t, s: t - s, lambda x, t, s: 1.0], ids=["t - s", "all at once"])
def test_a_wrong_unmasking_probability_stays_wrong(rate) -> None:  # type: ignore[no-untyped-def]
    """Unmasking with t - s leaves masks; all sites from one output, stated as exact, lack their correlations."""
    assert min(chain(unmasking(rate), True, DATA, (4, 16)).distance.values()) > 0.1


def test_numbers_that_are_no_probabilities_are_refused() -> None:
    with pytest.raises(ValueError, match="are 0 or more and add up to 1"):
        chain(lambda predicted, x, t, s: 2 * predicted, False, DATA)
