"""Metrics in a space of features against brute force and distributions with a known answer."""

import itertools

import numpy as np
import pytest
import torch

from ams.metrics import expected_coverage, kernel_distance, support
from ams.statistics import mean_interval
from tests.ams.tools import draws


def features(n, d, seed, shift=0.0):
    return draws(seed, n, d) + shift


def kernel(a, b):
    return float((a @ b / len(a) + 1) ** 3)


def test_kernel_distance_is_the_u_statistic():
    x, y = features(4, 3, 1), features(3, 3, 2)
    of_x = np.mean([kernel(a, b) for a, b in itertools.permutations(x, 2)])
    of_y = np.mean([kernel(a, b) for a, b in itertools.permutations(y, 2)])
    both = np.mean([kernel(a, b) for a in x for b in y])
    assert kernel_distance(x, y) == pytest.approx(of_x + of_y - 2 * both, rel=1e-12)


def balls(x, k):
    apart = np.array([[float((a - b).norm()) for b in x] for a in x])
    return np.sort(apart, axis=1)[:, k]


def test_support_is_its_definition():
    x, y, k = features(9, 2, 3), features(8, 2, 4, shift=0.5), 2
    of_x, of_y = balls(x, k), balls(y, k)
    apart = np.array([[float((a - b).norm()) for b in y] for a in x])
    shares = support(x, y, k)
    assert shares.precision == pytest.approx(np.mean((apart <= of_y).any(1)))
    assert shares.recall == pytest.approx(np.mean((of_x >= apart.T).any(1)))
    assert shares.density == pytest.approx((apart <= of_y).sum() / k / len(x))
    assert shares.coverage == pytest.approx(np.mean((apart <= of_y).any(0)))


def test_support_shows_a_missing_mode():
    """A set at one of two modes is precise and covers half; one far away is neither."""
    reference = torch.cat([features(60, 3, 5), features(60, 3, 6, shift=50.0)])
    half, away = support(features(60, 3, 7), reference), support(features(60, 3, 8, shift=-90.0), reference)
    assert half.precision > 0.8 and half.coverage < 0.55 and half.recall < 0.55
    assert away == (0.0, 0.0, 0.0, 0.0)


def test_expected_coverage_is_that_of_equal_distributions():
    """The interval of 99.99 % of 200 pairs of sets contains the combinatorial value."""
    values = [support(features(20, 2, 2 * s), features(30, 2, 2 * s + 1), 3).coverage for s in range(1000, 1200)]
    interval = mean_interval(values, 0.9999)
    assert interval.low < expected_coverage(30, 20, 3) < interval.high and interval.high - interval.low < 0.08
    assert expected_coverage(2, 1, 1) == pytest.approx(1 / 2)


@pytest.mark.parametrize("function", [kernel_distance, support])
def test_incomparable_sets_are_refused(function):
    with pytest.raises(ValueError, match="at least"):
        function(torch.zeros(1, 2), torch.zeros(9, 2))
    with pytest.raises((ValueError, TypeError)):
        function(torch.zeros(9, 2), torch.zeros(9, 3))
