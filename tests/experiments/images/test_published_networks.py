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

from ams.data import load_weights
from ams.errors import DataUnavailable, UserError
from ams.schedules import Level
from experiments.images.networks import ncsnpp, pretrained_cifar
from experiments.images.networks.ddpm import ratios
from experiments.images.networks.ncsnpp_architectures import ARCHITECTURES, Architecture
from experiments.images.networks.pretrained_cifar import checkpoint as loaded
from experiments.images.networks.refinenet import RefineNet
from tests.experiments.images.made import (
    KINDS,
    Tensors,
    checkpoint,
    ddpm_of_score_sde,
    library_model,
    names_of,
    refinenet_tensors,
    saved,
    score_sde_tensors,
    seen,
    stored,
)

x = torch.linspace(0, 1, 3 * 16 * 16).reshape(1, 3, 16, 16)


def of_kind(name: str) -> Tensors:
    """Return the tensors of a network of three resolutions, for 16 x 16 pixels."""
    return score_sde_tensors(
        KINDS[name]._replace(side=16, multiples=(1, 2, 2), blocks=2, attended=(8,))
    )


SCORE_SDE = {
    ("ve/cifar10_ncsnpp", 0.05): (606907638, (0.02541, 0.50388, -0.32062, 0.00984)),
    ("ve/cifar10_ncsnpp", 20.0): (606907638, (0.02409, 0.68416, 0.14636, 0.24396)),
    ("ve/celebahq_256_ncsnpp", 0.05): (986968860, (-0.24045, 1.0347, -0.48846, 1.33464)),
    ("ve/celebahq_256_ncsnpp", 20.0): (986968860, (-0.3614, 1.02579, -0.41154, 0.34571)),
    ("vp/cifar10_ddpmpp", 0.05): (789335875, (0.30219, 0.57498, 0.67258, 0.26253)),
    ("vp/cifar10_ddpmpp", 20.0): (789335875, (0.12545, 0.4924, 0.73549, 0.24025)),
}
"""Kind and noise level; the checksum of names, and what score_sde gives there for `x`: the score
times the noise level. Whether it resamples by a filter or by means has no weights, and is seen.
"""


@pytest.mark.parametrize(("name", "sigma"), SCORE_SDE)
def test_converted_networks_are_the_original(tmp_path: Path, name: str, sigma: float) -> None:
    """The averaged weights, in a network that is built from their names."""
    named, (names, expected) = of_kind(name), SCORE_SDE[name, sigma]
    assert names_of(named) == names
    network = loaded(*stored(tmp_path, checkpoint(named)), side=16)
    assert seen(sigma * network.score(x, Level(0, sigma=sigma))) == pytest.approx(
        expected, abs=1e-4
    )


PUBLISHED_SIZES = {
    "cifar10_ncsnpp_continuous": (3209719769, (-0.07442, 0.60336, -1.29596, 0.35075)),
    "cifar10_ddpmpp_continuous": (330102895, (-0.1787, 0.79449, 0.0346, -0.26252)),
    "celeba_ncsnpp": (820018432, (0.001, 0.73192, -1.75576, 0.27989)),
    "celebahq_256_ncsnpp_continuous": (3304472270, (0.63734, 0.90902, 1.13363, 0.57231)),
    "church_ncsnpp_continuous": (3304472270, (0.63734, 0.90902, 1.13363, 0.57231)),
}
"""The checksum of names, and score_sde's output at time 2 for pixels from 0 to 1."""


@pytest.mark.parametrize("name", ARCHITECTURES)
@torch.no_grad()
def test_a_made_checkpoint_of_published_layout_is_converted(name: str) -> None:
    """A file with every key of the published layout, narrow: its averaged weights, strictly
    loaded.
    """
    sizes, (names, expected) = ARCHITECTURES[name]._replace(width=8), PUBLISHED_SIZES[name]
    named = score_sde_tensors(sizes)
    assert names_of(named) == names
    network = ncsnpp.network(ncsnpp.averaged(load_weights(checkpoint(named), "w"), "w"), "w")
    side = 2 ** (len(sizes.multiples) - 1) if sizes.side > 64 else sizes.side
    pixels = torch.linspace(0, 1, 3 * side * side).reshape(1, 3, side, side)
    assert seen(network(pixels, torch.tensor(2.0))) == pytest.approx(expected, abs=2e-4)


def after(named):
    """Return the name of the entry after the last."""
    return f"all_modules.{1 + max(int(name.split('.')[1]) for name in named if '.' in name)}"


DAMAGES = {
    "left over": lambda named: (
        named | dict.fromkeys((f"{after(named)}.weight", f"{after(named)}.bias"), torch.zeros(4))
    ),
    "names": lambda named: {f"other.{name}": tensor for name, tensor in named.items()},
}


@pytest.mark.parametrize("how", DAMAGES)
def test_other_weights_are_refused_in_one_line(tmp_path, how):
    named = of_kind("ve/cifar10_ncsnpp")
    with pytest.raises(UserError) as caught:
        loaded(*stored(tmp_path, checkpoint(DAMAGES[how](named), blank=False)), side=16)
    assert "\n" not in str(caught.value) and "checkpoint.pth" in str(caught.value)


def test_another_file_is_not_used_and_a_missing_one_is_unavailable(tmp_path):
    content = b"a checkpoint"
    path, sha256 = stored(tmp_path, content)
    path.write_bytes(content[:-1])
    with pytest.raises(UserError, match="not the file that was stated"):
        loaded(path, sha256, side=16)
    with pytest.raises(DataUnavailable):
        loaded(tmp_path / "missing.pth", "0", side=16)


def test_averages_that_do_not_fit_are_refused():
    named = of_kind("vp/cifar10_ddpmpp")
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
    named = of_kind("vp/cifar10_ddpmpp")
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


NUMBERED = {
    0: (0.09339, 0.47669, 0.0423, 0.02004),
    7: (0.08809, 0.467, 0.07969, -0.19959),
    29: (0.12482, 0.46913, -0.13116, 0.3223),
}
"""What score_sde gives for `2 x - 1` at the number of a noise level: the score times the level."""


def test_a_network_of_noise_levels_is_asked_by_the_number_of_the_nearest(tmp_path: Path) -> None:
    """score_sde's NCSN++ without Fourier features."""
    sizes = Architecture(
        16, (1, 2), 1, "carried", output_pyramid=False, fourier=False, width=8, attended=(8,)
    )
    score = loaded(
        *stored(tmp_path, checkpoint(score_sde_tensors(sizes))), side=16, trained="VE levels"
    )
    sigmas = np.geomspace(50, 0.01, 30)
    for number, expected in NUMBERED.items():
        sigma = min(sigmas[number] * (1.1 if number else 1.0), 50.0)
        assert seen(sigma * score.score(x, Level(0, sigma=sigma))) == pytest.approx(
            expected, abs=1e-4
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
