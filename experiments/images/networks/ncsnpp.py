r"""NCSN++ and DDPM++ as `UNet2DModel` of the diffusers library, its parts the library's own.

The library's model runs the network; its residual blocks, attention and filters are the parts. Its ready-made stages
fit only some of the networks (they have attention after each block of a stage up, these one at its end; and no pyramid
that becomes the features), so the two stages are put together here, from those parts, for all of them:

    down:  h <- attention(block(h)) ...; then h <- resampled(h), and with a pyramid p of the input
           input_skip: p <- filter(p), h <- h + conv(p);    residual: h <- p <- (filtered conv(p) + h) / sqrt 2
    up:    h <- block([h, kept]) ...; h <- attention(h); then h <- resampled(h), and with a pyramid q of the output
           output_skip: q <- filter(q) + conv(silu(norm h)), h from before it is resampled

Every sum of a branch and its input is divided by sqrt 2. Source: Song et al., arXiv 2011.13456, appendix H.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import silu

from ams.errors import DataUnavailable, UserError
from experiments.images.networks.loading import fill
from experiments.images.networks.scoresde import Layout, Module, Stage

ROOT2 = math.sqrt(2.0)
EPSILON = 1e-6
"""Of every norm."""
Features = Float[Tensor, "batch c h w"]


def library() -> Any:
    """Return diffusers. Raises DataUnavailable."""
    try:
        import diffusers
    except ImportError:
        raise DataUnavailable("diffusers is not installed: pip install 'ams[gpu]'") from None
    return diffusers


def groups(channels: int) -> int:
    """Return the groups of a norm: four channels each, at most 32 groups."""
    return min(channels // 4, 32)


class DownStage(nn.Module):
    """One resolution on the way down; called by the library's model as its own stages with a pyramid are."""

    def __init__(self, stage: Stage, kind: str, embedding: int, filtered: bool) -> None:
        super().__init__()
        self.kind = kind
        self.resnets = nn.ModuleList(residual(module, embedding) for module in stage.blocks)
        self.attentions = nn.ModuleList(attention(module) for module in stage.attentions)
        self.resnet_down = residual(stage.resampled, embedding, "fir" if filtered else "sde_vp", down=True)
        self.filter, self.skip_conv = _pyramid_of_input(stage, kind)

    def forward(
        self, hidden_states: Features, temb: Tensor, skip_sample: Features
    ) -> tuple[Features, tuple[Features, ...], Features]:
        """Return the features, those kept for the way up, the pyramid."""
        h, kept = hidden_states, []
        for number, block in enumerate(self.resnets):
            h = block(h, temb)
            h = self.attentions[number](h) if len(self.attentions) else h
            kept.append(h)
        if self.resnet_down is None:
            return h, tuple(kept), skip_sample
        h = self.resnet_down(h, temb)
        if self.kind == "input_skip":
            skip_sample = self.filter(skip_sample)
            h = self.skip_conv(skip_sample) + h
        elif self.kind == "residual":
            h = skip_sample = (self.filter(skip_sample) + h) / ROOT2
        return h, (*kept, h), skip_sample


class UpStage(nn.Module):
    """One resolution on the way up."""

    def __init__(self, stage: Stage, skip: bool, embedding: int, filtered: bool) -> None:
        super().__init__()
        self.skip = skip
        self.resnets = nn.ModuleList(residual(module, embedding) for module in stage.blocks)
        self.attentions = nn.ModuleList(attention(module) for module in stage.attentions)
        self.resnet_up = residual(stage.resampled, embedding, "fir" if filtered else "sde_vp", up=True)
        self.filter = _library_part("upsampling", "FirUpsample2D")() if skip else None
        self.skip_norm = norm(stage.pyramid[0]) if stage.pyramid else None
        self.skip_conv = convolution(stage.pyramid[1]) if stage.pyramid else None

    def forward(
        self, h: Features, kept: tuple[Features, ...], temb: Tensor, skip_sample: Features | None
    ) -> tuple[Features, Features | None]:
        """Return the features and the pyramid."""
        for block, other in zip(self.resnets, reversed(kept), strict=True):
            h = block(torch.cat([h, other], dim=1), temb)
        for one in self.attentions:
            h = one(h)
        if self.skip:
            skip_sample = None if skip_sample is None else self.filter(skip_sample)  # type: ignore[misc]
            if self.skip_conv is not None:
                added = self.skip_conv(silu(self.skip_norm(h)))  # type: ignore[misc]
                skip_sample = added if skip_sample is None else skip_sample + added
        return (h if self.resnet_up is None else self.resnet_up(h, temb)), skip_sample


