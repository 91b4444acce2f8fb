"""Networks at the paper's scale, in small: score_sde's layout converted, files in diffusers' format, strict loading."""

import hashlib
import json
import math

import numpy as np
import pytest
import torch
from experiments.images.networks.scoresde import layout, read
from safetensors.torch import save_file

from ams.errors import DataUnavailable, UserError
from ams.schedules import VP, Level
from experiments.images.networks import pretrained_cifar as scale
from tests.experiments.images.original import checkpoint, made

pytest.importorskip("diffusers")

KINDS = {
    "ve/cifar10_ncsnpp": {"attended": (8,), "progressive": "none", "pyramid": "residual", "fourier": True, "fir": True},
    "ve/celebahq_256_ncsnpp": {
        "attended": (8,),
        "progressive": "output_skip",
        "pyramid": "input_skip",
        "fourier": True,
        "fir": True,
    },
    "vp/cifar10_ddpmpp": {"attended": (8,), "progressive": "none", "pyramid": "none", "fourier": False, "fir": False},
}
SIZES = {"nf": 8, "mult": (1, 2, 2), "blocks": 2, "side": 16}


def kept(tmp_path, content):
    path = tmp_path / "checkpoint.pth"
    path.write_bytes(content)
    return path, hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("kind", KINDS)
def test_converted_networks_are_the_original(tmp_path, kind):
    """The averaged weights, in the library's model, give what score_sde's own forward pass gives."""
    named, original = made(**SIZES, **KINDS[kind])
    found = scale.score_sde(*kept(tmp_path, checkpoint(named)), side=16)
    y = torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    for v in (0.05, 2.0, 20.0):
        if KINDS[kind]["fourier"]:
            expected = original(y, torch.full((3,), v))
        else:
            r = 1 / math.hypot(1, 2 * v)
            time = found.predictor.time(v)
            expected = -original(r * (2 * y - 1), torch.full((3,), time)) / v
        torch.testing.assert_close(found.score(y, Level(0, sigma=v)), expected, rtol=1e-4, atol=2e-5)


def test_every_switch_without_weights_matters(tmp_path):
    """The original with means in place of its filter is another network: the test above can fail."""
    named, original = made(**SIZES, **KINDS["ve/cifar10_ncsnpp"])
    found = scale.score_sde(*kept(tmp_path, checkpoint(named)), side=16)
    y, v = torch.rand(2, 3, 16, 16), 1.0
    original.fir = False
    other = original(y, torch.full((2,), v))
    assert (found.score(y, Level(0, sigma=v)) - other).abs().max() > 1e-2


def test_the_times_of_the_continuous_process_are_vps():
    table, times = scale.continuous()
    for t in (0.001, 0.3, 1.0):
        kept_, sigma = VP(*scale.BETAS).marginal(t)
        assert np.interp(math.log(sigma / kept_), np.log(table), times) == pytest.approx(999 * t, rel=1e-7)


def damaged(named, how):
    if how == "missing":
        return {name: tensor for name, tensor in named.items() if name != "all_modules.5.Dense_0.bias"}
    if how == "shape":
        return named | {"all_modules.5.Dense_0.bias": torch.zeros(3)}
    if how == "infinite":
        return named | {"all_modules.5.Dense_0.bias": torch.full_like(named["all_modules.5.Dense_0.bias"], math.inf)}
    if how == "left over":
        last = max(int(name.split(".")[1]) for name in named if "." in name)
        return named | {
            f"all_modules.{last + 1}.weight": torch.zeros(4),
            f"all_modules.{last + 1}.bias": torch.zeros(4),
        }
    if how == "unknown":
        return named | {"all_modules.5.Dense_9.bias": torch.zeros(3)}
    return {f"other.{name}": tensor for name, tensor in named.items()}


@pytest.mark.parametrize("how", ["missing", "shape", "infinite", "left over", "unknown", "names"])
def test_other_weights_are_refused_in_one_line(tmp_path, how):
    named, _ = made(**SIZES, **KINDS["ve/cifar10_ncsnpp"])
    with pytest.raises(UserError) as caught:
        scale.score_sde(*kept(tmp_path, checkpoint(damaged(named, how), blank=False)), side=16)
    assert "\n" not in str(caught.value) and "checkpoint.pth" in str(caught.value)


