"""W2 on the line and total variation against scipy, brute force and their defining properties."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from scipy import optimize, spatial

from ams.metrics import total_variation, w2_1d

samples = st.lists(st.floats(-100, 100), min_size=1, max_size=9)


def transport(x: list[float], y: list[float]) -> float:
    """Return W2 by assignment of x and y repeated to a common length."""
    n = math.lcm(len(x), len(y))
    cost = spatial.distance.cdist(*(np.repeat(s, n // len(s))[:, None] for s in (x, y)), "sqeuclidean")
    return math.sqrt(cost[optimize.linear_sum_assignment(cost)].mean())


@settings(deadline=None, max_examples=60)
@given(samples, samples)
def test_w2_is_optimal_transport(x: list[float], y: list[float]) -> None:
    found = w2_1d(torch.tensor(x, dtype=torch.float64), torch.tensor(y, dtype=torch.float64))
    assert found == pytest.approx(transport(x, y), rel=1e-9, abs=1e-12)


def test_w2_of_a_shifted_sample_is_the_shift_in_any_order() -> None:
    x = torch.randn(1000, generator=torch.Generator().manual_seed(0))
    assert w2_1d(x, x.double().flip(0) + 0.25) == pytest.approx(0.25, rel=1e-12)
    assert w2_1d(x, x.repeat(3)) == 0.0


@pytest.mark.parametrize("bad", [[], [math.nan], [[1.0]]])
def test_w2_refuses_what_is_no_sample(bad: list) -> None:
    with pytest.raises(ValueError, match="w2_1d"):
        w2_1d(torch.tensor(bad), torch.ones(2))


def test_total_variation() -> None:
    assert total_variation([1, 3, 0], [0.25, 0.25, 0.5]) == pytest.approx(0.5, rel=1e-15)
    assert total_variation([2, 0], [0, 7]) == 1.0
    assert total_variation([2, 4], [1, 2]) == 0.0


@pytest.mark.parametrize(("p", "match"), [([1.0], "shapes"), ([-1.0, 2.0], "non-neg"), ([0.0, 0.0], "total")])
def test_total_variation_refuses_what_is_no_histogram(p: list[float], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        total_variation(p, [0.5, 0.5])