def _library_part(module: str, name: str) -> Any:
    from importlib import import_module

    return getattr(import_module(f"{library().__name__}.models.{module}"), name)


def residual(module: Module | None, embedding: int, kernel: str | None = None, **resampled: bool) -> Any:
    """Return a residual block of the module's sizes; None for none."""
    if module is None:
        return None
    out, into = module.tensors["Conv_0.weight"].shape[:2]
    return _library_part("resnet", "ResnetBlock2D")(
        in_channels=into,
        out_channels=out,
        temb_channels=embedding,
        groups=groups(into),
        groups_out=groups(out),
        eps=EPSILON,
        output_scale_factor=ROOT2,
        kernel=kernel,
        use_in_shortcut="Conv_2.weight" in module.tensors or "NIN_0.W" in module.tensors,
        **resampled,
    )


def attention(module: Module) -> Any:
    """Return attention of one head over all pixels."""
    channels = len(module.tensors["GroupNorm_0.weight"])
    return _library_part("attention_processor", "Attention")(
        channels,
        heads=1,
        dim_head=channels,
        rescale_output_factor=ROOT2,
        eps=EPSILON,
        norm_num_groups=groups(channels),
        residual_connection=True,
        bias=True,
        upcast_softmax=True,
        _from_deprecated_attn_block=True,
    )


def norm(module: Module) -> nn.GroupNorm:
    """Return a group norm of the module's size."""
    channels = len(module.tensors["weight"])
    return nn.GroupNorm(groups(channels), channels, EPSILON)


def convolution(module: Module) -> nn.Conv2d:
    """Return a 3 x 3 convolution of the module's sizes."""
    out, into = module.tensors["weight"].shape[:2]
    return nn.Conv2d(into, out, 3, padding=1)


def _pyramid_of_input(stage: Stage, kind: str) -> tuple[Any, Any]:
    """Return the filter of a stage's pyramid, and the convolution of what it adds."""
    if not stage.pyramid:
        return None, None
    part = _library_part("downsampling", "FirDownsample2D")
    if kind == "input_skip":
        out, into = stage.pyramid[0].tensors["Conv_0.weight"].shape[:2]
        return part(), nn.Conv2d(into, out, 1)
    out, into = stage.pyramid[0].tensors["Conv2d_0.weight"].shape[:2]
    return part(into, out, use_conv=True), None


def build(found: Layout, where: str) -> Any:
    """Return the network with its weights. Raises DataUnavailable without diffusers, UserError as `fill`."""
    embedding = len(found.embedding[1].tensors["bias"])
    widths = [len(stage.blocks[-1].tensors["Conv_1.bias"]) for stage in found.down]
    model = library().UNet2DModel(
        in_channels=found.first.tensors["weight"].shape[1],
        out_channels=len(found.end[1].tensors["bias"]),
        center_input_sample=found.fourier is not None,
        time_embedding_type="fourier" if found.fourier else "positional",
        freq_shift=1,
        flip_sin_to_cos=False,
        down_block_types=("DownBlock2D",) * len(widths),
        up_block_types=("UpBlock2D",) * len(widths),
        block_out_channels=tuple(widths),
        layers_per_block=1,
        mid_block_scale_factor=ROOT2,
        attention_head_dim=None,
        norm_num_groups=groups(widths[-1]),
        norm_eps=EPSILON,
    )
    filtered, skip = found.filtered, found.progress == "output_skip"
    model.down_blocks = nn.ModuleList(DownStage(stage, found.pyramid, embedding, filtered) for stage in found.down)
    model.up_blocks = nn.ModuleList(UpStage(stage, skip, embedding, filtered) for stage in found.up)
    model.conv_norm_out = norm(found.end[0])
    return fill(model, dict(_named(found)), where)


