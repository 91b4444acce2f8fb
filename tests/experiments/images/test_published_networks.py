"""NCSN, NCSNv2 and score_sde's DDPM by their published names: outputs of the published code, strict loading."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from ams.errors import UserError
from ams.schedules import Level
from experiments.images.networks.ddpm import ratios
from experiments.images.networks.ncsnpp_architectures import Architecture
from experiments.images.networks.pretrained_cifar import checkpoint as loaded
from experiments.images.networks.refinenet import RefineNet
from tests.experiments.images.made import ddpm_of_score_sde, refinenet_tensors, saved, stored
from tests.experiments.images.original import checkpoint, made

KINDS = {
    "NCSN": ("1 2 3 4", 10, (-0.20451, 0.86121, -0.46414, 0.73913)),
    "NCSNv2": ("1 2 3 4", 0, (0.18493, 0.9454, 0.12538, 0.49519)),
    "NCSNv2, deeper": ("1 2 3 4 5", 0, (-0.32051, 1.13579, -0.26159, 0.27446)),
    "NCSNv2, deepest": ("1 2 3 31 4 5", 0, (-0.12088, 1.09842, -0.13421, 0.53155)),
}
"""Stages, noise levels, and what the authors' code (ermongroup/ncsn at 7f27f4a, ermongroup/ncsnv2 at 1bcea03) gives for
`x` at label 3, before any division by sigma: the mean, the deviation and two pixels."""
DDPM = (-0.23524, 0.37724, 0.41923, -0.65754)
"""The same of yang-song/score_sde_pytorch at cb1f359, models/ddpm.py, at step 40 for `2 x - 1`."""
x = torch.linspace(0, 1, 3 * 16 * 16).reshape(1, 3, 16, 16)


def seen(y: torch.Tensor) -> list[float]:
    return [float(y.mean()), float(y.std()), float(y[0, 0, 0, 0]), float(y[0, 2, 9, 5])]


def tensors_of(kind: str) -> dict[str, torch.Tensor]:
    stages, levels, _ = KINDS[kind]
    return refinenet_tensors(tuple(stages.split()), levels)


def ncsnv2_states(tensors: dict[str, torch.Tensor], sigmas: torch.Tensor) -> list[object]:
    """The five parts of a file of NCSNv2: the averages, last, are the tensors; the weights themselves are zeros."""
    weights = {f"module.{name}": torch.zeros_like(tensor) for name, tensor in tensors.items()}
    return [weights | {"module.sigmas": sigmas}, {"state": {}}, 3, 100, tensors]


@pytest.mark.parametrize("kind", KINDS)
def test_outputs_are_those_of_the_published_code(kind: str) -> None:
    network = RefineNet(tensors_of(kind))
    assert seen(network(x, 3)) == pytest.approx(KINDS[kind][2], abs=1e-4)
    assert network.used == tensors_of(kind).keys()


def test_ncsnv2_runs_by_its_averages_at_any_noise_level(tmp_path: Path) -> None:
    tensors, sigmas = tensors_of("NCSNv2"), torch.logspace(math.log10(50), -2, 232)
    score = loaded(*stored(tmp_path, saved(ncsnv2_states(tensors, sigmas))), side=16)
    assert (score.smallest, score.largest) == pytest.approx((0.01, 50), rel=1e-6) and score.shape == (3, 16, 16)
    for sigma in (0.02, 7.0):
        assert seen(sigma * score.score(x, Level(0, sigma=sigma))) == pytest.approx(KINDS["NCSNv2"][2], abs=1e-4)


def test_ncsn_is_asked_at_its_nearest_level(tmp_path: Path) -> None:
    tensors = tensors_of("NCSN")
    score = loaded(*stored(tmp_path, saved([{f"module.{name}": one for name, one in tensors.items()}, {}])), side=16)
    level_3 = 0.01 ** (3 / 9)
    for sigma in (level_3, 1.2 * level_3, level_3 / 1.2):
        assert seen(score.score(x, Level(0, sigma=sigma))) == pytest.approx(KINDS["NCSN"][2], abs=1e-4)
    assert seen(score.score(x, Level(0, sigma=1.4 * level_3))) != pytest.approx(KINDS["NCSN"][2], abs=1e-2)


def test_score_sdes_ddpm_is_the_published_code_and_asked_at_its_steps(tmp_path: Path) -> None:
    score = loaded(*stored(tmp_path, checkpoint(ddpm_of_score_sde())), side=16, trained="VP steps")
    v = ratios()[40] / 2
    r = 1 / math.hypot(1, 2 * v)
    y = (2 * x - 1 + r) / (2 * r)  # so that the network sees 2 x - 1
    assert seen(-v * score.score(y, Level(0, sigma=v))) == pytest.approx(DDPM, abs=1e-4)


def test_a_network_of_noise_levels_is_asked_by_the_number_of_the_nearest(tmp_path: Path) -> None:
    """score_sde's NCSN++ without Fourier features: the same weights, asked at a number in place of a time."""
    sizes = Architecture(16, (1, 2), 1, "carried", output_pyramid=False, fourier=False, width=8, attended=(8,))
    named, original = made(sizes, fir=True)
    score = loaded(*stored(tmp_path, checkpoint(named)), side=16, trained="VE levels")
    sigmas = np.geomspace(50, 0.01, 30)
    for number in (0, 7, 29):
        sigma = min(sigmas[number] * (1.1 if number else 1.0), 50.0)
        expected = original(2 * x - 1, torch.full((1,), float(number))) / sigma
        torch.testing.assert_close(score.score(x, Level(0, sigma=sigma)), expected, rtol=1e-4, atol=1e-4 / sigma)


DAMAGES = {
    "missing": lambda one: {name: tensor for name, tensor in one.items() if "normalize2" not in name},
    "unknown": lambda one: one | {"res9.weight": torch.zeros(2)},
    "another shape": lambda one: one | {"begin_conv.weight": torch.zeros(5, 3, 3, 3)},
    "infinite": lambda one: one | {"begin_conv.bias": torch.full((4,), math.inf)},
    "no tensors": lambda one: {"step": 3},
}


@pytest.mark.parametrize("how", DAMAGES)
def test_other_contents_are_refused_in_one_line(tmp_path: Path, how: str) -> None:
    with pytest.raises(UserError) as caught:
        loaded(*stored(tmp_path, saved([DAMAGES[how](tensors_of("NCSNv2")), {}])), side=16)
    assert "\n" not in str(caught.value) and "checkpoint.pth" in str(caught.value)
