"""Encoding: the operator, its adjoint, its eigenvectors, data consistency; the noise is what is stated."""

import pytest
import torch

from related.mri.forward import (
    NOISE,
    adjoint,
    consistent,
    encoding,
    forward,
    measure,
    residual,
    row_mask,
    sensitivities,
    spectral,
)
from tests.related.mri.made import heads
from tests.rounding import rounding


@pytest.mark.parametrize("acceleration", [4, 8])
def test_a_mask_has_its_rows_and_its_centre(acceleration: int) -> None:
    mask = row_mask(64, acceleration, 3)
    assert mask.sum() == 64 // acceleration and mask[:2].all() and mask[-2:].all()
    assert not torch.equal(mask, row_mask(64, acceleration, 4))


def test_sensitivities_are_divided_by_their_root_sum_of_squares() -> None:
    assert (sensitivities(64).abs().square().sum(0) - 1).abs().max() < 1e-14


def test_the_eigenvectors_are_those_of_the_real_part_of_the_normal_operator() -> None:
    """In float32, of pixels up to 1: two products over 64 rows, and two transforms of 12 stages."""
    x, encoded = heads(2), encoding(64, 4, 0)
    direct = adjoint(forward(x, encoded.mask, encoded.coils), encoded.mask, encoded.coils).real
    assert (spectral(x, encoded, encoded.values) - direct).abs().max() < rounding(2 * 64 + 2 * 12)
    assert encoded.values.min() >= 0 and encoded.values.max() <= 1


@pytest.mark.parametrize("weight", [1e-3, 1.0])
def test_consistency_solves_its_equation(weight: float) -> None:
    """In float32, of pixels up to 1: four products over 64 rows. Division by `N + weight` is undone again."""
    x = heads(2)
    scan = measure(x, 4, 0, torch.Generator().manual_seed(0))
    found = consistent(0.9 * x, scan, weight)
    assert (residual(found, scan) + weight * (0.9 * x - found)).abs().max() < rounding(4 * 64)


def test_the_noise_has_the_stated_deviation() -> None:
    """What remains of the true image's residual is A^H of the noise: its variance is NOISE^2 trace(N) / pixels."""
    x = heads(200)
    scan = measure(x, 4, 0, torch.Generator().manual_seed(0))
    share = scan.encoding.values.mean().item()
    assert residual(x, scan).square().mean().item() == pytest.approx(NOISE**2 * share, rel=0.02)
