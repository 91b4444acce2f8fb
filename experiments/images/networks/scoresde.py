r"""Reading a checkpoint of score_sde (Song et al., arXiv 2011.13456): its tensors, and the network that they are of.

A checkpoint is `{"model", "ema", "optimizer", "step"}`; `model` is a state dictionary of one list, `all_modules.<n>`,
in the order in which the forward pass uses them, and `ema["shadow_params"]` the averaged tensors in that order, of
those that are trained. What each entry of the list is shows in the names below it:

    W                          Fourier features of ln sigma              Conv_0 alone       joins the input's pyramid
    weight (2-D), bias         a linear layer of the embedding           Conv2d_0           carries the pyramid down
    GroupNorm_0, Conv_0, ...   a residual block; with Conv_2 and as      weight (4-D)       a convolution
                               many channels out as in: it resamples     weight (1-D)       a norm
    GroupNorm_0, NIN_0, ...    attention

so the layout is read from the file: no configuration can disagree with it. Only what has no weights is not there:
networks with Fourier features, or whose pyramid is filtered, resample with the filter (1, 3, 3, 1), others by means.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import NamedTuple

from torch import Tensor

from ams.data import load_weights
from ams.errors import UserError

LARGEST = 2**33
"""Bytes that a checkpoint may hold: weights, their average and two moments of 300 million parameters."""
_FIXED = ("sigmas", "all_modules.0.W")


class Module(NamedTuple):
    """An entry of the list: its kind, its number, its tensors by the rest of their names."""

    kind: str
    number: int
    tensors: dict[str, Tensor]


class Stage(NamedTuple):
    """The modules of one resolution: residual blocks, attention among them, what resamples, what serves the pyramid."""

    blocks: list[Module]
    attentions: list[Module]
    resampled: Module | None
    pyramid: list[Module]


class Layout(NamedTuple):
    """A network: `sigmas` of its levels ascending; the embedding; the stages down, in the middle and up; the end.

    `progress` is "none" or "output_skip"; `pyramid` "none", "input_skip" or "residual" (the names of score_sde).
    """

    sigmas: Tensor
    fourier: Module | None
    embedding: list[Module]
    first: Module
    down: list[Stage]
    middle: list[Module]
    up: list[Stage]
    end: list[Module]
    pyramid: str
    progress: str

    @property
    def filtered(self) -> bool:
        """Tell whether it resamples with the filter."""
        return self.fourier is not None or self.pyramid == "residual"


def read(content: bytes, where: str) -> dict[str, Tensor]:
    """Return the averaged tensors of a checkpoint by name, and those that are not trained.

    Raises UserError, one line that names `where`.
    """
    held = load_weights(content, where, LARGEST)
    model, average = (held.get(part) if isinstance(held, Mapping) else None for part in ("model", "ema"))
    if not isinstance(model, Mapping) or not isinstance(average, Mapping) or "shadow_params" not in average:
        raise UserError(f"{where}: no checkpoint of score_sde, which holds `model` and `ema` with `shadow_params`")
    named = {str(name).removeprefix("module."): tensor for name, tensor in model.items()}
    trained, shadows = [name for name in named if name not in _FIXED], average["shadow_params"]
    if len(trained) != len(shadows):
        raise UserError(f"{where}: {len(shadows)} averaged tensors for {len(trained)} that are trained")
    for name, shadow in zip(trained, shadows, strict=True):
        if not isinstance(shadow, Tensor) or shadow.shape != named[name].shape:
            raise UserError(f"{where}: the average of {name} is no tensor of its shape {tuple(named[name].shape)}")
    return named | dict(zip(trained, shadows, strict=True))


def layout(named: Mapping[str, Tensor], where: str) -> Layout:
    """Return the network that the tensors belong to. Raises UserError where they are those of no such network."""
    try:
        return _parsed(named)
    except (LookupError, ValueError, AttributeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{where}: not the weights of an NCSN++ or DDPM++ network: {reason}") from None


def _parsed(named: Mapping[str, Tensor]) -> Layout:
    waiting = _modules(named)
    fourier = waiting.pop(0) if waiting[0].kind == "fourier" else None
    embedding = [_taken(waiting, "linear"), _taken(waiting, "linear")]
    first = _taken(waiting, "convolution")
    depth = sum(module.kind == "resample" for module in waiting) // 2 + 1
    if depth < 2:
        raise ValueError("it has one resolution alone")
    down = [_stage_down(waiting, last=False, count=0) for _ in range(depth - 1)]
    count = len(down[0].blocks)
    down.append(_stage_down(waiting, last=True, count=count))
    middle = [_taken(waiting, kind) for kind in ("block", "attention", "block")]
    up = [_stage_up(waiting, count + 1, last=level == depth - 1) for level in range(depth)]
    end = [_taken(waiting, "norm"), _taken(waiting, "convolution")]
    if waiting:
        raise ValueError(f"all_modules.{waiting[0].number} ({waiting[0].kind}) is left over")
    kinds = {stage.pyramid[0].kind for stage in down if stage.pyramid} or {"none"}
    pyramid = {"none": "none", "combine": "input_skip", "filtered": "residual"}[kinds.pop()]
    progress = "output_skip" if up[0].pyramid else "none"
    sigmas = named["sigmas"].flatten().sort().values
    return Layout(sigmas, fourier, embedding, first, down, middle, up, end, pyramid, progress)


def _modules(named: Mapping[str, Tensor]) -> list[Module]:
    """Return the entries of the list in order. Raises ValueError for a name outside of it or a gap."""
    found = []
    inside = [name for name in named if name != "sigmas"]
    for number, names in groupby(inside, key=lambda name: int(name.split(".")[1])):
        tensors = {name.split(".", 2)[2]: named[name] for name in names}
        found.append(Module(_kind(tensors), number, tensors))
    if [module.number for module in found] != list(range(len(found))) or len(found) < 8:
        raise ValueError("all_modules is not a list without gaps")
    return found


def _kind(tensors: Mapping[str, Tensor]) -> str:
    """Return what an entry is, by the names and shapes of its tensors."""
    parts = {name.split(".")[0] for name in tensors}
    if "W" in parts:
        return "fourier"
    if {"GroupNorm_0", "Conv_0"} <= parts:
        kept = tensors["Conv_0.weight"].shape[0] == tensors["Conv_0.weight"].shape[1]
        return "resample" if "Conv_2" in parts and kept else "block"
    for part, kind in {"NIN_3": "attention", "Conv2d_0": "filtered", "Conv_0": "combine"}.items():
        if part in parts:
            return kind
    return {1: "norm", 2: "linear", 4: "convolution"}[tensors["weight"].ndim]


def _taken(waiting: list[Module], kind: str) -> Module:
    """Return the next entry. Raises ValueError unless it is of this kind."""
    if not waiting or waiting[0].kind != kind:
        found = f"all_modules.{waiting[0].number} is a {waiting[0].kind}" if waiting else "the list ends"
        raise ValueError(f"{found} where a {kind} is expected")
    return waiting.pop(0)


def _stage_down(waiting: list[Module], last: bool, count: int) -> Stage:
    """Take a stage down: blocks, each with its attention, then (but for the last) what resamples and the pyramid's."""
    blocks: list[Module] = []
    attentions: list[Module] = []
    while waiting[0].kind == "block" and (not last or len(blocks) < count):
        blocks.append(_taken(waiting, "block"))
        if waiting[0].kind == "attention":
            attentions.append(waiting.pop(0))
    if len(attentions) not in (0, len(blocks)):
        raise ValueError("attention follows some blocks of a resolution, not all")
    if last:
        return Stage(blocks, attentions, None, [])
    resampled = _taken(waiting, "resample")
    pyramid = [waiting.pop(0)] if waiting[0].kind in ("combine", "filtered") else []
    return Stage(blocks, attentions, resampled, pyramid)


def _stage_up(waiting: list[Module], count: int, last: bool) -> Stage:
    """Take a stage up: blocks, one attention or none, the pyramid's norm and convolution, then what resamples."""
    blocks = [_taken(waiting, "block") for _ in range(count)]
    attentions = [waiting.pop(0)] if waiting[0].kind == "attention" else []
    if last:
        return Stage(blocks, attentions, None, [])
    pyramid = [_taken(waiting, "norm"), _taken(waiting, "convolution")] if waiting[0].kind == "norm" else []
    return Stage(blocks, attentions, _taken(waiting, "resample"), pyramid)