@pytest.mark.parametrize("how", ["changed", "cut"])
def test_another_file_is_not_used(tmp_path, how):
    named, _ = made(**SIZES, **KINDS["vp/cifar10_ddpmpp"])
    content = checkpoint(named)
    path, sha256 = kept(tmp_path, content)
    path.write_bytes(content[:-100] if how == "cut" else content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(UserError, match="not the file that was stated"):
        scale.score_sde(path, sha256, side=16)


def test_a_file_that_is_not_there_is_unavailable(tmp_path):
    with pytest.raises(DataUnavailable):
        scale.score_sde(tmp_path / "missing.pth", "0", side=16)


def test_without_the_library_it_is_unavailable(monkeypatch, tmp_path):
    named, _ = made(**SIZES, **KINDS["vp/cifar10_ddpmpp"])
    monkeypatch.setitem(__import__("sys").modules, "diffusers", None)
    with pytest.raises(DataUnavailable, match="gpu"):
        scale.score_sde(*kept(tmp_path, checkpoint(named)), side=16)


def test_averages_that_do_not_fit_are_refused():
    named, _ = made(**SIZES, **KINDS["vp/cifar10_ddpmpp"])
    held = torch.load(__import__("io").BytesIO(checkpoint(named)), weights_only=True)
    for change in (lambda ema: ema["shadow_params"].pop(), lambda ema: ema.update(shadow_params=[torch.zeros(1)] * 5)):
        change(held["ema"])
        stream = __import__("io").BytesIO()
        torch.save(held, stream)
        with pytest.raises(UserError, match="averaged tensors"):
            read(stream.getvalue(), "w.pth")
    with pytest.raises(UserError, match="no checkpoint"):
        stream = __import__("io").BytesIO()
        torch.save({"weights": torch.zeros(2)}, stream)
        read(stream.getvalue(), "w.pth")


def test_the_layout_is_read_from_the_names():
    named, _ = made(**SIZES, **KINDS["ve/celebahq_256_ncsnpp"])
    found = layout(named, "w.pth")
    assert (found.pyramid, found.progress, found.filtered) == ("input_skip", "output_skip", True)
    assert [len(stage.blocks) for stage in found.down] == [2, 2, 2]
    assert [len(stage.attentions) for stage in found.down] == [0, 2, 0]
    assert found.sigmas[0] < found.sigmas[-1]


def sums(folder):
    """Return the checksums that a folder's entry states."""
    return [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in (scale.WEIGHTS, scale.CONFIG)]


def library_model(folder, fourier):
    import diffusers

    torch.manual_seed(0)
    kind = "Skip" if fourier else ""
    model = diffusers.UNet2DModel(
        sample_size=16,
        down_block_types=(f"{kind}DownBlock2D", f"Attn{kind}DownBlock2D"),
        up_block_types=(f"Attn{kind}UpBlock2D", f"{kind}UpBlock2D"),
        block_out_channels=(32, 32),
        layers_per_block=1,
        norm_num_groups=8,
        attention_head_dim=8,
        time_embedding_type="fourier" if fourier else "positional",
        center_input_sample=fourier,
    ).eval()
    model.save_pretrained(folder, safe_serialization=True)
    return model


@pytest.mark.parametrize("fourier", [True, False])
@torch.no_grad()
def test_a_folder_in_the_librarys_format_gives_its_own_model(tmp_path, fourier):
    model = library_model(tmp_path, fourier)
    found = scale.diffusers_folder(tmp_path, *sums(tmp_path), 348.0 if fourier else None)
    if fourier:
        assert (found.predictor.smallest, found.predictor.largest) == (0.01, 348.0)
    y = torch.rand(2, 3, 16, 16)
    if fourier:
        v = 0.7
        expected = model(y, torch.tensor(v)).sample
    else:
        k = 400
        v = math.exp(found.predictor.table[k])
        r = 1 / math.hypot(1, 2 * v)
        expected = -model(r * (2 * y - 1), k).sample / v
    torch.testing.assert_close(found.score(y, Level(0, sigma=v)), expected, rtol=1e-4, atol=1e-5)


def test_a_ve_model_needs_the_level_that_it_was_trained_from(tmp_path):
    library_model(tmp_path, True)
    with pytest.raises(UserError, match="largest is missing: a VE model's first level, sigma_max"):
        scale.diffusers_folder(tmp_path, *sums(tmp_path))


CONFIGURATIONS = {
    "class": {"_class_name": "VQModel"},
    "size": {"block_out_channels": [32, 64]},
    "side": {"sample_size": [16, 16]},
    "cut": "{",
    "deep": "[" * 100_000,
    "long": " " * (scale.LARGEST_CONFIG + 1),
}


@pytest.mark.parametrize("change", CONFIGURATIONS)
def test_another_configuration_is_refused(tmp_path, change):
    library_model(tmp_path, False)
    changed, path = CONFIGURATIONS[change], tmp_path / scale.CONFIG
    path.write_text(changed if isinstance(changed, str) else json.dumps(json.loads(path.read_text()) | changed))
    with pytest.raises(UserError) as caught:
        scale.diffusers_folder(tmp_path, *sums(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_configuration_has_a_checksum_of_its_own(tmp_path):
    """Weights fit another configuration of the same sizes, and are another network there."""
    library_model(tmp_path, False)
    weights, config = sums(tmp_path)
    with pytest.raises(UserError, match=r"config_sha256 is missing.*sha256sum .*config\.json"):
        scale.diffusers_folder(tmp_path, weights, None)
    path = tmp_path / scale.CONFIG
    path.write_text(json.dumps(json.loads(path.read_text()) | {"flip_sin_to_cos": False}))
    with pytest.raises(UserError, match=r"config\.json: sha256 .* not the file that was stated"):
        scale.diffusers_folder(tmp_path, weights, config)


def test_weights_of_another_model_are_refused(tmp_path):
    library_model(tmp_path, False)
    save_file({"conv_in.weight": torch.zeros(3)}, tmp_path / scale.WEIGHTS)
    with pytest.raises(UserError, match="missing tensors"):
        scale.diffusers_folder(tmp_path, *sums(tmp_path))
