"""Slices and the split of subjects; real volumes where the mirror has them."""

import numpy as np
import pytest
import torch

from ams.data import volume
from ams.errors import UserError
from related.mri.data import COUNT, SIDE, head_mask, prepared, slices, split
from tests.ams.tools import found_or_skipped
from tests.related.mri.made import heads


def ellipsoid(shape: tuple[int, int, int], middle: tuple[float, float, float]) -> np.ndarray:
    places = np.meshgrid(*map(np.arange, shape), indexing="ij")
    inside = sum(((p - m) / r) ** 2 for p, m, r in zip(places, middle, (35, 45, 70), strict=True))
    return np.where(inside < 1, 400.0 + 2 * places[1], 0.0)


def test_slices_are_centred_scaled_and_come_from_the_vertex_down() -> None:
    found = prepared(ellipsoid((106, 127, 135), (50.0, 66.0, 60.0)))
    assert found.shape == (COUNT, SIDE, SIDE) and found.dtype == np.float32
    areas = (found > 0.3).sum((1, 2))
    assert areas[0] < areas[20] < areas[45] and 0.5 < found.max() <= 1.1
    rows, columns = np.nonzero(found[45] > 0.3)
    assert abs(rows.mean() - 31.5) < 1 and abs(columns.mean() - 31.5) < 1
    assert found[45, 14, 32] > found[45, 50, 32], "the front, which is brighter, is not above"


def test_the_mask_is_the_filled_head() -> None:
    x = heads(2)
    ring = torch.where((x > 0) & (x < 0.5), 0.0, x)
    assert torch.equal(head_mask(ring), x > 0)


def test_an_unknown_volume_is_one_line() -> None:
    with pytest.raises(UserError, match="unknown volume"):
        volume("nichart-t1-1")


def test_a_real_volume_makes_slices() -> None:
    found = found_or_skipped(slices, split().train[0])
    assert found.shape == (COUNT, SIDE, SIDE) and 0.05 < found.mean() < 0.2
    assert 0.2 < head_mask(found[::10]).float().mean() < 0.6
