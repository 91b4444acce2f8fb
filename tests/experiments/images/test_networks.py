"""Networks of MNIST and score_sde's layout: the published formulations, what is refused, and the
denoising loss.
"""

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from ams.data import Images
from ams.errors import UserError
from ams.rk45 import vp_level
from ams.schedules import VP, Level, process_levels
from ams_suite.__main__ import main
from experiments.images import loss
from experiments.images.loss import denoising_losses, gaussian, levels_at, midpoints
from experiments.images.networks import loading
from experiments.images.networks.ddpm import ddpm, ratios
from experiments.images.networks.score_adapter import NetworkScore
from experiments.images.networks.unet_ve import T_END, ExponentialVE, mnist_ve
from tests.ams.tools import found_or_skipped
from tests.experiments.images.made import (
    Tensors,
    ddpm_tensors,
    file_of,
    names_of,
    saved,
    seen,
    ve_tensors,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("weights")


@pytest.fixture(scope="module")
def ve(folder: Path) -> NetworkScore:
    return mnist_ve(file_of(folder, ve_tensors(), "ve.pt"))


@pytest.fixture(scope="module")
def denoising(folder: Path) -> NetworkScore:
    return ddpm(file_of(folder, ddpm_tensors(), "ddpm.pt"))


def images(count: int = 3, seed: int = 1) -> Tensor:
    return torch.rand(count, 28, 28, generator=torch.Generator().manual_seed(seed))


INK = torch.linspace(0, 1, 28 * 28).reshape(1, 28, 28)
VE_OUTPUTS = {
    1.0: (0.50068, 2.54344, -0.05109, 2.07371),
    0.3: (0.78198, 2.11401, -0.65278, -0.02525),
    T_END: (1.67453, 3.17903, -0.35807, 2.32021),
}
"""By time, what the tutorial's network gives for `INK + sigma`: the score times the noise level."""
DDPM_OUTPUTS = {
    0: (1.60351, 4.07136, -0.32831, 5.59866),
    17: (1.53949, 4.19333, 0.3148, 5.2435),
    999: (1.52884, 4.02898, 0.17524, 4.81989),
}
"""By step, the noise that the DDPM tutorial's network gives for `2 INK - 1`."""


@pytest.mark.parametrize("t", VE_OUTPUTS)
def test_the_ve_network_is_the_published_one(ve: NetworkScore, t: float) -> None:
    """Its time is the noise level's, to float32."""
    assert names_of(ve_tensors()) == 2244188601
    sigma = ExponentialVE().marginal(t)[1]
    found = seen(sigma * ve.score(INK + sigma, Level(0, sigma=sigma)))
    assert found == pytest.approx(VE_OUTPUTS[t], abs=2e-3)


@pytest.mark.parametrize("k", DDPM_OUTPUTS)
def test_the_ddpm_network_is_the_published_one(denoising: NetworkScore, k: int) -> None:
    """Its noise of `u = r u_0 + sigma z`, pixels in [-1, 1]; asked for the score of the same state
    in pixels of [0, 1], scale 1: its noise is `sigma / (2 r)`.
    """
    assert names_of(ddpm_tensors()) == 2056638676
    ratio = ratios()[k]
    y = ((2 * INK - 1) * math.hypot(1, ratio) + 1) / 2
    found = seen(-ratio / 2 * denoising.score(y, Level(0, sigma=ratio / 2)))
    assert found == pytest.approx(DDPM_OUTPUTS[k], abs=2e-3)


@pytest.mark.parametrize("name", ["ve", "denoising"])
def test_a_vp_score_is_the_ve_score_of_the_rescaled_state(
    name: str, request: pytest.FixtureRequest
) -> None:
    """With y = x / r, v = sigma / r: r s_vp(x) = s_ve(y), for every process and both kinds of
    network.
    """
    network: NetworkScore = request.getfixturevalue(name)
    for level in (vp_level(0.7), process_levels(VP(), 7, 1e-2)[3]):
        x = level.scale * images() + level.sigma * gaussian(1, (3, 28, 28))
        v = level.sigma / level.scale
        at = network.score(x / level.scale, Level(0, sigma=v))
        torch.testing.assert_close(level.scale * network.score(x, level), at, rtol=1e-4, atol=1e-5)


def test_scores_do_not_depend_on_the_split(ve: NetworkScore) -> None:
    """In blocks of sixteen; a batch and its halves agree to float32's rounding."""
    x, level = 3 * images(24), Level(0, sigma=1.0)
    parts = torch.cat([ve.score(part, level) for part in x.split([5, 19])])
    torch.testing.assert_close(ve.score(x, level), parts, rtol=1e-5, atol=1e-5)


def test_states_of_any_type_are_asked_about_and_nothing_else(ve: NetworkScore) -> None:
    x = images().double()
    assert ve.score(x, Level(0, sigma=1.0)).dtype is torch.float64
    with pytest.raises(ValueError, match=r"trained at sigma/scale 0\.0031\d* to 9\.8\d*, not 12"):
        ve.score(x, Level(3, sigma=12.0))
    with pytest.raises(ValueError, match=r"\(batch, 28, 28\)"):
        ve.score(x[:, :5], Level(3, sigma=1.0))


def test_time_and_noise_are_inverse() -> None:
    process = ExponentialVE()
    for t in (T_END, 0.1, 1.0):
        assert process.time(process.marginal(t)[1]) == pytest.approx(t, rel=1e-12)
    slope = (process.marginal(0.5 + 1e-6)[1] ** 2 - process.marginal(0.5 - 1e-6)[1] ** 2) / 2e-6
    assert process.diffusion2(0.5) == pytest.approx(slope, rel=1e-6)


def without(name: str) -> Callable[[Tensors], Tensors]:
    return lambda held: {key: tensor for key, tensor in held.items() if not key.endswith(name)}


def replaced(name: str, tensor: Tensor) -> Callable[[Tensors], Tensors]:
    return lambda held: {key: tensor if key.endswith(name) else old for key, old in held.items()}


BROKEN: dict[str, tuple[Callable[[Tensors], Tensors], str]] = {
    "one is missing": (without("gnorm3.bias"), "missing tensors gnorm3.bias"),
    "one too many": (lambda held: held | {"module.conv9.weight": torch.ones(1)}, "unknown tensors"),
    "another shape": (replaced("conv2.weight", torch.ones(64, 32, 5, 5)), "expected torch.float32"),
    "not finite": (replaced("dense1.dense.bias", torch.full((32,), math.nan)), "not finite"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_does_not_fit_is_refused(case: str, tmp_path: Path) -> None:
    breaking, message = BROKEN[case]
    with pytest.raises(UserError, match=message) as refusal:
        mnist_ve(file_of(tmp_path, breaking(ve_tensors())))
    assert "\n" not in str(refusal.value) and str(tmp_path) in str(refusal.value)


def test_truncated_and_missing_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    path.write_bytes(saved(ve_tensors())[:-1])
    with pytest.raises(UserError, match="not a file of weights"):
        mnist_ve(str(path))
    with pytest.raises(UserError, match="neither a registered file"):
        mnist_ve(str(tmp_path / "nowhere.pt"))


def test_no_more_is_read_than_weights_may_have(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(loading, "LARGEST", 2**20)
    with pytest.raises(UserError, match="a device: name a regular file"):
        mnist_ve("/dev/zero")
    (tmp_path / "committed").write_bytes(bytes(2**20 + 1))
    with pytest.raises(UserError, match="more than the 1 MiB"):
        loading.stored(tmp_path / "committed", "")


def test_a_registered_name_is_kept_for_the_registered_file(tmp_path: Path) -> None:
    """Weights that fit, but are others: a changed file under the published name is not used."""
    with pytest.raises(UserError, match="changed or cut short"):
        mnist_ve(file_of(tmp_path, ve_tensors(), "cocoritzy_ckpt_res.pth"))


@pytest.mark.parametrize("name", ["mnist-ve", "mnist-ddpm", "fashion-ddpm"])
def test_the_published_files_load(name: str) -> None:
    """And know noise of 1 in ink on paper better than the image's own mean does: a rectangle, 4
    pixels wide.
    """
    network = found_or_skipped(mnist_ve) if name == "mnist-ve" else found_or_skipped(ddpm, name)
    x = torch.zeros(8, 28, 28)
    x[:, 6:22, 12:16] = 1.0
    z, level = gaussian(0, (8, 28, 28)), Level(0, sigma=1.0)
    assert denoising_losses(network.score, x, z, level).mean() < 784 / 8


def test_the_ve_networks_loss_is_the_documented_one() -> None:
    """About 24 on MNIST's test images, 784 without skill; one seed, the mean of 100 images has a
    deviation of 0.5.
    """
    network = found_or_skipped(mnist_ve)
    x = found_or_skipped(loss.load, "mnist-test").x[:100]
    z = gaussian(2405, (100, 28, 28))
    losses = [denoising_losses(network.score, x, z, level) for level in levels_at(midpoints(20))]
    assert torch.stack(losses).mean().item() == pytest.approx(24.0, abs=3.0)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> torch.Tensor:
    """Twenty images in place of MNIST's."""
    x = torch.rand(20, 28, 28, generator=torch.Generator().manual_seed(5))
    monkeypatch.setattr(loss, "load", lambda name: Images(x, torch.zeros(20, dtype=torch.int64)))
    return x


def test_json_is_the_definition(
    few: torch.Tensor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`sum (sigma score + z)^2`, the same noise at each time."""
    weights = file_of(tmp_path, ve_tensors())
    network = mnist_ve(weights)
    assert (
        main(
            ["denoising-loss", weights, "--t", "0.1,0.9", "--images", "7", "--seed", "3", "--json"]
        )
        == 0
    )
    printed = json.loads(capsys.readouterr().out)
    z = np.random.default_rng(3).standard_normal((7, 784)).astype(np.float32)
    z = torch.from_numpy(z).reshape(7, 28, 28)
    assert set(printed) == {"t", "loss"} and printed["t"] == [0.1, 0.9]
    for t, found in zip(printed["t"], printed["loss"], strict=True):
        sigma = math.sqrt((25 ** (2 * t) - 1) / 2 / math.log(25))
        error = sigma * network.score(few[:7] + sigma * z, Level(0, sigma=sigma)) + z
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
def test_bad_options_are_one_line(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["denoising-loss", "mnist-ve", *options]) == 2
    captured = capsys.readouterr()
    assert message in captured.err and captured.err.count("\n") == 1 and not captured.out
