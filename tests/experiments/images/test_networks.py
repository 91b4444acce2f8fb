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
from torch.nn.functional import conv2d, conv_transpose2d, group_norm, layer_norm, linear, silu

from ams.data import Images, images as load_images, load_weights
from ams.errors import UserError
from ams.rk45 import vp_level
from ams.samplers import (
    Particles,
    State,
    affine,
    authors_euler_maruyama,
    langevin,
    last,
    predictor_corrector,
    run,
    snr_of_score,
)
from ams.samplers.noise_sources import generated
from ams.samplers.presets import AUTHORS
from ams.schedules import VP, Level, process_levels
from ams.statistics import CONFIDENCE, mean_interval
from ams_suite.__main__ import main
from experiments.images import loss
from experiments.images.loss import denoising_losses, gaussian, levels_at, midpoints
from experiments.images.networks import loading, ncsnpp
from experiments.images.networks.ddpm import ddpm, ratios
from experiments.images.networks.ncsnpp_architectures import ARCHITECTURES
from experiments.images.networks.score_adapter import NetworkScore
from experiments.images.networks.unet_ve import T_END, ExponentialVE, mnist_ve
from experiments.images.pretrained.inputs import blank, noise_level
from experiments.images.runs import generator
from tests.ams.tools import found_or_skipped
from tests.experiments.images.made import Tensors, ddpm_tensors, file_of, saved, ve_tensors
from tests.experiments.images.original import checkpoint, made


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


def published_ve(p: Tensors, x: Tensor, t: float) -> Tensor:
    """The tutorial's network as it is published, by its own names: the score, divided by std(t)."""
    p = {name.removeprefix("module."): tensor for name, tensor in p.items()}
    angles = t * p["time_embed.0.W"] * 2 * math.pi
    e = torch.cat([angles.sin(), angles.cos()])
    e = silu(linear(e, p["time_embed.1.weight"], p["time_embed.1.bias"]))

    def finished(h: Tensor, dense: str, norm: str, groups: int) -> Tensor:
        h = h + linear(e, p[f"{dense}.dense.weight"], p[f"{dense}.dense.bias"])[None, :, None, None]
        return silu(group_norm(h, groups, p[f"{norm}.weight"], p[f"{norm}.bias"]))

    h, skips = x[:, None], []
    for i in (1, 2, 3, 4):
        h = conv2d(h, p[f"conv{i}.weight"], stride=1 if i == 1 else 2)
        h = finished(h, f"dense{i}", f"gnorm{i}", 4 if i == 1 else 32)
        skips.append(h)
    for i, extra in ((4, 0), (3, 1), (2, 1)):
        h = conv_transpose2d(h, p[f"tconv{i}.weight"], stride=2, output_padding=extra)
        h = finished(h, f"dense{9 - i}", f"tgnorm{i}", 32) + skips[i - 2]
    std = math.sqrt((25 ** (2 * t) - 1) / 2 / math.log(25))
    return conv_transpose2d(h, p["tconv1.weight"], p["tconv1.bias"])[:, 0] / std


