"""Networks of public checkpoints, in small: the authors' outputs, their formats converted, strict
loading.
"""

import hashlib
import io
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from ams.errors import DataUnavailable, UserError
from ams.schedules import VP, Level
from experiments.images.networks import ncsnpp, pretrained_cifar
from experiments.images.networks.ddpm import ratios
from experiments.images.networks.ncsnpp_architectures import Architecture
from experiments.images.networks.pretrained_cifar import checkpoint as loaded
from experiments.images.networks.refinenet import RefineNet
from tests.experiments.images.made import (
    ddpm_of_score_sde,
    library_model,
    refinenet_tensors,
    saved,
    stored,
)
from tests.experiments.images.original import KINDS, checkpoint, made


def of_kind(name):
    """Return (state dictionary, forward pass) of a network of three resolutions, for 16 x 16
    pixels.
    """
    return made(KINDS[name]._replace(side=16, multiples=(1, 2, 2), blocks=2, attended=(8,)))


@pytest.mark.parametrize("name", KINDS)
def test_converted_networks_are_the_original(tmp_path, name):
    """The averaged weights, in a network that is built from their names, give what score_sde's
    forward pass gives.
    """
    named, original = of_kind(name)
    network = pretrained_cifar.checkpoint(*stored(tmp_path, checkpoint(named)), side=16)
    ratios, times = pretrained_cifar.continuous()
    y = torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(1))

    def expected(v):
        if KINDS[name].fourier:
            return original(y, torch.full((3,), v))
        r, time = 1 / math.hypot(1, 2 * v), float(np.interp(math.log(2 * v), np.log(ratios), times))
        return -original(r * (2 * y - 1), torch.full((3,), time)) / v

    # the noise that is predicted is of size 1, and so is its rounding; scores are not
    for v in (
        0.05,
        2.0,
        20.0,
    ):
        torch.testing.assert_close(
            v * network.score(y, Level(0, sigma=v)), v * expected(v), rtol=1e-4, atol=2e-5
        )
    # means in place of the filter, or the filter: a switch without weights
    original.fir = not original.fir
    assert (network.score(y, Level(0, sigma=1.0)) - expected(1.0)).abs().max() > 1e-2


def test_the_times_of_the_continuous_process_are_vps():
    table, times = pretrained_cifar.continuous()
    for t in (0.001, 0.3, 1.0):
        scale, sigma = VP(*pretrained_cifar.BETAS).marginal(t)
        assert np.interp(math.log(sigma / scale), np.log(table), times) == pytest.approx(
            999 * t, rel=1e-7
        )


def after(named):
    """Return the name of the entry after the last."""
    return f"all_modules.{1 + max(int(name.split('.')[1]) for name in named if '.' in name)}"


BIAS = "all_modules.5.Dense_0.bias"
DAMAGES = {
    "missing": lambda named: {name: tensor for name, tensor in named.items() if name != BIAS},
    "shape": lambda named: named | {BIAS: torch.zeros(3)},
    "infinite": lambda named: named | {BIAS: torch.full_like(named[BIAS], math.inf)},
    "left over": lambda named: (
        named | dict.fromkeys((f"{after(named)}.weight", f"{after(named)}.bias"), torch.zeros(4))
    ),
    "names": lambda named: {f"other.{name}": tensor for name, tensor in named.items()},
}


@pytest.mark.parametrize("how", DAMAGES)
def test_other_weights_are_refused_in_one_line(tmp_path, how):
    named, _ = of_kind("ve/cifar10_ncsnpp")
    with pytest.raises(UserError) as caught:
        pretrained_cifar.checkpoint(
            *stored(tmp_path, checkpoint(DAMAGES[how](named), blank=False)), side=16
        )
    assert "\n" not in str(caught.value) and "checkpoint.pth" in str(caught.value)


def test_another_file_is_not_used_and_a_missing_one_is_unavailable(tmp_path):
    content = b"a checkpoint"
    path, sha256 = stored(tmp_path, content)
    for other in (content[:-1], content[:-1] + bytes([content[-1] ^ 1])):
        path.write_bytes(other)
        with pytest.raises(UserError, match="not the file that was stated"):
            pretrained_cifar.checkpoint(path, sha256, side=16)
    with pytest.raises(DataUnavailable):
        pretrained_cifar.checkpoint(tmp_path / "missing.pth", "0", side=16)


def test_averages_that_do_not_fit_are_refused():
    named, _ = of_kind("vp/cifar10_ddpmpp")
    held = torch.load(io.BytesIO(checkpoint(named)), weights_only=True)
    for change in (
        lambda ema: ema["shadow_params"].pop(),
        lambda ema: ema.update(shadow_params=[torch.zeros(1)] * 5),
    ):
        change(held["ema"])
        with pytest.raises(UserError, match="averaged tensors"):
            ncsnpp.averaged(held, "w.pth")
    held["ema"]["shadow_params"] = [
        1.0 for name in named if name not in ("sigmas", "all_modules.0.W")
    ]
    with pytest.raises(UserError, match="not the weights"):
        ncsnpp.network(ncsnpp.averaged(held, "w.pth"), "w.pth")
    with pytest.raises(UserError, match="no checkpoint"):
        ncsnpp.averaged({"weights": torch.zeros(2)}, "w.pth")


