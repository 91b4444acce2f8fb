"""Screening excludes no point with a weight, and both methods give the same posterior."""

import pytest
import torch
from torch import Tensor

from ams.targets.points import Cloud, Query
from ams.targets.posterior import posterior, screened, sharp, smooth


def cloud_and_rows(dtype: torch.dtype) -> tuple[Cloud, Tensor]:
    """Return 400 points and 30 rows: points, midpoints, noise."""
    generator = torch.Generator().manual_seed(0)
    points = torch.rand(400, 20, generator=generator, dtype=torch.float64).to(dtype)
    rows = [
        points[:10],
        (points[:10] + points[10:20]) / 2,
        torch.rand(10, 20, generator=generator, dtype=torch.float64),
    ]
    return Cloud.of(points), torch.cat([part.to(dtype) for part in rows])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("variance", [0.1, 1.0, 100.0])
def test_smooth_and_sharp_agree_where_both_are_valid(variance: float, dtype: torch.dtype) -> None:
    query = Query(*cloud_and_rows(dtype), 0.8, variance)
    tolerance = 1e-4 if dtype == torch.float32 else 1e-12
    one, other = smooth(query), sharp(query)
    for ours, theirs in ((one.log_sum, other.log_sum), (one.mean, other.mean)):
        assert torch.allclose(ours.double(), theirs.double(), rtol=tolerance, atol=tolerance)


def test_small_variances_use_sharp_and_large_ones_smooth() -> None:
    cloud, x = cloud_and_rows(torch.float32)
    small, large = Query(cloud, x, 1.0, 1e-4), Query(cloud, x, 1.0, 1.0)
    assert posterior(small).mean.dtype == torch.float64
    assert posterior(large).mean.dtype == torch.float32


@pytest.mark.parametrize("neglected", [0.0, 5.0, 30.0])
@pytest.mark.parametrize("variance", [1e-6, 1e-3, 1.0])
def test_screening_keeps_every_point_within_the_window(variance: float, neglected: float) -> None:
    query = Query(*cloud_and_rows(torch.float32), 1.0, variance)
    squares = (query.x.double()[:, None] - query.cloud.points.double()).square().sum(2)
    logits = -squares / (2 * variance)
    needed = (logits >= logits.amax(1, keepdim=True) - neglected).nonzero()
    screened_pairs = {
        pair for _, pairs in screened(query, neglected) for pair in zip(*(part.tolist() for part in pairs), strict=True)
    }
    assert {tuple(pair) for pair in needed.tolist()} <= screened_pairs
