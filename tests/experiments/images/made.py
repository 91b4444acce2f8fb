"""Random weights under the published names, in files as `torch.save` writes them: what the tests of
networks share.

Outputs that tests demand of such weights are recorded. Those of score_sde's networks and of the
tutorials' are of a second implementation by names, of which score_sde's was compared with the
published code (yang-song/score_sde_pytorch at cb1f359), outputs to 2e-6.
"""

import hashlib
import io
import math
import zlib
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from experiments.images.networks.ddpm import STEPS, DenoisingUNet, embedded
from experiments.images.networks.ncsnpp import (
    Attention,
    Block,
    Convolution,
    NCSNpp,
    Norm,
    ResamplingConvolution,
)
from experiments.images.networks.ncsnpp_architectures import Architecture, random_network
from experiments.images.networks.unet_ve import VEUNet

Tensors = dict[str, Tensor]


def pictures(count: int) -> Tensor:
    """Return made-up images: random squares of ink, blank at the edges."""
    x = torch.zeros(count, 28, 28)
    generator = torch.Generator().manual_seed(0)
    corners = torch.randint(4, 16, (count, 2), generator=generator)
    for image, (i, j) in zip(x, corners.tolist(), strict=True):
        image[i : i + 8, j : j + 8] = torch.rand(8, 8, generator=generator)
    return x


def drawn(places: Mapping[str, Tensor], seed: int) -> Tensors:
    """Return random tensors of these shapes and names: weights by their inputs, norms about 1,
    biases about 0.
    """
    generator, made = torch.Generator().manual_seed(seed), {}
    for name, place in places.items():
        mean = float(place.ndim == 1 and name.endswith("weight"))
        scale = 1 / math.sqrt(math.prod(place.shape[1:])) if place.ndim > 1 else 0.1
        made[name] = mean + scale * torch.randn(place.shape, generator=generator)
    return made


def names_of(tensors: Mapping[str, Tensor]) -> int:
    """Return a checksum of all names and shapes, in their order."""
    return zlib.crc32(" ".join(f"{n}{tuple(t.shape)}" for n, t in tensors.items()).encode())


def seen(y: Tensor) -> list[float]:
    """Return the mean of an output, its deviation, and two pixels."""
    first, other = y[..., 0, 0].flatten()[0], y[..., 9, 5].flatten()[-1]
    return [float(value) for value in (y.mean(), y.std(), first, other)]


def ve_tensors(seed: int = 0) -> Tensors:
    """The VE network's 40 tensors: four stages down and three up, each with a dense layer and a
    norm.
    """
    made = drawn(VEUNet().state_dict(), seed)
    return {
        f"module.{name}": 300 * tensor if name.endswith("W") else tensor
        for name, tensor in made.items()
    }


def ddpm_tensors(seed: int = 0) -> Tensors:
    """The DDPM network's tensors, with its table of embeddings; weights so large that the step is
    seen in the output.
    """
    made = {
        name: 3 * tensor if tensor.ndim > 1 else tensor
        for name, tensor in drawn(DenoisingUNet().state_dict(), seed).items()
    }
    made["time_embed.weight"] = embedded(torch.arange(STEPS))
    return {f"network.{name}": tensor for name, tensor in made.items()}


def saved(tensors: Tensors) -> bytes:
    stream = io.BytesIO()
    torch.save(tensors, stream)
    return stream.getvalue()


def stored(folder: Path, content: bytes) -> tuple[Path, str]:
    """Write a checkpoint; return its path and sha256."""
    path = folder / "checkpoint.pth"
    path.write_bytes(content)
    return path, hashlib.sha256(content).hexdigest()


def file_of(folder: Path, tensors: Tensors, name: str = "weights.pt") -> str:
    path = folder / name
    path.write_bytes(saved(tensors))
    return str(path)