def test_modules_in_another_order_are_refused():
    """Each fits a module; together they are no network."""
    named, _ = of_kind("vp/cifar10_ddpmpp")
    order = sorted({int(name.split(".")[1]) for name in named if name != "sigmas"})
    order[5], order[7] = order[7], order[5]
    parts = {
        n: {k: v for k, v in named.items() if k.startswith(f"all_modules.{n}.")} for n in order
    }
    moved = {
        f"all_modules.{i}.{k.split('.', 2)[2]}": v
        for i, n in enumerate(order)
        for k, v in parts[n].items()
    }
    with pytest.raises(UserError, match=r"w\.pth: not the weights of NCSN\+\+, DDPM\+\+ or DDPM"):
        ncsnpp.network(moved, "w.pth")


def sums(folder):
    """Return the checksums that a folder's entry states."""
    names = (pretrained_cifar.WEIGHTS, pretrained_cifar.CONFIG)
    return [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names]


@pytest.mark.parametrize("fourier", [True, False])
@torch.no_grad()
def test_a_folder_in_the_librarys_format_gives_its_own_model(tmp_path, fourier):
    model = library_model(tmp_path, fourier)
    network = pretrained_cifar.diffusers_folder(
        tmp_path, *sums(tmp_path), 348.0 if fourier else None
    )
    y, k = torch.rand(2, 3, 16, 16), 400
    if fourier:
        assert (network.smallest, network.largest) == (0.01, 348.0)
        v = 0.7
        expected = model(y, torch.tensor(v)).sample
    else:
        v = ratios()[k] / 2
        r = 1 / math.hypot(1, 2 * v)
        expected = -model(r * (2 * y - 1), k).sample / v
    torch.testing.assert_close(network.score(y, Level(0, sigma=v)), expected, rtol=1e-4, atol=1e-5)


def test_a_ve_model_needs_the_level_that_it_was_trained_from(tmp_path):
    library_model(tmp_path, True)
    with pytest.raises(
        UserError, match="largest is missing: a VE model's first noise level, sigma_max"
    ):
        pretrained_cifar.diffusers_folder(tmp_path, *sums(tmp_path))


CONFIGURATIONS = {
    "class": {"_class_name": "VQModel"},
    "size": {"block_out_channels": [32, 64]},
    "cut": "{",
    "long": " " * (pretrained_cifar.LARGEST_CONFIG + 1),
}