def published_ddpm(p: Tensors, u: Tensor, k: int) -> Tensor:
    """The DDPM tutorial's network as it is published, by its own names: the noise at step k."""
    p = {name.removeprefix("network."): tensor for name, tensor in p.items()}
    e = p["time_embed.weight"][k][None]

    def conv(name: str, h: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
        operation = conv_transpose2d if name.startswith("up") else conv2d
        return operation(h, p[f"{name}.weight"], p[f"{name}.bias"], stride, padding)

    def stage(number: str, h: Tensor) -> Tensor:
        added = linear(e, p[f"te{number}.0.weight"], p[f"te{number}.0.bias"])
        added = linear(silu(added), p[f"te{number}.2.weight"], p[f"te{number}.2.bias"])
        h = h + added.reshape(1, -1, 1, 1)
        for block in range(3):
            name = f"b{number}.{block}"
            if (number, block) != ("_out", 2):
                h = layer_norm(h, h.shape[1:], p[f"{name}.ln.weight"], p[f"{name}.ln.bias"])
            h = silu(conv(f"{name}.conv2", silu(conv(f"{name}.conv1", h, padding=1)), padding=1))
        return h

    h1 = stage("1", u[:, None])
    h2 = stage("2", conv("down1", h1, 2, 1))
    h3 = stage("3", conv("down2", h2, 2, 1))
    h = stage("_mid", conv("down3.2", silu(conv("down3.0", h3)), 2, 1))
    h = stage("4", torch.cat([h3, conv("up1.2", silu(conv("up1.0", h, 2, 1)))], 1))
    h = stage("5", torch.cat([h2, conv("up2", h, 2, 1)], 1))
    h = stage("_out", torch.cat([h1, conv("up3", h, 2, 1)], 1))
    return conv("conv_out", h, padding=1)[:, 0]


@pytest.mark.parametrize("t", [1.0, 0.3, T_END])
def test_the_ve_network_is_the_published_one(ve: NetworkScore, t: float) -> None:
    sigma = ExponentialVE().marginal(t)[1]
    x = images() + sigma
    expected = published_ve(ve_tensors(), x, t)
    score = ve.score(x, Level(0, sigma=sigma))
    assert (
        score - expected
    ).abs().max() < 2e-3 * expected.abs().max()  # the time is the noise's, to float32


@pytest.mark.parametrize("k", [0, 17, 999])
def test_the_ddpm_network_is_the_published_one(denoising: NetworkScore, k: int) -> None:
    """Its noise of `u_k = r u_0 + sigma z`, pixels in [-1, 1]; the score of `x = u_k` in [0, 1]
    pixels' own VP.
    """
    ratio = ratios()[k]
    r, sigma = 1 / math.hypot(1, ratio), ratio / math.hypot(1, ratio)
    u = r * (2 * images() - 1) + sigma * gaussian(0, (3, 28, 28))
    expected = published_ddpm(ddpm_tensors(), u, k)
    y = (u / r + 1) / 2  # the same state in pixels of [0, 1], scale 1: noise sigma / (2 r)
    level = Level(0, sigma=ratio / 2)
    torch.testing.assert_close(
        -level.sigma * denoising.score(y, level), expected, rtol=1e-3, atol=1e-3
    )


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


@pytest.mark.slow
@pytest.mark.parametrize(("steps", "least", "largest"), [(50, 0.1, 1.0), (500, 0.0, 0.05)])
def test_the_tutorials_sampler_needs_many_steps(steps: int, least: float, largest: float) -> None:
    """As arXiv 2011.13456's tutorial says of it: samples are noisy after 50 steps, clean after 500;
    one seed.

    At each level Langevin's corrector at the authors' snr, then Euler-Maruyama of the reverse SDE.
    The noise is that on pixels that are blank in every image, a standard deviation in pixel units.
    """
    network, process = found_or_skipped(mnist_ve), ExponentialVE()
    levels = process_levels(process, steps, 1e-3)
    predictor = affine(authors_euler_maruyama(process, steps))
    program = predictor_corrector(predictor, langevin(snr_of_score(AUTHORS.snr)), levels)
    draws, algebra = generator(2405, 3), Particles()
    start = State(levels[0].sigma * torch.randn((4, 28, 28), generator=draws))
    _, info = last(
        run(program, start, network.score, generated(draws, algebra.empty_like), algebra)
    )
    pixels = blank(found_or_skipped(loss.load, "mnist-test").x)
    noise = [noise_level(x[None], pixels) for x in info.mean()]
    assert least <= sum(noise) / len(noise) <= largest


def noise_seen(network: NetworkScore, x: Tensor, level: Level) -> Tensor:
    """Return the noise that a network sees in noisy images, in units of the noise level."""
    return -level.sigma * network.score(x, level)


def test_a_ddpm_network_asked_as_a_ve_score_predicts_the_same_noise() -> None:
    """Means over 30 test images of MNIST at 6 times; intervals at 1 % over images, noise is fixed.

    A DDPM network of MNIST has less than a tenth of the loss without a score (784), and its noise
    differs by under a twentieth from the VE network's. A network of Fashion-MNIST errs and differs
    by more.
    """
    ours, other = (found_or_skipped(ddpm, name) for name in ("mnist-ddpm", "fashion-ddpm"))
    theirs = found_or_skipped(mnist_ve)
    x = found_or_skipped(load_images, "mnist-test").x[:30]
    z = gaussian(78, tuple(x.shape))
    levels = levels_at(midpoints(6))

    def losses(network: NetworkScore) -> np.ndarray:
        of_each = [denoising_losses(network.score, x, z, level) for level in levels]
        return torch.stack(of_each).mean(0).numpy()

    def apart(network: NetworkScore) -> np.ndarray:
        total = torch.zeros(len(x), dtype=torch.float64)
        for level in levels:
            noisy = x + level.sigma * z
            noise = noise_seen(network, noisy, level) - noise_seen(theirs, noisy, level)
            total += noise.double().square().flatten(1).mean(1)
        return (total / len(levels)).numpy()

    of_mnist, of_fashion = losses(ours), losses(other)
    assert mean_interval(of_mnist, CONFIDENCE).high < 78.4
    assert mean_interval(of_fashion - of_mnist, CONFIDENCE).low > 0
    near, far = apart(ours), apart(other)
    assert mean_interval(near, CONFIDENCE).high < 0.05
    assert mean_interval(far - near, CONFIDENCE).low > 0


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> torch.Tensor:
    """Twenty images in place of MNIST's."""
    x = torch.rand(20, 28, 28, generator=torch.Generator().manual_seed(5))
    monkeypatch.setattr(loss, "load", lambda name: Images(x, torch.zeros(20, dtype=torch.int64)))
    return x


def test_json_is_the_definition(
    few: torch.Tensor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`sum (std score + z)^2` by the published network, the same noise at each time."""
    weights = file_of(tmp_path, ve_tensors())
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
def test_bad_options_are_one_line(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["denoising-loss", "mnist-ve", *options]) == 2
    captured = capsys.readouterr()
    assert message in captured.err and captured.err.count("\n") == 1 and not captured.out


@pytest.mark.parametrize("name", ARCHITECTURES)
@torch.no_grad()
def test_a_made_checkpoint_of_published_layout_is_converted(name: str) -> None:
    """A file with every key of the published layout, narrow: its averaged weights, strictly loaded,
    give score_sde's own output.
    """
    sizes = ARCHITECTURES[name]._replace(width=8)
    named, forward = made(sizes)
    network = ncsnpp.network(
        ncsnpp.averaged(load_weights(checkpoint(named), "w.pth"), "w.pth"), "w.pth"
    )
    side = 2 ** (len(sizes.multiples) - 1) if sizes.side > 64 else sizes.side
    x, time = (
        torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(1)),
        torch.tensor(2.0),
    )
    scale = 2.0 if sizes.fourier else 1.0
    forward.sizes = sizes._replace(attended=tuple(at * side // sizes.side for at in sizes.attended))
    torch.testing.assert_close(
        network(x, time), scale * forward(x, time[None]), rtol=1e-4, atol=2e-4
    )
