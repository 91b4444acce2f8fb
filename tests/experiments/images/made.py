"""Random weights under the published names, in files as `torch.save` writes them: what the tests of networks share."""

import io
import math
from pathlib import Path

import torch
from torch import Tensor, nn

from experiments.images.networks.ddpm import STEPS, DenoisingUNet, embedded

Tensors = dict[str, Tensor]


def ve_tensors(seed: int = 0) -> Tensors:
    """The 40 tensors of the VE network: four stages down and three up, each with a dense layer and a norm."""
    generator = torch.Generator().manual_seed(seed)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator) / math.sqrt(math.prod(shape[1:]) or 1)

    widths = [1, 32, 64, 128, 256]
    made = {"time_embed.0.W": 30 * torch.randn(128, generator=generator), "time_embed.1.weight": drawn(256, 256)}
    made["time_embed.1.bias"] = drawn(256, 1)[:, 0]
    stages = [(f"conv{i}", f"dense{i}", f"gnorm{i}", widths[i - 1], widths[i]) for i in (1, 2, 3, 4)]
    stages += [(f"tconv{i}", f"dense{9 - i}", f"tgnorm{i}", widths[i], widths[i - 1]) for i in (4, 3, 2)]
    for conv, dense, norm, inputs, outputs in stages:
        given = (inputs, outputs) if conv.startswith("t") else (outputs, inputs)
        made[f"{conv}.weight"] = drawn(*given, 3, 3)
        made |= {f"{dense}.dense.weight": drawn(outputs, 256), f"{dense}.dense.bias": drawn(outputs, 1)[:, 0]}
        made |= {f"{norm}.weight": 1 + 0.1 * drawn(outputs, 1)[:, 0], f"{norm}.bias": drawn(outputs, 1)[:, 0]}
    made |= {"tconv1.weight": drawn(32, 1, 3, 3), "tconv1.bias": drawn(1, 1)[:, 0]}
    return {f"module.{name}": tensor for name, tensor in made.items()}


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