@pytest.mark.parametrize("change", CONFIGURATIONS)
def test_another_configuration_is_refused(tmp_path, change):
    library_model(tmp_path, False)
    changed, path = CONFIGURATIONS[change], tmp_path / pretrained_cifar.CONFIG
    path.write_text(
        changed if isinstance(changed, str) else json.dumps(json.loads(path.read_text()) | changed)
    )
    with pytest.raises(UserError) as caught:
        pretrained_cifar.diffusers_folder(tmp_path, *sums(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_configuration_has_a_checksum_of_its_own(tmp_path):
    """Weights fit another configuration of the same sizes, and are another network there."""
    library_model(tmp_path, False)
    weights, config = sums(tmp_path)
    with pytest.raises(UserError, match=r"config_sha256 is missing.*sha256sum .*config\.json"):
        pretrained_cifar.diffusers_folder(tmp_path, weights, None)
    path = tmp_path / pretrained_cifar.CONFIG
    path.write_text(json.dumps(json.loads(path.read_text()) | {"flip_sin_to_cos": False}))
    with pytest.raises(UserError, match=r"config\.json: sha256 .* not the file that was stated"):
        pretrained_cifar.diffusers_folder(tmp_path, weights, config)


AUTHORS = {
    "NCSN": ("1 2 3 4", 10, (-0.20451, 0.86121, -0.46414, 0.73913)),
    "NCSNv2": ("1 2 3 4", 0, (0.18493, 0.9454, 0.12538, 0.49519)),
    "NCSNv2, deeper": ("1 2 3 4 5", 0, (-0.32051, 1.13579, -0.26159, 0.27446)),
    "NCSNv2, deepest": ("1 2 3 31 4 5", 0, (-0.12088, 1.09842, -0.13421, 0.53155)),
}
"""Stages, noise levels, and what the authors' code (ermongroup/ncsn at 7f27f4a, ermongroup/ncsnv2
at 1bcea03) gives for `x` at label 3, before any division by sigma: the mean, the deviation and two
pixels.
"""
DDPM = (-0.23524, 0.37724, 0.41923, -0.65754)
"""The same of yang-song/score_sde_pytorch at cb1f359, models/ddpm.py, at step 40 for `2 x - 1`."""
x = torch.linspace(0, 1, 3 * 16 * 16).reshape(1, 3, 16, 16)


def seen(y: torch.Tensor) -> list[float]:
    return [float(y.mean()), float(y.std()), float(y[0, 0, 0, 0]), float(y[0, 2, 9, 5])]


def tensors_of(kind: str) -> dict[str, torch.Tensor]:
    stages, levels, _ = AUTHORS[kind]
    return refinenet_tensors(tuple(stages.split()), levels)


def ncsnv2_states(tensors: dict[str, torch.Tensor], sigmas: torch.Tensor) -> list[object]:
    """The five parts of a file of NCSNv2: the averages, last, are the tensors; the weights
    themselves are zeros.
    """
    weights = {f"module.{name}": torch.zeros_like(tensor) for name, tensor in tensors.items()}
    return [weights | {"module.sigmas": sigmas}, {"state": {}}, 3, 100, tensors]


@pytest.mark.parametrize("kind", AUTHORS)
def test_outputs_are_those_of_the_published_code(kind: str) -> None:
    network = RefineNet(tensors_of(kind))
    assert seen(network(x, 3)) == pytest.approx(AUTHORS[kind][2], abs=1e-4)
    assert network.used == tensors_of(kind).keys()


def test_ncsnv2_runs_by_its_averages_at_any_noise_level(tmp_path: Path) -> None:
    tensors, sigmas = tensors_of("NCSNv2"), torch.logspace(math.log10(50), -2, 232)
    score = loaded(*stored(tmp_path, saved(ncsnv2_states(tensors, sigmas))), side=16)
    assert (score.smallest, score.largest) == pytest.approx(
        (0.01, 50), rel=1e-6
    ) and score.shape == (3, 16, 16)
    for sigma in (0.02, 7.0):
        assert seen(sigma * score.score(x, Level(0, sigma=sigma))) == pytest.approx(
            AUTHORS["NCSNv2"][2], abs=1e-4
        )


def test_ncsn_is_asked_at_its_nearest_level(tmp_path: Path) -> None:
    tensors = tensors_of("NCSN")
    score = loaded(
        *stored(tmp_path, saved([{f"module.{name}": one for name, one in tensors.items()}, {}])),
        side=16,
    )
    level_3 = 0.01 ** (3 / 9)
    for sigma in (level_3, 1.2 * level_3, level_3 / 1.2):
        assert seen(score.score(x, Level(0, sigma=sigma))) == pytest.approx(
            AUTHORS["NCSN"][2], abs=1e-4
        )
    assert seen(score.score(x, Level(0, sigma=1.4 * level_3))) != pytest.approx(
        AUTHORS["NCSN"][2], abs=1e-2
    )


def test_score_sdes_ddpm_is_the_published_code_and_asked_at_its_steps(tmp_path: Path) -> None:
    score = loaded(*stored(tmp_path, checkpoint(ddpm_of_score_sde())), side=16, trained="VP steps")
    v = ratios()[40] / 2
    r = 1 / math.hypot(1, 2 * v)
    y = (2 * x - 1 + r) / (2 * r)  # so that the network sees 2 x - 1
    assert seen(-v * score.score(y, Level(0, sigma=v))) == pytest.approx(DDPM, abs=1e-4)


def test_a_network_of_noise_levels_is_asked_by_the_number_of_the_nearest(tmp_path: Path) -> None:
    """score_sde's NCSN++ without Fourier features: the same weights, asked at a number in place of
    a time.
    """
    sizes = Architecture(
        16, (1, 2), 1, "carried", output_pyramid=False, fourier=False, width=8, attended=(8,)
    )
    named, original = made(sizes, fir=True)
    score = loaded(*stored(tmp_path, checkpoint(named)), side=16, trained="VE levels")
    sigmas = np.geomspace(50, 0.01, 30)
    for number in (0, 7, 29):
        sigma = min(sigmas[number] * (1.1 if number else 1.0), 50.0)
        expected = original(2 * x - 1, torch.full((1,), float(number))) / sigma
        torch.testing.assert_close(
            score.score(x, Level(0, sigma=sigma)), expected, rtol=1e-4, atol=1e-4 / sigma
        )


CHANGES = {
    "missing": lambda one: {
        name: tensor for name, tensor in one.items() if "normalize2" not in name
    },
    "unknown": lambda one: one | {"res9.weight": torch.zeros(2)},
    "another shape": lambda one: one | {"begin_conv.weight": torch.zeros(5, 3, 3, 3)},
    "infinite": lambda one: one | {"begin_conv.bias": torch.full((4,), math.inf)},
    "no tensors": lambda one: {"step": 3},
}


@pytest.mark.parametrize("how", CHANGES)
def test_other_contents_are_refused_in_one_line(tmp_path: Path, how: str) -> None:
    with pytest.raises(UserError) as caught:
        loaded(*stored(tmp_path, saved([CHANGES[how](tensors_of("NCSNv2")), {}])), side=16)
    assert "\n" not in str(caught.value) and "checkpoint.pth" in str(caught.value)
