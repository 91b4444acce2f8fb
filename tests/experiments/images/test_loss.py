"""The command `denoising-loss`: its options, its numbers against the definition written out, what is refused."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from ams.data import Images
from ams_suite.__main__ import main
from experiments.images import loss
from tests.experiments.images.made import file_of, ve_tensors
from tests.experiments.images.test_networks import published_ve


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> torch.Tensor:
    """Twenty images in place of MNIST's."""
    x = torch.rand(20, 28, 28, generator=torch.Generator().manual_seed(5))
    monkeypatch.setattr(loss, "load", lambda name: Images(x, torch.zeros(20, dtype=torch.int64)))
    return x


def test_json_is_the_definition(few: torch.Tensor, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`sum (std score + z)^2` by the published network, the same noise at each time."""
    weights = file_of(tmp_path, ve_tensors())
    assert main(["denoising-loss", weights, "--t", "0.1,0.9", "--images", "7", "--seed", "3", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    z = np.random.default_rng(3).standard_normal((7, 784)).astype(np.float32)
    z = torch.from_numpy(z).reshape(7, 28, 28)
    assert set(printed) == {"t", "loss"} and printed["t"] == [0.1, 0.9]
    for t, found in zip(printed["t"], printed["loss"], strict=True):
        std = math.sqrt((25 ** (2 * t) - 1) / 2 / math.log(25))
        error = std * published_ve(ve_tensors(), few[:7] + std * z, t) + z
        assert found == pytest.approx(error.double().square().sum().item() / 7, rel=1e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--t", "0.1;0.2"], "numbers with commas"),
        (["--t", "0.1,nan"], "not nan"),
        (["--t", "1.5"], "not 1.5"),
        (["--images", "0"], "--images 0"),
        (["--images", "10001"], "10001"),
        (["--seed", "-1"], "--seed -1"),
    ],
)
def test_bad_options_are_one_line(options: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["denoising-loss", "mnist-ve", *options]) == 2
    captured = capsys.readouterr()
    assert message in captured.err and captured.err.count("\n") == 1 and not captured.out
