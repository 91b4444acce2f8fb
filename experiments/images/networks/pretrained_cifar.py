r"""Score networks at the paper's scale behind one interface: checkpoints of score_sde, NCSN,
NCSNv2; diffusers' format.

    VE (Fourier features of ln sigma):    the model is asked at sigma, pixels in [0, 1]
    VE, so many noise levels:             the model is asked at the number of the level that is nearest in ln sigma
    VP, continuous (DDPM++):              the model is the noise in u = r (2 y - 1) at the time 999 t,
                                          (2 v)^2 = (1 - r^2)/r^2,  -2 ln r = (beta_1 - beta_0) t^2/2 + beta_0 t
    VP, 1000 steps (DDPM, DDPM++; diffusers): the model is the noise in u at the step k, 2 v =
    `ddpm.ratios()[k]`

Images are (channels, height, width), pixels in [0, 1]. Checkpoints (.pth) are at the addresses that
their authors give, without a checksum, so a user states the file's own; diffusers' are a folder of
`config.json` and safetensors, each with a checksum: another configuration makes another network of
the weights.
"""

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ams.data import load_weights
from ams.data.safe_read import content_of
from ams.errors import DataUnavailable, UserError
from experiments.images.networks import ncsnpp
from experiments.images.networks.ddpm import STEPS, ratios
from experiments.images.networks.loading import fill, optional, parsed
from experiments.images.networks.ncsnpp import LARGEST
from experiments.images.networks.refinenet import refinenet
from experiments.images.networks.score_adapter import NetworkScore, vp_score

BETAS = (0.1, 20.0)
"""Of the VP networks: beta at t = 0 and 1."""
EARLIEST = 1e-3
"""The time at which their sampling ends."""
CONFIG, WEIGHTS = "config.json", "diffusion_pytorch_model.safetensors"
LARGEST_CONFIG = 2**20
"""Bytes that a configuration may have."""
SMALLEST = 0.01
"""The last noise level of every VE model of score_sde. The first is each set's own, and in none
of diffusers' files.
"""
Images = Float[Tensor, "batch c h w"]
Model = Callable[[Images, float], Images]
"""Takes images and one time for all."""
Trained: TypeAlias = Literal["continuous", "VE levels", "VP steps"]
"""At all times, at the noise levels that the file holds, or at DDPM's 1000 steps."""


def _on(device: torch.device | str, model: Callable[[Images, Tensor], Images]) -> Model:
    """Return a model that runs on a device, of images and one time that are elsewhere."""
    return lambda x, time: model(x.to(device), torch.tensor(time, device=device)).to(x.device)


def continuous(steps: int = 100_000) -> tuple[np.ndarray, np.ndarray]:
    """Return sigma/r and 999 t of score_sde's continuous VP process, at `steps` times from the
    earliest to 1.

    Between two of them `ln v` is linear in t to 1e-8.
    """
    t = np.geomspace(EARLIEST, 1.0, steps)
    exponent = (BETAS[1] - BETAS[0]) * t**2 / 2 + BETAS[0] * t
    return np.sqrt(np.expm1(exponent)), 999 * t


def checkpoint(
    path: Path,
    sha256: str,
    side: int,
    trained: Trained = "continuous",
    device: torch.device | str = "cpu",
) -> NetworkScore:
    """Return the score of a checkpoint for images of `side` pixels, by its averaged weights.

    A list is one of NCSN or NCSNv2; a dictionary one of score_sde, whose file does not say how it
    was `trained`. Raises DataUnavailable where the file is missing; UserError for another checksum,
    or other contents.
    """
    where, held = str(path), load_weights(verified(path, sha256), str(path), LARGEST)
    if isinstance(held, list):
        return refinenet(held, where, side, device)
    named = ncsnpp.averaged(held, where)
    network = ncsnpp.network(named, where).to(device)
    shape = (network.channels, side, side)
    if network.fourier or trained == "VE levels":
        sigmas = named["sigmas"].flatten().sort(descending=True).values

        def noise(y: Tensor, sigma: float) -> Tensor:
            if network.fourier:
                return _on(device, network)(y, sigma).neg_()
            nearest = float((sigmas.log() - math.log(sigma)).abs().argmin())
            return _on(device, network)(2 * y - 1, nearest).neg_()

        return NetworkScore(noise, shape, float(sigmas[-1]), float(sigmas[0]))
    tabulated = continuous() if trained == "continuous" else (ratios(), np.arange(STEPS))
    return vp_score(_on(device, network), shape, *tabulated)


def diffusers_folder(
    folder: Path,
    sha256: str,
    config_sha256: str | None,
    largest: float | None = None,
    device: torch.device | str = "cpu",
) -> NetworkScore:
    """Return the score of an unconditional model in diffusers' format, by the sha256 of its weights
    and configuration.

    `largest` is the first noise level (sigma_max) that a VE model was trained at. Raises
    DataUnavailable where a file or diffusers is missing; UserError for another checksum, or other
    contents, and where the configuration's checksum, or of a VE model `largest`, is not stated.
    """
    if config_sha256 is None:
        raise UserError(
            f"{folder}: config_sha256 is missing: a folder needs it too; "
            f"sha256sum {folder / CONFIG}"
        )
    config = _config(folder / CONFIG, verified(folder / CONFIG, config_sha256, LARGEST_CONFIG))
    weights, where = verified(folder / WEIGHTS, sha256), str(folder / WEIGHTS)
    library = optional("diffusers", "diffusers is not installed: pip install '.[paper]'")
    try:
        made = library.UNet2DModel.from_config(config)
    except (TypeError, ValueError) as error:
        raise UserError(
            f"{folder / CONFIG}: no UNet2DModel: {str(error).splitlines()[0]}"
        ) from None
    model = fill(made, parsed(weights, where), where).to(device)
    shape = (model.config.in_channels, config["sample_size"], config["sample_size"])
    if model.config.time_embedding_type != "fourier":
        return vp_score(
            _on(device, lambda u, k: model(u, k).sample), shape, ratios(), np.arange(STEPS)
        )
    if largest is None:
        raise UserError(
            f"{folder}: largest is missing: a VE model's first noise level, "
            "sigma_max of its training"
        )
    noise = _on(device, lambda y, sigma: model(y, sigma).sample.mul_(-sigma))
    return NetworkScore(noise, shape, SMALLEST, largest)


def _config(path: Path, content: bytes) -> Mapping[str, Any]:
    """Return the model's configuration that a file holds. Raises UserError."""
    try:
        config = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: cannot be read: {str(error).splitlines()[0]}") from None
    kind, side = (
        (config.get("_class_name"), config.get("sample_size"))
        if isinstance(config, dict)
        else (None, None)
    )
    if kind != "UNet2DModel" or not isinstance(side, int):
        raise UserError(f"{path}: not the configuration of a UNet2DModel with a sample_size")
    return config


def verified(path: Path, sha256: str, largest: int = LARGEST) -> bytes:
    """Return the file's bytes. Raises DataUnavailable where it is not, UserError where it is
    another.
    """
    if not path.is_file():
        raise DataUnavailable(f"{path} is not there", missing=str(path))
    content = content_of(path, largest)
    computed = hashlib.sha256(content).hexdigest()
    if computed != sha256:
        raise UserError(
            f"{path}: sha256 {computed}, expected {sha256}: not the file that was stated"
        )
    return content