def _named(found: Layout) -> Any:
    """Yield every tensor under its name in the library's model."""
    if found.fourier:
        yield "time_proj.weight", found.fourier.tensors["W"]
    for number, module in enumerate(found.embedding, 1):
        yield from _under(f"time_embedding.linear_{number}", module.tensors)
    yield from _under("conv_in", found.first.tensors)
    for way, stages in (("down", found.down), ("up", found.up)):
        for level, stage in enumerate(stages):
            yield from _stage(f"{way}_blocks.{level}", stage, way)
    yield from _block("mid_block.resnets.0", found.middle[0].tensors)
    yield from _attention("mid_block.attentions.0", found.middle[1].tensors)
    yield from _block("mid_block.resnets.1", found.middle[2].tensors)
    yield from _under("conv_norm_out", found.end[0].tensors)
    yield from _under("conv_out", found.end[1].tensors)


def _stage(place: str, stage: Stage, way: str) -> Any:
    for number, module in enumerate(stage.blocks):
        yield from _block(f"{place}.resnets.{number}", module.tensors)
    for number, module in enumerate(stage.attentions):
        yield from _attention(f"{place}.attentions.{number}", module.tensors)
    if stage.resampled is not None:
        yield from _block(f"{place}.resnet_{way}", stage.resampled.tensors)
    match [module.kind for module in stage.pyramid]:
        case ["combine"]:
            yield from _under(f"{place}.skip_conv", _stripped(stage.pyramid[0].tensors, "Conv_0."))
        case ["filtered"]:
            yield from _under(f"{place}.filter.Conv2d_0", _stripped(stage.pyramid[0].tensors, "Conv2d_0."))
        case ["norm", "convolution"]:
            yield from _under(f"{place}.skip_norm", stage.pyramid[0].tensors)
            yield from _under(f"{place}.skip_conv", stage.pyramid[1].tensors)


_BLOCK = {
    "GroupNorm_0": "norm1",
    "Conv_0": "conv1",
    "Dense_0": "time_emb_proj",
    "GroupNorm_1": "norm2",
    "Conv_1": "conv2",
    "Conv_2": "conv_shortcut",
}
_ATTENTION = {"GroupNorm_0": "group_norm", "NIN_0": "to_q", "NIN_1": "to_k", "NIN_2": "to_v", "NIN_3": "to_out.0"}


def _block(place: str, tensors: Mapping[str, Tensor]) -> Any:
    """Yield a residual block's tensors; a shortcut by a matrix (`NIN_0.W`, in x out) is a convolution of one pixel."""
    for name, tensor in tensors.items():
        part, kind = name.rsplit(".", 1)
        if part == "NIN_0":
            yield f"{place}.conv_shortcut.{'weight' if kind == 'W' else 'bias'}", _matrix(kind, tensor, 4)
        else:
            yield f"{place}.{_BLOCK.get(part, part)}.{kind}", tensor


def _attention(place: str, tensors: Mapping[str, Tensor]) -> Any:
    """Yield attention's tensors; its matrices are in x out there, out x in here."""
    for name, tensor in tensors.items():
        part, kind = name.rsplit(".", 1)
        if part.startswith("NIN"):
            yield (
                f"{place}.{_ATTENTION.get(part, part)}.{'weight' if kind == 'W' else 'bias'}",
                _matrix(kind, tensor, 2),
            )
        else:
            yield f"{place}.{_ATTENTION.get(part, part)}.{kind}", tensor


def _matrix(kind: str, tensor: Tensor, ndim: int) -> Tensor:
    turned = tensor.mT.contiguous() if kind == "W" else tensor
    return turned[:, :, None, None] if kind == "W" and ndim == 4 else turned


def _under(place: str, tensors: Mapping[str, Tensor]) -> Any:
    return ((f"{place}.{name}", tensor) for name, tensor in tensors.items())


def _stripped(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}


__all__ = ["UserError", "build", "library"]
