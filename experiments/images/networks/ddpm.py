r"""The noise predictors of a DDPM tutorial, for MNIST and Fashion-MNIST: 1000 steps, linear beta from 1e-4 to 0.02.

    u_k = r_k u_0 + sigma_k z,   r_k^2 = prod_{j<=k} (1 - b_j),   sigma_k^2 = 1 - r_k^2,   u_0 = 2 x_0 - 1

A U-Net of seven stages of three blocks (28, 14, 7, 3, 7, 14, 28 pixels) with concatenated skips; at each stage a
function of the step's sinusoidal embedding is added to every pixel. The published embedding is a table of the 1000
steps; here it is the formula of that table, so a level between two steps has a step too (`k` interpolated in
`ln v`). In pixels of [0, 1] the noise is `v = sigma_k / (2 r_k)`.

Source: Ho et al., arXiv 2006.11239; weights: registry entries `mnist-ddpm`, `fashion-ddpm`.
"""

import math
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import silu

from ams.errors import UserError
from experiments.images.networks.loading import contents, fill, tensors
from experiments.images.networks.score_adapter import NetworkScore, vp_predictor

STEPS, EMBEDDING = 1000, 100


def ratios(steps: int = STEPS, first: float = 1e-4, last: float = 0.02) -> np.ndarray:
    """Return `sigma_k / r_k` of every step, in units of the network's data, least noisy first."""
    kept = np.cumprod(1.0 - np.linspace(first, last, steps))
    return np.sqrt((1.0 - kept) / kept)


def embedded(k: Tensor) -> Float[Tensor, "steps embedding"]:
    """Return `sin(w_i k), cos(w_i k)` in turn, `w_i = 10000^(-4 i / EMBEDDING)`: the published table's rows."""
    powers = torch.arange(EMBEDDING // 2, dtype=torch.float64) * (-4.0 / EMBEDDING)
    angles = k[:, None].double() * torch.exp(powers * math.log(10_000.0))
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1).float()


class Block(nn.Module):
    """`silu(conv(silu(conv(norm(x)))))`, the norm over channels and pixels; without it where not `normalised`."""

    def __init__(self, inputs: int, outputs: int, side: int, normalised: bool = True) -> None:
        super().__init__()
        self.normalised = normalised
        self.ln = nn.LayerNorm((inputs, side, side))
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)

    def forward(self, x: Float[Tensor, "batch i h w"]) -> Float[Tensor, "batch o h w"]:
        """Return the block's features."""
        normal = self.ln(x) if self.normalised else x
        return silu(self.conv2(silu(self.conv1(normal), inplace=True)), inplace=True)


class Stage(nn.Module):
    """Blocks on `x + mlp(e)`, the same at every pixel; `widths` are the channels before, between and after them.

    The last block has no norm where not `normalised`.
    """

    def __init__(self, side: int, *widths: int, normalised: bool = True) -> None:
        super().__init__()
        self.time = nn.Sequential(nn.Linear(EMBEDDING, widths[0]), nn.SiLU(), nn.Linear(widths[0], widths[0]))
        last = len(widths) - 2
        pairs = enumerate(pairwise(widths))
        self.blocks = nn.Sequential(*(Block(i, o, side, normalised or n < last) for n, (i, o) in pairs))

    def forward(self, x: Float[Tensor, "batch i h w"], e: Float[Tensor, " embedding"]) -> Float[Tensor, "batch o h w"]:
        """Return the stage's features."""
        return self.blocks(x + self.time(e)[:, None, None])


class DenoisingUNet(nn.Module):
    """The U-Net: the noise that it sees in `u` at step `k`."""

    def __init__(self) -> None:
        super().__init__()
        wide = (28, 1, 10, 10, 10), (14, 10, 20, 20, 20), (7, 20, 40, 40, 40), (3, 40, 20, 20, 40)
        narrow = (7, 80, 40, 20, 20), (14, 40, 20, 10, 10)
        last = Stage(28, 20, 10, 10, 10, normalised=False)  # published so: its last norm is stored and not used
        self.stages = nn.ModuleList([*(Stage(*sizes) for sizes in wide + narrow), last])
        self.down1 = nn.Conv2d(10, 10, 4, 2, 1)
        self.down2 = nn.Conv2d(20, 20, 4, 2, 1)
        self.down3 = nn.Sequential(nn.Conv2d(40, 40, 2, 1), nn.SiLU(), nn.Conv2d(40, 40, 4, 2, 1))
        self.up1 = nn.Sequential(nn.ConvTranspose2d(40, 40, 4, 2, 1), nn.SiLU(), nn.ConvTranspose2d(40, 40, 2, 1))
        self.up2 = nn.ConvTranspose2d(20, 20, 4, 2, 1)
        self.up3 = nn.ConvTranspose2d(10, 10, 4, 2, 1)
        self.conv_out = nn.Conv2d(10, 1, 3, padding=1)

    def forward(self, u: Float[Tensor, "batch 1 28 28"], k: float) -> Float[Tensor, "batch 1 28 28"]:
        """Return the noise at one step for all."""
        e = embedded(torch.tensor([k]))[0].to(u.device)
        skips: list[Tensor] = []
        for stage, down in zip(self.stages[:3], (self.down1, self.down2, self.down3), strict=True):
            skips.append(stage(u, e))
            u = down(skips[-1])
        u = self.stages[3](u, e)
        for stage, up in zip(self.stages[4:], (self.up1, self.up2, self.up3), strict=True):
            u = stage(torch.cat([skips.pop(), up(u)], dim=1), e)
        return self.conv_out(u)


_STAGES = {"1": 0, "2": 1, "3": 2, "_mid": 3, "4": 4, "5": 5, "_out": 6}  # as the published names count them


def _ours(name: str) -> str:
    """Return our name of a published tensor; one that is unknown stays as it is, and is refused later."""
    part, _, kind = name.partition(".")
    for stem, place in {"te": "time", "b": "blocks"}.items():
        number = _STAGES.get(part.removeprefix(stem))
        if part.startswith(stem) and number is not None:
            return f"stages.{number}.{place}.{kind}"
    return name


def ddpm(source: str, device: torch.device | str = "cpu") -> NetworkScore:
    """Return the score of such a network, from the registry or the file at a path, on a device.

    Raises DataUnavailable where a registered file cannot be had, UserError for any other contents.
    """
    where, content = contents(source)
    held = tensors(content, where, "network.")
    table = held.pop("time_embed.weight", torch.empty(0))
    rows = embedded(torch.arange(STEPS))
    if table.shape != rows.shape or not torch.allclose(table, rows, rtol=0, atol=1e-3):
        raise UserError(f"{where}: its embedding of time is not the sinusoidal one of {STEPS} steps")
    given = {_ours(name): tensor for name, tensor in held.items()}
    network: DenoisingUNet = fill(DenoisingUNet(), given, where).to(device)
    return NetworkScore(vp_predictor(lambda u, k: network(u[:, None], k)[:, 0], (28, 28), ratios(), np.arange(STEPS)))
