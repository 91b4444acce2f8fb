"""The colour networks: what they learn, at which noise, from where; an interrupted run ends in the same bytes."""

import math

import pytest
import torch

from ams.data import Images
from experiments.denoising import denoising_loss, log_normal, log_uniform
from experiments.images import colour_task
from experiments.images.colour_task import DEVIATION, MEAN, ColourTask
from experiments.images.networks.colour import KINDS, SMALLEST, SPREAD, denoiser, score_of
from experiments.images.tasks import PLANS, task
from tests.ams.tools import found_or_skipped


@pytest.fixture
def made(monkeypatch):
    """Replace the images by 150 of independent Gaussian pixels with the stated mean and deviation."""

    def images(name):
        side = 16 if name.endswith("-16") else 32
        x = 0.474 + 0.25 * torch.randn(150, side, side, 3, generator=torch.Generator().manual_seed(1))
        return Images(x, torch.zeros(150, dtype=torch.long))

    monkeypatch.setattr(colour_task, "images", images)
    monkeypatch.setattr(colour_task, "HELD_OUT", 50)


@pytest.mark.parametrize("name", KINDS)
def test_a_network_begins_at_the_answer_for_gaussian_pixels(made, name):
    """F = 0 at first: the loss of independent pixels of the stated spread is 1, and no network does better."""
    what = task(name)
    assert isinstance(what, ColourTask) and name in PLANS
    few = what.split.held_out[: 13_312 // KINDS[name].side ** 2]
    loss = what._loss(what.network(), few, torch.Generator().manual_seed(0), torch.device("cpu"))
    assert float(loss.detach()) == pytest.approx(1.0, abs=0.05)  # 38,400 numbers or more: 7 standard errors


def test_the_parts_are_disjoint_and_fixed(made):
    one, other = task("cifar16-score").split, task("cifar16-score").split
    assert (len(one.held_out), len(one.train)) == (50, 100)
    assert torch.equal(one.train, other.train)
    assert float(torch.cdist(one.train.flatten(1), one.held_out.flatten(1)).min()) > 0


def test_noise_levels_are_those_stated():
    """10,000 draws; the bounds are five standard errors (false alarm 1e-6)."""
    generator = torch.Generator().manual_seed(1)
    v = log_normal(10_000, MEAN, DEVIATION, SMALLEST, 25.0, generator).log()
    assert float(v.median()) == pytest.approx(-1.2 - math.log(2), abs=5 * 1.2 * 1.25 / 100)
    uniform = log_uniform(10_000, 0.01, 10.0, generator).log()
    assert float(uniform.mean()) == pytest.approx(math.log(0.1) / 2, abs=5 * math.log(1000) / 12**0.5 / 100)
    assert v.min() >= math.log(SMALLEST) - 1e-6 and uniform.max() <= math.log(10) + 1e-6


def test_the_loss_weighs_what_the_network_itself_predicts():
    """Of the prediction 0 the loss is `(1 + v^2/s^2) |z|^2/d`: with its expectation 1 + v^2/s^2."""
    x, v = torch.zeros(4000, 3, 4, 4), torch.full((4000,), 0.5)
    loss = denoising_loss(_Nothing(), x, v, 0.25, torch.Generator().manual_seed(0), torch.device("cpu"))
    assert float(loss) == pytest.approx(5.0, rel=5 * (2 / x.numel()) ** 0.5)


class _Nothing(torch.nn.Module):
    def forward(self, y, v):
        return torch.zeros_like(y)


@pytest.mark.parametrize("name", KINDS)
def test_a_score_is_asked_at_one_noise_level_for_all(name):
    kind = KINDS[name]
    network = denoiser(kind)
    torch.nn.init.normal_(network.network.last.weight, std=0.1)
    y = torch.randn(2, 3, kind.side, kind.side)
    one = score_of(network, kind).noise(y, 0.3)
    torch.testing.assert_close(one, network(y, torch.full((2,), 0.3)), rtol=1e-4, atol=1e-5)


def test_the_stated_mean_and_spread_are_those_of_the_images():
    x = found_or_skipped(colour_task.images, "cifar10-train-16").x
    assert float(x.mean()) == pytest.approx(0.474, abs=1e-3) and float(x.std()) == pytest.approx(SPREAD, abs=0.01)
