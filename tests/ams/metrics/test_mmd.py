"""MMD against its definition, weights against repeated samples, and its bias."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ams.metrics.mmd import across, biased_within, mmd_squared, unbiased_within


def gaussian(points: np.ndarray) -> np.ndarray:
    """Return the Gaussian kernel of width 1 of points on the line."""
    return np.exp(-0.5 * (points[:, None] - points) ** 2)


def pool(n: int, m: int, seed: int = 0, shift: float = 0.5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a kernel of n standard normal points and m shifted ones, and the weights of both."""
    points = np.random.default_rng(seed).standard_normal(n + m)
    first = np.arange(n + m) < n
    return gaussian(points + shift * ~first), first.astype(float), (~first).astype(float)


def test_both_estimates_are_the_means_over_pairs():
    k, x, y = pool(5, 7)
    kxx, kyy, kxy = k[:5, :5], k[5:, 5:], k[:5, 5:]
    assert mmd_squared(k, x, y, biased_within) == pytest.approx(kxx.mean() + kyy.mean() - 2 * kxy.mean(), rel=1e-12)
    different = [block[~np.eye(len(block), dtype=bool)].mean() for block in (kxx, kyy)]
    assert mmd_squared(k, x, y) == pytest.approx(sum(different) - 2 * kxy.mean(), rel=1e-12)


@given(counts=st.lists(st.integers(0, 3), min_size=9, max_size=9))
@settings(max_examples=25, deadline=None)
def test_a_weight_is_how_often_an_observation_occurs(counts):
    k, x, y = pool(4, 5)
    w = np.array(counts, dtype=float)
    if not (w * x).any() or not (w * y).any():
        return
    written = np.repeat(np.arange(9), counts)
    first = written < 4
    spelled = k[np.ix_(written, written)]
    expected = spelled[np.ix_(first, first)].mean() + spelled[np.ix_(~first, ~first)].mean()
    expected -= 2 * spelled[np.ix_(first, ~first)].mean()
    assert mmd_squared(k, w * x, w * y, biased_within) == pytest.approx(expected, abs=1e-12)


def test_a_pair_of_an_observation_and_its_copy_is_left_out_of_the_unbiased_mean():
    k, _, _ = pool(3, 0)
    assert unbiased_within(k, np.array([2.0, 1.0, 0.0])) == pytest.approx(k[0, 1], rel=1e-12)
    assert np.isnan(unbiased_within(k, np.array([2.0, 0.0, 0.0])))


def test_rows_are_taken_one_by_one():
    k, x, y = pool(6, 4)
    w = np.random.default_rng(1).integers(1, 4, (3, 10)).astype(float)
    for estimate in (biased_within, unbiased_within):
        rows = mmd_squared(k, w * x, w * y, estimate)
        for row, value in zip(w, rows, strict=True):
            assert value == pytest.approx(mmd_squared(k, row * x, row * y, estimate), abs=1e-12)
    assert across(k, w * x, w * y).shape == (3,)


def test_the_unbiased_estimate_has_no_bias():
    """The exact mean over all 4^4 pairs of samples of 2 of distributions on four points."""
    points = np.array([-1.0, 0.0, 0.4, 2.0])
    p, q = np.full(4, 0.25), np.array([0.25, 0.25, 0.5, 0.0])
    kernel = gaussian(points)
    expected = p @ kernel @ p + q @ kernel @ q - 2 * p @ kernel @ q
    samples = np.array(np.meshgrid(*[range(4)] * 4)).reshape(4, -1).T
    likely = np.prod(p[samples[:, :2]], axis=1) * np.prod(q[samples[:, 2:]], axis=1)
    x, y = np.repeat([1.0, 0.0], 2), np.repeat([0.0, 1.0], 2)
    estimates = {
        within: np.array([mmd_squared(kernel[np.ix_(s, s)], x, y, within) for s in samples])
        for within in (unbiased_within, biased_within)
    }
    assert likely @ estimates[unbiased_within] == pytest.approx(expected, rel=1e-12)
    bias = sum((1 - weights @ kernel @ weights) / 2 for weights in (p, q))
    assert likely @ estimates[biased_within] == pytest.approx(expected + bias, rel=1e-12)
