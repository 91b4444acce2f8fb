r"""The noise predictors of a DDPM tutorial, for MNIST and Fashion-MNIST: 1000 steps, linear beta
from 1e-4 to 0.02.

    u_k = r_k u_0 + sigma_k z,   u_0 = 2 x_0 - 1
    r_k^2 = prod_{j<=k} (1 - b_j),   sigma_k^2 = 1 - r_k^2

A U-Net of seven stages of three blocks (28, 14, 7, 3, 7, 14, 28 pixels) with concatenated skips; at
each stage a function of the step's sinusoidal embedding is added to every pixel. The published
embedding is a table of the 1000 steps; here it is the formula of that table, so a noise level
between two steps has a step too (`k` interpolated in `ln v`). In pixels of [0, 1] the noise is `v =
sigma_k / (2 r_k)`.

Source: Ho et al., arXiv 2006.11239; weights: registry entries `mnist-ddpm`, `fashion-ddpm`.
"""

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import silu

from ams.errors import UserError
from experiments.images.networks.loading import fill, published
from experiments.images.networks.score_adapter import NetworkScore, vp_score

STEPS, EMBEDDING, BETAS = 1000, 100, (1e-4, 0.02)
STAGES = (
    *(
        ("1", 28, 1, 10, 10, 10),
        ("2", 14, 10, 20, 20, 20),
        ("3", 7, 20, 40, 40, 40),
        ("_mid", 3, 40, 20, 20, 40),
    ),
    *(("4", 7, 80, 40, 20, 20), ("5", 14, 40, 20, 10, 10), ("_out", 28, 20, 10, 10, 10)),
)
"""Of each stage its published name, the pixels of a side, the channels before, between and after
its blocks.
"""


def ratios() -> np.ndarray:
    """Return `sigma_k / r_k` of every step, in units of the network's data, least noisy first."""
    scale2 = np.cumprod(1.0 - np.linspace(*BETAS, STEPS))
    return np.sqrt((1.0 - scale2) / scale2)


def embedded(k: Tensor) -> Float[Tensor, "steps embedding"]:
    """Return `sin(w_i k), cos(w_i k)` in turn, `w_i = 10000^(-4 i / EMBEDDING)`: the published
    table's rows.
    """
    powers = torch.arange(EMBEDDING // 2, dtype=torch.float64) * (-4.0 / EMBEDDING)
    angles = k[:, None].double() * torch.exp(powers * math.log(10_000.0))
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1).float()


class Block(nn.Module):
    """`silu(conv(silu(conv(norm(x)))))`, the norm over channels and pixels; without it where not
    `normalised`.
    """

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


class DenoisingUNet(nn.Module):
    """The U-Net, its parts under their published names: the noise that it sees in `u` at step `k`.

    A stage is three blocks on `x + mlp(e)`, the mlp's output being added to every pixel.
    """

    def __init__(self) -> None:
        super().__init__()
        for name, side, *widths in STAGES:
            mlp = nn.Linear(EMBEDDING, widths[0]), nn.SiLU(), nn.Linear(widths[0], widths[0])
            self.add_module(f"te{name}", nn.Sequential(*mlp))
            # published so: the last norm is stored and not used
            normalised = (
                True,
                True,
                name != "_out",
            )
            sizes = zip(widths, widths[1:], normalised, strict=False)
            self.add_module(
                f"b{name}", nn.Sequential(*(Block(i, o, side, norm) for i, o, norm in sizes))
            )
        self.down1 = nn.Conv2d(10, 10, 4, 2, 1)
        self.down2 = nn.Conv2d(20, 20, 4, 2, 1)
        self.down3 = nn.Sequential(nn.Conv2d(40, 40, 2, 1), nn.SiLU(), nn.Conv2d(40, 40, 4, 2, 1))
        self.up1 = nn.Sequential(
            nn.ConvTranspose2d(40, 40, 4, 2, 1), nn.SiLU(), nn.ConvTranspose2d(40, 40, 2, 1)
        )
        self.up2 = nn.ConvTranspose2d(20, 20, 4, 2, 1)
        self.up3 = nn.ConvTranspose2d(10, 10, 4, 2, 1)
        self.conv_out = nn.Conv2d(10, 1, 3, padding=1)

    def forward(
        self, u: Float[Tensor, "batch 1 28 28"], k: float
    ) -> Float[Tensor, "batch 1 28 28"]:
        """Return the noise at one step for all."""
        e = embedded(torch.tensor([k]))[0].to(u.device)
        skips: list[Tensor] = []
        for i in (1, 2, 3):
            skips.append(self._stage(str(i), u, e))
            u = self.get_submodule(f"down{i}")(skips[-1])
        u = self._stage("_mid", u, e)
        for i, name in enumerate(("4", "5", "_out"), 1):
            u = self._stage(
                name, torch.cat([skips.pop(), self.get_submodule(f"up{i}")(u)], dim=1), e
            )
        return self.conv_out(u)

    def _stage(
        self, name: str, x: Float[Tensor, "batch i h w"], e: Float[Tensor, " embedding"]
    ) -> Tensor:
        return self.get_submodule(f"b{name}")(x + self.get_submodule(f"te{name}")(e)[:, None, None])


def ddpm(source: str, device: torch.device | str = "cpu") -> NetworkScore:
    """Return the score of such a network, from the registry or the file at a path, on a device.

    Raises DataUnavailable where a registered file cannot be had, UserError for any other contents.
    """
    where, given = published(source, "network.")
    table, rows = given.pop("time_embed.weight", torch.empty(0)), embedded(torch.arange(STEPS))
    if table.shape != rows.shape or not torch.allclose(table, rows, rtol=0, atol=1e-3):
        raise UserError(
            f"{where}: its embedding of time is not the sinusoidal one of {STEPS} steps"
        )
    network: DenoisingUNet = fill(DenoisingUNet(), given, where).to(device)
    return vp_score(lambda u, k: network(u[:, None], k)[:, 0], (28, 28), ratios(), np.arange(STEPS))
