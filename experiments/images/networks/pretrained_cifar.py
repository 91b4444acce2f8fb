r"""Score networks at the paper's scale behind the one face: score_sde's checkpoints, and files in diffusers' format.

    VE (Fourier features of ln sigma):    the model is the score at sigma, pixels in [0, 1]; noise = -v model(y, v)
    VP, continuous (DDPM++):              the model is the noise in u = r (2 y - 1) at the time 999 t,
                                          (2 v)^2 = (1 - r^2)/r^2,  -2 ln r = (beta_1 - beta_0) t^2/2 + beta_0 t
    VP, 1000 steps (DDPM, diffusers):     the same at the step k, (2 v)^2 by the table of `ddpm.ratios`

Images are (channels, height, width), pixels in [0, 1]. The files: score_sde's (.pth) are at the address that its README
gives, without a checksum, so a user states the file's own; diffusers' are a folder of `config.json` and safetensors,
each with a checksum: the configuration makes the same weights another network.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ams.data.safe_read import content_of
from ams.errors import DataUnavailable, UserError
from experiments.images.networks.ddpm import ratios
from experiments.images.networks.loading import fill, parsed
from experiments.images.networks.ncsnpp import build, library
from experiments.images.networks.score_adapter import NetworkScore
from experiments.images.networks.scoresde import LARGEST, layout, read

BETAS = (0.1, 20.0)
"""Of the VP networks: beta at t = 0 and 1."""
EARLIEST = 1e-3
"""The time at which their sampling ends."""
CONFIG, WEIGHTS = "config.json", "diffusion_pytorch_model.safetensors"
LARGEST_CONFIG = 2**20
"""Bytes that a configuration may have."""
SMALLEST = 0.01
"""The last level of every VE model of score_sde. The first is each set's own, and in none of diffusers' files here."""


class Exploding:
    """A VE model: the score of images with pixels in [0, 1] at sigma."""

    def __init__(self, model: Any, side: int, smallest: float, largest: float, device: torch.device | str) -> None:
        self.model, self.device = model.to(device), torch.device(device)
        self.shape: tuple[int, ...] = (model.config.in_channels, side, side)
        self.smallest, self.largest = smallest, largest

    def noise(self, y: Float[Tensor, "batch c h w"], v: float) -> Float[Tensor, "batch c h w"]:
        """Return `-v` times the model's score."""
        at = torch.tensor(v, device=self.device, dtype=torch.float32)
        return self.model(y.to(self.device), at).sample.mul_(-v).to(y.device)


class Preserving:
    """A VP model: the noise in `u = r (2 y - 1)`; `time(v)` is what the model is told."""

    def __init__(self, model: Any, side: int, table: np.ndarray, times: np.ndarray, device: torch.device | str) -> None:
        self.model, self.device = model.to(device), torch.device(device)
        self.shape: tuple[int, ...] = (model.config.in_channels, side, side)
        self.table, self.times = np.log(table / 2), times
        self.smallest, self.largest = (math.exp(end) for end in self.table[[0, -1]])

    def time(self, v: float) -> float:
        """Return the time at which the noise is `v`, by interpolation of `ln v`."""
        return float(np.interp(math.log(v), self.table, self.times))

    def noise(self, y: Float[Tensor, "batch c h w"], v: float) -> Float[Tensor, "batch c h w"]:
        """Return the model's noise."""
        r = 1 / math.hypot(1.0, 2 * v)
        at = torch.tensor(self.time(v), device=self.device, dtype=torch.float32)
        return self.model((2 * r * y).sub_(r).to(self.device), at).sample.to(y.device)


def continuous(steps: int = 100_000) -> tuple[np.ndarray, np.ndarray]:
    """Return sigma/r and 999 t of score_sde's continuous VP process, at `steps` times from the earliest to 1.

    Between two of them `ln v` is linear in t to 1e-8.
    """
    t = np.geomspace(EARLIEST, 1.0, steps)
    exponent = (BETAS[1] - BETAS[0]) * t**2 / 2 + BETAS[0] * t
    return np.sqrt(np.expm1(exponent)), 999 * t


def score_sde(path: Path, sha256: str, side: int, device: torch.device | str = "cpu") -> NetworkScore:
    """Return the score of a checkpoint of score_sde for images of `side` pixels, its averaged weights.

    Raises DataUnavailable where the file or diffusers is missing; UserError for another checksum, or other contents.
    """
    content = verified(path, sha256)
    found = layout(read(content, str(path)), str(path))
    model = build(found, str(path))
    if found.fourier is not None:
        smallest, largest = (float(end) for end in found.sigmas[[0, -1]])
        return NetworkScore(Exploding(model, side, smallest, largest, device))
    return NetworkScore(Preserving(model, side, *continuous(), device))


def diffusers_folder(
    folder: Path,
    sha256: str,
    config_sha256: str | None,
    largest: float | None = None,
    device: torch.device | str = "cpu",
) -> NetworkScore:
    """Return the score of an unconditional model in diffusers' format, by the sha256 of its weights and configuration.

    `largest` is the first level (sigma_max) that a VE model was trained at. Raises as `score_sde`, and UserError
    where the configuration's checksum, or of a VE model `largest`, is not stated.
    """
    if config_sha256 is None:
        raise UserError(f"{folder}: config_sha256 is missing: a folder needs it too; sha256sum {folder / CONFIG}")
    config = _config(folder / CONFIG, verified(folder / CONFIG, config_sha256, LARGEST_CONFIG))
    content = verified(folder / WEIGHTS, sha256)
    try:
        model = library().UNet2DModel.from_config(config)
    except (TypeError, ValueError) as error:
        raise UserError(f"{folder / CONFIG}: no UNet2DModel: {str(error).splitlines()[0]}") from None
    model = fill(model, parsed(content, str(folder / WEIGHTS)), str(folder / WEIGHTS))
    if model.config.time_embedding_type == "fourier":
        if largest is None:
            raise UserError(f"{folder}: largest is missing: a VE model's first level, sigma_max of its training")
        return NetworkScore(Exploding(model, int(config["sample_size"]), SMALLEST, largest, device))
    table = ratios()
    return NetworkScore(Preserving(model, int(config["sample_size"]), table, np.arange(len(table)), device))


def _config(path: Path, content: bytes) -> Mapping[str, Any]:
    """Return the model's configuration that a file holds. Raises UserError."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: cannot be read: {str(error).splitlines()[0]}") from None
    kind, side = (found.get("_class_name"), found.get("sample_size")) if isinstance(found, dict) else (None, None)
    if kind != "UNet2DModel" or not isinstance(side, int):
        raise UserError(f"{path}: not the configuration of a UNet2DModel with a sample_size")
    return found


def verified(path: Path, sha256: str, largest: int = LARGEST) -> bytes:
    """Return the file's bytes. Raises DataUnavailable where it is not, UserError where it is another."""
    if not path.is_file():
        raise DataUnavailable(f"{path} is not there")
    content = content_of(path, largest)
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise UserError(f"{path}: sha256 {found}, expected {sha256}: not the file that was stated")
    return content
