"""The squared maximum mean discrepancy, `E k(X, X') + E k(Y, Y') - 2 E k(X, Y)`, from a matrix of
kernel values.

It is 0 for equal distributions, and only for these if the kernel is characteristic (Gretton et al.
2012, JMLR 13, 723). The matrix `k` is over a pool of N observations. A sample is a vector of N
weights, the number of times that each observation occurs in it. Leaving observations out and
drawing with replacement only change weights, and all functions take several rows of weights at
once. The unit is that of the kernel.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

Kernel = Float[np.ndarray, "n n"]
Weights = Float[np.ndarray, "*#rows n"]
Values = Float[np.ndarray, "*rows"]
Within = Callable[[Kernel, Weights], Values]


def biased_within(k: Kernel, x: Weights) -> Values:
    """Return the mean of `k` over all pairs of observations of a sample, also pairs of an
    observation with itself.

    Its bias is `(E k(X, X) - E k(X, X')) / n`.
    """
    return np.asarray(_quadratic(k, x, x) / x.sum(-1) ** 2)


def unbiased_within(k: Kernel, x: Weights) -> Values:
    """Return the mean of `k` over pairs of different observations of a sample (a U-statistic),
    nan without a pair.
    """
    squares = x**2
    with np.errstate(invalid="ignore"):
        return np.asarray(
            (_quadratic(k, x, x) - squares @ np.diagonal(k)) / (x.sum(-1) ** 2 - squares.sum(-1))
        )


def across(k: Kernel, x: Weights, y: Weights) -> Values:
    """Return the mean of `k` over pairs of an observation of one sample and an observation of
    the other.
    """
    return np.asarray(_quadratic(k, x, y) / (x.sum(-1) * y.sum(-1)))


def mmd_squared(k: Kernel, x: Weights, y: Weights, within: Within = unbiased_within) -> Values:
    """Return the squared MMD of the samples x and y of the pool.

    With `biased_within` the estimate is not negative, and 0 for equal samples. With
    `unbiased_within` it is unbiased for independent samples.
    """
    return np.asarray(within(k, x) + within(k, y) - 2 * across(k, x, y))


def _quadratic(k: Kernel, x: Weights, y: Weights) -> Values:
    """Return `x^T k y` of each row; the cost depends on the number of observations with a
    weight.
    """
    of_x, of_y = (np.flatnonzero(w.reshape(-1, len(k)).any(0)) for w in (x, y))
    return np.asarray(
        np.einsum("...i,...i->...", x[..., of_x] @ k[np.ix_(of_x, of_y)], y[..., of_y])
    )
