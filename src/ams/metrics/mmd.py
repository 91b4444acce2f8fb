"""The squared maximum mean discrepancy, `E k(X, X') + E k(Y, Y') - 2 E k(X, Y)`, from a matrix of kernel values.

It is zero for equal laws, and only then if the kernel is characteristic (Gretton et al. 2012, JMLR 13, 723). All
samples are rows of one matrix `k` over a pool of N observations, and a sample is a vector of N weights: how often
each observation occurs in it. So what leaves one out, draws with replacement or compares several samples is another
row of weights, and every function takes any number of rows at once. The unit is the kernel's.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

Kernel = Float[np.ndarray, "n n"]
Weights = Float[np.ndarray, "*rows n"]
Values = Float[np.ndarray, "*rows"]
Within = Callable[[Kernel, Weights], Values]


def biased_within(k: Kernel, x: Weights) -> Values:
    """Return the mean of `k` over all pairs of a sample, those of an observation with itself included.

    It exceeds the law's by `(E k(X, X) - E k(X, X')) / n` on average.
    """
    mean: Values = _quadratic(k, x, x) / x.sum(-1) ** 2
    return mean


def unbiased_within(k: Kernel, x: Weights) -> Values:
    """Return the mean of `k` over the pairs of different observations (a U-statistic).

    NaN for a sample that has no such pair.
    """
    squares = x**2
    with np.errstate(invalid="ignore"):
        mean: Values = (_quadratic(k, x, x) - squares @ np.diagonal(k)) / (x.sum(-1) ** 2 - squares.sum(-1))
        return mean


def across(k: Kernel, x: Weights, y: Weights) -> Values:
    """Return the mean of `k` over the pairs of one observation of each sample."""
    mean: Values = _quadratic(k, x, y) / (x.sum(-1) * y.sum(-1))
    return mean


def mmd_squared(k: Kernel, x: Weights, y: Weights, within: Within = unbiased_within) -> Values:
    """Return the squared discrepancy of the samples x and y of the pool.

    With `biased_within` it is never negative, and zero for equal samples; with `unbiased_within` its mean is the
    laws' own, for independent samples.
    """
    squared: Values = within(k, x) + within(k, y) - 2 * across(k, x, y)
    return squared


def _quadratic(k: Kernel, x: Weights, y: Weights) -> Values:
    """Return `x^T k y` of each row, at the cost of the observations that occur in any row."""
    of_x, of_y = (np.flatnonzero(w.reshape(-1, len(k)).any(0)) for w in (x, y))
    sums: Values = np.einsum("...i,...i->...", x[..., of_x] @ k[np.ix_(of_x, of_y)], y[..., of_y])
    return sums
