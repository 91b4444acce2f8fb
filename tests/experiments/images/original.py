"""A small network in score_sde's own layout, and what that code computes with it, written from its
description.

The forward pass is one walk along the list `all_modules`, on a state dictionary. For the three
kinds of network it was compared with the published code itself (yang-song/score_sde_pytorch at
cb1f359), outputs to 2e-6. It takes each tensor by its published name and place, so a network of
other names or another order has no output here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch.nn.functional import (
    avg_pool2d,
    conv2d,
    group_norm,
    interpolate,
    linear,
    pad,
    silu,
    softmax,
)

from experiments.images.networks.ncsnpp_architectures import Architecture, random_network
from tests.experiments.images.made import drawn, saved

ROOT2 = math.sqrt(2.0)


def smooth(x, *margins):
    """Filter by (1, 3, 3, 1)/8 each way, with zeros around: margins left, right, above and
    below.
    """
    one = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=x.dtype) / 8
    wide = pad(x, margins)
    found = conv2d(wide.flatten(0, 1)[:, None], torch.outer(one, one)[None, None])
    return found.reshape(*x.shape[:2], *found.shape[2:])


def filtered(x, up):
    """Resample by two with the filter, by its definition: insert zeros or drop pixels."""
    if not up:
        return smooth(x, 1, 1, 1, 1)[:, :, ::2, ::2]
    n, c, h, w = x.shape
    wide = torch.zeros(n, c, 2 * h, 2 * w, dtype=x.dtype)
    wide[:, :, ::2, ::2] = 4 * x
    return smooth(wide, 2, 1, 2, 1)


@dataclass
class Original:
    """The forward pass for a state dictionary; `fir` (resampling by the filter) has no weights
    that would tell.
    """

    named: dict
    sizes: Architecture
    fir: bool

    def __call__(self, x, time):
        self.at = 0
        temb = self.embedding(time)
        if self.sizes.fourier:
            x = 2 * x - 1
        p = x
        hs = [self.conv(x)]
        for level in range(len(self.sizes.multiples)):
            for _ in range(self.sizes.blocks):
                h = self.block(hs[-1], temb)
                hs.append(self.attention(h) if h.shape[-1] in self.sizes.attended else h)
            if level == len(self.sizes.multiples) - 1:
                break
            h = self.block(hs[-1], temb, "down")
            if self.sizes.input_pyramid == "summed":
                p = filtered(p, False)
                h = self.conv(p, "Conv_0.", 0) + h
            elif self.sizes.input_pyramid == "carried":
                p = h = (self.conv_down(p) + h) / ROOT2
            hs.append(h)
        h = self.block(self.attention(self.block(hs[-1], temb)), temb)
        q = None
        for level in reversed(range(len(self.sizes.multiples))):
            for _ in range(self.sizes.blocks + 1):
                h = self.block(torch.cat([h, hs.pop()], 1), temb)
            h = self.attention(h) if h.shape[-1] in self.sizes.attended else h
            if self.sizes.output_pyramid:
                added = self.conv(silu(self.norm(h)))
                q = added if q is None else filtered(q, True) + added
            h = self.block(h, temb, "up") if level else h
        h = q if self.sizes.output_pyramid else self.conv(silu(self.norm(h)))
        assert not hs and f"all_modules.{self.at}.weight" not in self.named
        return h / time.reshape(-1, 1, 1, 1) if self.sizes.fourier else h

    def taken(self):
        prefix = f"all_modules.{self.at}."
        self.at += 1
        return {
            name.removeprefix(prefix): tensor
            for name, tensor in self.named.items()
            if name.startswith(prefix)
        }

    def embedding(self, time):
        if self.sizes.fourier:
            angles = 2 * math.pi * time.log()[:, None] * self.taken()["W"]
        else:
            half = len(self.named["all_modules.0.weight"][0]) // 2
            angles = time[:, None] * torch.exp(
                torch.arange(half) * -(math.log(10_000) / (half - 1))
            )
        e = torch.cat([angles.sin(), angles.cos()], 1).to(torch.float32)
        first, second = self.taken(), self.taken()
        e = linear(e, first["weight"], first["bias"])
        return linear(silu(e), second["weight"], second["bias"])

    def conv(self, x, prefix="", padding=1):
        w = self.taken()
        return conv2d(x, w[f"{prefix}weight"], w[f"{prefix}bias"], padding=padding)

    def conv_down(self, x):
        """Filter with margins for the convolution, then the convolution at every other pixel."""
        w = self.taken()
        return conv2d(smooth(x, 2, 2, 2, 2), w["Conv2d_0.weight"], w["Conv2d_0.bias"], stride=2)

    def norm(self, x, w=None, name=""):
        w = w or self.taken()
        return group_norm(x, min(x.shape[1] // 4, 32), w[f"{name}weight"], w[f"{name}bias"], 1e-6)

    def resampled(self, x, way):
        if self.fir:
            return filtered(x, way == "up")
        return interpolate(x, scale_factor=2, mode="nearest") if way == "up" else avg_pool2d(x, 2)

    def block(self, x, temb, way=None):
        w = self.taken()
        h = silu(self.norm(x, w, "GroupNorm_0."))
        if way:
            h, x = self.resampled(h, way), self.resampled(x, way)
        h = conv2d(h, w["Conv_0.weight"], w["Conv_0.bias"], padding=1)
        h = h + linear(silu(temb), w["Dense_0.weight"], w["Dense_0.bias"])[:, :, None, None]
        h = silu(self.norm(h, w, "GroupNorm_1."))
        h = conv2d(h, w["Conv_1.weight"], w["Conv_1.bias"], padding=1)
        if "Conv_2.weight" in w:
            x = conv2d(x, w["Conv_2.weight"], w["Conv_2.bias"])
        return (x + h) / ROOT2

    def attention(self, x):
        w = self.taken()
        c, flat = x.shape[1], self.norm(x, w, "GroupNorm_0.").flatten(2)
        q, k, v = (
            torch.einsum("nci,cd->ndi", flat, w[f"NIN_{i}.W"]) + w[f"NIN_{i}.b"][:, None]
            for i in range(3)
        )
        found = torch.einsum(
            "nij,ncj->nci", softmax(torch.einsum("nci,ncj->nij", q, k) / math.sqrt(c), -1), v
        )
        found = torch.einsum("nci,cd->ndi", found, w["NIN_3.W"]) + w["NIN_3.b"][:, None]
        return (x + found.reshape(x.shape)) / ROOT2


def made(sizes, fir=None, seed=0):
    """Return (state dictionary, forward pass) of a network with random weights; by default VE
    networks have the filter.

    The forward pass takes each tensor by score_sde's own name, in its place in the list.
    """
    named = {
        "sigmas": torch.logspace(math.log10(50), -2, 30),
        **drawn(random_network(sizes).state_dict(), seed),
    }
    if sizes.fourier:
        named["all_modules.0.W"] *= 15
    return named, Original(named, sizes, sizes.fourier if fir is None else fir)


_SMALLEST = Architecture(32, (1, 2), 1, "none", output_pyramid=False, fourier=False, width=8)
KINDS = {
    "ve/cifar10_ncsnpp": _SMALLEST._replace(input_pyramid="carried", fourier=True),
    "ve/celebahq_256_ncsnpp": _SMALLEST._replace(
        input_pyramid="summed", output_pyramid=True, fourier=True
    ),
    "vp/cifar10_ddpmpp": _SMALLEST,
}
"""The smallest network of each kind, two resolutions of one block each, by score_sde's names."""


def small(kind, side, attended):
    """Return (state dictionary, forward pass) of the smallest network of a kind."""
    return made(KINDS[kind]._replace(side=side, attended=(attended,)))


def checkpoint(named, blank=True):
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
