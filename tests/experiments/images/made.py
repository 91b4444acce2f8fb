"""Random weights under the published names, in files as `torch.save` writes them: what the tests of networks share."""

import io
import math
from pathlib import Path

import torch
from torch import Tensor, nn

from experiments.images.networks.ddpm import STEPS, DenoisingUNet, embedded
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


def ve_tensors(seed: int = 0) -> Tensors:
    """The VE network's 40 tensors: four stages down and three up, each with a dense layer and a norm."""
    generator = torch.Generator().manual_seed(seed)
    made = {}
    for name, place in VEUNet().state_dict().items():
        z = torch.randn(place.shape, generator=generator)
        if "norm" in name:
            z = 0.1 * z + float(name.endswith("weight"))
        made[f"module.{name}"] = 30 * z if name.endswith("W") else z / math.sqrt(math.prod(z.shape[1:]))
    return made


def ddpm_tensors(seed: int = 0) -> Tensors:
    """The DDPM network's tensors, with its table of embeddings."""
    torch.manual_seed(seed)
    network = DenoisingUNet()
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.3 / math.sqrt(max(parameter[0].numel(), 1)))
    made = network.state_dict() | {"time_embed.weight": embedded(torch.arange(STEPS))}
    return {f"network.{name}": tensor for name, tensor in made.items()}


def saved(tensors: Tensors) -> bytes:
    stream = io.BytesIO()
    torch.save(tensors, stream)
    return stream.getvalue()


def file_of(folder: Path, tensors: Tensors, name: str = "weights.pt") -> str:
    path = folder / name
    path.write_bytes(saved(tensors))
    return str(path)
