r"""How an image becomes k-space: coils, Cartesian masks, the operator with its adjoint, complex
noise. All simulated.

    A_c x = M F (S_c x),   A^H y = sum_c conj(S_c) F^H (M y_c),   y = A x + noise ,

F the unitary Fourier transform, M the mask of sampled rows, S_c the coils' sensitivities with
`sum_c |S_c|^2 = 1`, the noise complex normal of standard deviation `NOISE` in each of its two parts
on what is sampled. Images are real, so all that the data say of one is `b = Re A^H y`. As whole
rows are sampled, `N = Re A^H A` acts on each column alone: a matrix of 64 x 64 a column, whose
eigenvectors and eigenvalues, in [0, 1], are computed once a mask.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import torch
from jaxtyping import Bool, Complex, Float
from torch import Tensor
from torch.fft import fft, fft2, ifft, ifft2, ifftshift

COILS = 4
NOISE = 0.01
"""Standard deviation of each part of the noise, in units of an image's scale: a fiftieth of
white matter.
"""
CENTRE = {4: 8, 8: 4}
"""Rows of the calibration centre that are always sampled, by the acceleration."""


class Encoding(NamedTuple):
    """Sampled rows, coils' sensitivities; of `N`, a column of the image each: eigenvalues,
    eigenvectors as columns.
    """

    mask: Bool[Tensor, " h"]
    coils: Complex[Tensor, "coils h w"]
    values: Float[Tensor, "w h"]
    vectors: Float[Tensor, "w h h"]


class Scan(NamedTuple):
    """What is known of n images: `b = Re A^H y`, and how they were measured."""

    b: Float[Tensor, "n h w"]
    encoding: Encoding


def sensitivities(side: int) -> Complex[Tensor, "coils h w"]:
    """Return four smooth sensitivities: Gaussians about the sides' middles, each with a phase
    linear in space.

    They are divided by their root sum of squares. The width is .6 of the field of view; the phase
    turns by up to one radian across it.
    """
    place = torch.linspace(-0.5, 0.5, side, dtype=torch.float64)
    down, right = torch.meshgrid(place, place, indexing="ij")
    angles = (
        torch.arange(COILS, dtype=torch.float64)[:, None, None] * (2 * math.pi / COILS)
        + math.pi / 4
    )
    along = down * angles.sin() + right * angles.cos()
    distance2 = (down - 0.6 * angles.sin()).square() + (right - 0.6 * angles.cos()).square()
    coils = torch.polar((-distance2 / (2 * 0.6**2)).exp(), along + angles)
    return coils / coils.abs().square().sum(0).sqrt()


def row_mask(side: int, acceleration: int, seed: int) -> Bool[Tensor, " h"]:
    """Return a mask of `side / acceleration` rows: the calibration centre, and others drawn denser
    near the centre.

    A row at distance r of the centre is drawn with odds `(1 - r / (side / 2))^2 + .02`. Frequency 0
    is the first row.
    """
    rows, centre, middle = side // acceleration, CENTRE[acceleration], side // 2
    mask = torch.zeros(side, dtype=torch.bool)
    mask[middle - centre // 2 : middle - centre // 2 + centre] = True
    distance = (torch.arange(side) - middle).abs() / middle
    odds = torch.where(mask, 0.0, (1 - distance).square() + 0.02)
    mask[torch.multinomial(odds, rows - centre, generator=torch.Generator().manual_seed(seed))] = (
        True
    )
    return ifftshift(mask)


def forward(
    x: Tensor, mask: Bool[Tensor, " h"], coils: Complex[Tensor, "coils h w"]
) -> Complex[Tensor, "n coils h w"]:
    """Return `A x` of images (n, h, w)."""
    return mask[:, None] * fft2(coils * x[:, None], norm="ortho")


def adjoint(
    y: Complex[Tensor, "n coils h w"], mask: Bool[Tensor, " h"], coils: Complex[Tensor, "coils h w"]
) -> Complex[Tensor, "n h w"]:
    """Return `A^H y`."""
    return (coils.conj() * ifft2(mask[:, None] * y, norm="ortho")).sum(1)


@lru_cache(maxsize=64)
def encoding(side: int, acceleration: int, seed: int) -> Encoding:
    """Return the encoding of a drawn mask, float32; computed in float64."""
    mask, coils = row_mask(side, acceleration, seed), sensitivities(side)
    eye = torch.eye(side, dtype=torch.complex128)
    rows = ifft(mask[:, None] * fft(eye, dim=0), dim=0)
    normal = torch.einsum("chw,hk,ckw->whk", coils.conj(), rows, coils).real
    values, vectors = torch.linalg.eigh(normal)
    return Encoding(
        mask,
        coils.to(torch.complex64),
        values.clamp(0.0, 1.0).float(),
        vectors.float().contiguous(),
    )


def measure(
    x: Float[Tensor, "n h w"], acceleration: int, mask_seed: int, generator: torch.Generator
) -> Scan:
    """Return the scan of images, with noise from a generator."""
    encoded = encoding(x.shape[-1], acceleration, mask_seed)
    parts = torch.randn(len(x), COILS, *x.shape[1:], 2, generator=generator)
    y = forward(x, encoded.mask, encoded.coils) + NOISE * torch.view_as_complex(parts)
    return Scan(adjoint(y, encoded.mask, encoded.coils).real, encoded)


def spectral(
    x: Float[Tensor, "n h w"], encoded: Encoding, factors: Float[Tensor, "w h"]
) -> Float[Tensor, "n h w"]:
    """Return `f(N) x` for a function of the eigenvalues with these values."""
    columns = torch.bmm(x.permute(2, 0, 1), encoded.vectors) * factors[:, None]
    return torch.bmm(columns, encoded.vectors.mT).permute(1, 2, 0)


def residual(x: Float[Tensor, "n h w"], scan: Scan) -> Float[Tensor, "n h w"]:
    """Return `Re A^H (y - A x) = b - N x`."""
    return scan.b - spectral(x, scan.encoding, scan.encoding.values)


def consistent(
    given: Float[Tensor, "n h w"], scan: Scan, weight: float | Tensor
) -> Float[Tensor, "n h w"]:
    """Return the image that minimises `|y - A x|^2 + weight |x - given|^2`, exactly."""
    values = scan.encoding.values
    return spectral(scan.b + weight * given, scan.encoding, 1 / (values + weight))
