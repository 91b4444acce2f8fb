r"""How an image becomes k-space: coils, Cartesian masks, the operator with its adjoint, complex noise. All simulated.

    A_c x = M F (S_c x),   A^H y = sum_c conj(S_c) F^H (M y_c),   y = A x + noise ,

F the unitary Fourier transform, M the mask of sampled rows, S_c the coils' sensitivities with `sum_c |S_c|^2 = 1`, the
noise complex normal of standard deviation `NOISE` in each of its two parts on what is sampled. Images are real.
"""

import math
from typing import NamedTuple

import torch
from jaxtyping import Bool, Complex, Float
from torch import Tensor
from torch.fft import fft2, fftshift, ifft2, ifftshift

COILS = 4
NOISE = 0.01
"""Standard deviation of each part of the noise, in units of an image's scale: a fiftieth of white matter."""
CENTRE = {4: 8, 8: 4}
"""Rows of the calibration centre that are always sampled, by the acceleration."""


class Scan(NamedTuple):
    """Undersampled k-space of slices, the mask of its rows and the coils' sensitivities."""

    kspace: Complex[Tensor, "n coils h w"]
    mask: Bool[Tensor, " h"]
    coils: Complex[Tensor, "coils h w"]


def sensitivities(side: int, dtype: torch.dtype = torch.float32) -> Complex[Tensor, "coils h w"]:
    """Return four smooth sensitivities: Gaussians about the sides' middles, each with a phase linear in space.

    They are divided by their root sum of squares. The width is .6 of the field of view; the phase turns by up to one
    radian across it.
    """
    place = torch.linspace(-0.5, 0.5, side, dtype=torch.float64)
    down, right = torch.meshgrid(place, place, indexing="ij")
    angles = torch.arange(COILS, dtype=torch.float64)[:, None, None] * (2 * math.pi / COILS) + math.pi / 4
    along = down * angles.sin() + right * angles.cos()
    distance2 = (down - 0.6 * angles.sin()).square() + (right - 0.6 * angles.cos()).square()
    coils = torch.polar((-distance2 / (2 * 0.6**2)).exp(), along + angles)
    coils = coils / coils.abs().square().sum(0).sqrt()
    return coils.to(torch.complex128 if dtype == torch.float64 else torch.complex64)


def row_mask(side: int, acceleration: int, seed: int) -> Bool[Tensor, " h"]:
    """Return a mask of `side / acceleration` rows: the calibration centre, and others drawn denser near the centre.

    A row at distance r of the centre is drawn with odds `(1 - r / (side / 2))^2 + .02`. The first row is the centre's.
    """
    rows, centre = side // acceleration, CENTRE[acceleration]
    mask = torch.zeros(side, dtype=torch.bool)
    middle = side // 2
    mask[middle - centre // 2 : middle - centre // 2 + centre] = True
    distance = (torch.arange(side) - middle).abs() / middle
    odds = torch.where(mask, 0.0, (1 - distance).square() + 0.02)
    drawn = torch.multinomial(odds, rows - centre, generator=torch.Generator().manual_seed(seed))
    mask[drawn] = True
    return ifftshift(mask)


def forward(x: Tensor, mask: Bool[Tensor, " h"], coils: Complex[Tensor, "coils h w"]) -> Complex[Tensor, "n coils h w"]:
    """Return `A x` of images (n, h, w)."""
    return mask[:, None] * fft2(coils * x[:, None], norm="ortho")


def adjoint(scan: Scan) -> Complex[Tensor, "n h w"]:
    """Return `A^H y`."""
    return (scan.coils.conj() * ifft2(scan.mask[:, None] * scan.kspace, norm="ortho")).sum(1)


def residual(x: Float[Tensor, "n h w"], scan: Scan) -> Float[Tensor, "n h w"]:
    """Return the real part of `A^H (y - A x)`: the image has no imaginary part, nor has what corrects it."""
    return adjoint(scan._replace(kspace=scan.kspace - forward(x, scan.mask, scan.coils))).real


def measure(x: Float[Tensor, "n h w"], acceleration: int, mask_seed: int, noise_seed: int) -> Scan:
    """Return the scan of images with a drawn mask and noise; of one image with one seed always the same."""
    coils, mask = sensitivities(x.shape[-1], x.dtype), row_mask(x.shape[-1], acceleration, mask_seed)
    generator = torch.Generator().manual_seed(noise_seed)
    parts = torch.randn(len(x), COILS, *x.shape[1:], 2, generator=generator, dtype=x.dtype)
    clean = forward(x, mask, coils)
    return Scan(clean + mask[:, None] * NOISE * torch.view_as_complex(parts), mask, coils)


def shown(mask: Bool[Tensor, " h"]) -> Bool[Tensor, " h"]:
    """Return the mask with the lowest frequency in the middle."""
    return fftshift(mask)