def refinenet_tensors(
    stages: tuple[str, ...], levels: int = 0, width: int = 4, seed: int = 0
) -> Tensors:
    """The tensors of NCSN (`levels` of them) or NCSNv2 with these stages, in the authors' names; no
    noise levels.
    """
    generator, made = torch.Generator().manual_seed(seed), {}
    multiples = {4: (1, 2, 2, 2), 5: (1, 2, 2, 4, 4), 6: (1, 2, 2, 2, 4, 4)}[len(stages)]
    widths = [width * each for each in multiples]

    def put(name: str, *shape: int, mean: float = 0.0, scale: float = 0.3) -> None:
        made[name] = mean + scale * torch.randn(shape, generator=generator)

    def convolution(name: str, inputs: int, outputs: int, side: int = 3, bias: bool = True) -> None:
        put(
            f"{name}.weight", outputs, inputs, side, side, scale=1 / math.sqrt(inputs * side * side)
        )
        if bias:
            put(f"{name}.bias", outputs)

    def norm(name: str, channels: int) -> None:
        if levels:
            put(f"{name}.embed.weight", levels, 3 * channels, mean=0.7)
        else:
            for part in ("alpha", "gamma", "beta"):
                put(f"{name}.{part}", channels, mean=0.7)

    def units(name: str, channels: int, count: int) -> None:
        for place in (f"{name}.{unit}_{stage}" for unit in range(1, count + 1) for stage in (1, 2)):
            if levels:
                norm(f"{place}_norm", channels)
            convolution(f"{place}_conv", channels, channels, bias=False)

    convolution("begin_conv", 3, width)
    norm("normalizer", width)
    convolution("end_conv", width, 3)
    before = width
    for number, (stage, channels) in enumerate(zip(stages, widths, strict=True)):
        pooled, dilated = 0 < number < len(stages) - 2, number >= len(stages) - 2
        for block, inputs in enumerate((before, channels)):
            name, first = f"res{stage}.{block}", block == 0 and number > 0
            norm(f"{name}.normalize1", inputs)
            convolution(f"{name}.conv1", inputs, inputs if first else channels)
            norm(f"{name}.normalize2", inputs if first else channels)
            convolution(f"{name}.conv2{'.conv' if first and pooled else ''}", inputs, channels)
            if first:
                convolution(
                    f"{name}.shortcut{'.conv' if pooled else ''}",
                    inputs,
                    channels,
                    1 if not dilated else 3,
                )
        before = channels
    order = sorted(stages, key=["1", "2", "31", "3", "4", "5"].index)
    for number, (stage, channels) in enumerate(zip(order, widths[::-1], strict=True)):
        outputs = widths[::-1][min(number + 1, len(widths) - 1)]
        given = [channels] if not number else [channels, before]
        for place, inputs in enumerate(given):
            units(f"refine{stage}.adapt_convs.{place}", inputs, 2)
            if number:
                convolution(f"refine{stage}.msf.convs.{place}", inputs, outputs)
                if levels:
                    norm(f"refine{stage}.msf.norms.{place}", inputs)
        outputs = outputs if number else channels
        units(f"refine{stage}.output_convs", outputs, 3 if number == len(widths) - 1 else 1)
        for place in (0, 1):
            convolution(f"refine{stage}.crp.convs.{place}", outputs, outputs, bias=False)
            if levels:
                norm(f"refine{stage}.crp.norms.{place}", outputs)
        before = outputs
    return made


def ddpm_of_score_sde(width: int = 128, seed: int = 0) -> Tensors:
    """The tensors of score_sde's DDPM: two resolutions of one block each, attention at the second;
    and `sigmas`.
    """
    w, e = width, 4 * width
    modules: list[nn.Module] = [
        nn.Linear(w, e),
        nn.Linear(e, e),
        Convolution(3, w),
        Block(w, w, e, shortcut=False),
    ]
    modules += [
        ResamplingConvolution(w),
        Block(w, 2 * w, e, shortcut=False, as_matrix=True),
        Attention(2 * w),
    ]
    modules += [
        Block(2 * w, 2 * w, e, shortcut=False),
        Attention(2 * w),
        Block(2 * w, 2 * w, e, shortcut=False),
    ]
    modules += [Block(inputs * w, 2 * w, e, shortcut=False, as_matrix=True) for inputs in (4, 3)]
    modules += [Attention(2 * w), ResamplingConvolution(2 * w)]
    modules += [Block(inputs * w, w, e, shortcut=False, as_matrix=True) for inputs in (3, 2)]
    modules += [Norm(w), Convolution(w, 3)]
    return {
        "sigmas": torch.logspace(math.log10(50), -2, 1000),
        **drawn(NCSNpp(modules).state_dict(), seed),
    }


def library_model(folder: Path, fourier: bool) -> nn.Module:
    """Write a small model in diffusers' format, 16 x 16 pixels, VE where it has Fourier features;
    return it.
    """
    diffusers = pytest.importorskip("diffusers")
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


def score_sde_tensors(sizes: Architecture) -> Tensors:
    """The tensors of a network of score_sde, with its noise levels, by its own names."""
    named = {
        "sigmas": torch.logspace(math.log10(50), -2, 30),
        **drawn(random_network(sizes).state_dict(), seed=0),
    }
    if sizes.fourier:
        named["all_modules.0.W"] *= 15
    return named


_SMALLEST = Architecture(32, (1, 2), 1, "none", output_pyramid=False, fourier=False, width=8)
KINDS = {
    "ve/cifar10_ncsnpp": _SMALLEST._replace(input_pyramid="carried", fourier=True),
    "ve/celebahq_256_ncsnpp": _SMALLEST._replace(
        input_pyramid="summed", output_pyramid=True, fourier=True
    ),
    "vp/cifar10_ddpmpp": _SMALLEST,
}
"""The smallest network of each kind, two resolutions of one block each, by score_sde's names."""


def small(kind: str, side: int, attended: int) -> Tensors:
    """The tensors of the smallest network of a kind."""
    return score_sde_tensors(KINDS[kind]._replace(side=side, attended=(attended,)))


def checkpoint(named: Tensors, blank: bool = True) -> bytes:
    """Return the bytes of a checkpoint: the average is `named`, the weights themselves are
    another's (zeros).
    """
    trained = [name for name in named if name not in ("sigmas", "all_modules.0.W")]
    model = {
        f"module.{k}": torch.zeros_like(v) if blank and k in trained else v
        for k, v in named.items()
    }
    shadow = {"decay": 0.999, "num_updates": 3, "shadow_params": [named[name] for name in trained]}
    optimizer = {"state": {}, "param_groups": [{"lr": 2e-4, "params": list(range(len(trained)))}]}
    return saved({"optimizer": optimizer, "model": model, "ema": shadow, "step": 3})
