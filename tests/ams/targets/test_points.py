"""Logits by products and by differences, and the estimate of their rounding on several kinds of data."""

import pytest
import torch
from torch import Tensor

from ams.targets.points import Cloud, Pairs, Query
from tests.ams.tools import draws


def normal(*shape: int, seed: int = 0) -> Tensor:
    """Return standard normal float32 numbers."""
    return draws(seed, *shape, dtype=torch.float32)


CLOUDS = {
    "plane": normal(3000, 2),
    "far from the origin": normal(3000, 2) + 100,
    "pixels": (normal(1000, 784) > 1).float() * torch.rand(1000, 784, generator=torch.Generator().manual_seed(1)),
    "many dimensions": normal(200, 3072),
    "nearly constant": 1 + 0.01 * normal(500, 784),
    "heavy tails": torch.exp(3 * normal(2000, 64)),
}


@pytest.mark.parametrize("scale", [1.0, 0.3])
@pytest.mark.parametrize("kind", CLOUDS)
def test_rounding_is_estimated_from_above(kind: str, scale: float) -> None:
    """The largest error over all points against products in float64, on points, midpoints, near and far rows.

    Ten per cent over the estimate is allowed, since the window computed from it has a margin of e^-27.
    """
    points = CLOUDS[kind]
    some, noise = points[:100], normal(100, points.shape[1], seed=2)
    x = scale * torch.cat(
        [some, (some + points[100:200]) / 2, some + 0.02 * noise, noise, 100 * noise, torch.ones_like(noise)]
    )
    query = Query(Cloud.of(points), x, scale, 1.0)
    error = query.products(query.cloud) - query.products(query.cloud.wide())
    assert float((error.abs().amax(1) / query.roundoff).max()) < 1.1


def test_products_and_differences_are_the_same_logits() -> None:
    points, x = normal(50, 7).double(), normal(9, 7, seed=1).double()
    query = Query(Cloud.of(points), x, 0.7, 0.3)
    pairs = Pairs(torch.arange(9).repeat_interleave(50), torch.arange(50).repeat(9))
    exact = query.exact(pairs).reshape(9, 50)
    assert torch.allclose(query.products(query.cloud) + query.offset[:, None], exact, rtol=1e-12)
    assert torch.allclose(exact, -(x[:, None] - 0.7 * points).square().sum(2) / 0.6, rtol=1e-12)
