"""Metrics of image generation in a space of features: KID, precision, recall, density and coverage.

- *Kernel distance* or KID (Binkowski et al., arXiv 1801.01401): the squared MMD with the kernel
  `k(x, y) = (x . y / d + 1)^3`. The estimate is unbiased, so sets of different sizes may be
  compared, and it may be negative.
- *Precision* and *recall* (Kynkaanniemi et al., arXiv 1904.06991). A set's neighbourhoods are balls
  around its samples that extend to the k-th nearest sample of the set. Precision is the share of
  generated samples within the reference's neighbourhoods, recall the share of reference samples
  within the generated set's.
- *Inception score* (Salimans et al., arXiv 1606.03498): `exp E KL(p(class | x) || p(class))`, by a
  classifier's logits.
- *Density* and *coverage* (Naeem et al., arXiv 2002.09797). Density is the mean number of reference
  neighbourhoods that contain a generated sample, divided by k. Coverage is the share of reference
  neighbourhoods that contain one.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ams.metrics.mmd import unbiased_within

NEIGHBOURS = 5
"""The number k of neighbours, as recommended by Naeem et al.; Kynkaanniemi et al. use 3."""


def polynomial_kernel(x: Float[Tensor, "n d"], y: Float[Tensor, "m d"]) -> Float[np.ndarray, "n m"]:
    """Return `(x . y / d + 1)^3` of all pairs of rows (float64)."""
    return ((x.double() @ y.double().mT / x.shape[1] + 1) ** 3).numpy(force=True)


def kernel_distance(
    x: Float[Tensor, "n d"], y: Float[Tensor, "m d"], within: float | None = None
) -> float:
    """Return the unbiased squared MMD with the polynomial kernel, in the unit of the kernel.

    `within` is `kernel_within(y)`, which costs m^2 products; give it to compare several sets with
    one reference. Raises ValueError for fewer than two samples in a set and for different numbers
    of features.
    """
    _check(x, y, 2)
    of_y = kernel_within(y) if within is None else within
    return kernel_within(x) + of_y - 2 * float(polynomial_kernel(x, y).mean())


def kernel_within(x: Float[Tensor, "n d"]) -> float:
    """Return the mean of the polynomial kernel over pairs of different samples of one set."""
    return float(unbiased_within(polynomial_kernel(x, x), np.ones(len(x))))


class Support(NamedTuple):
    """How well the neighbourhoods of two sets cover each other; the values have no unit."""

    precision: float
    recall: float
    density: float
    coverage: float


def support(
    generated: Float[Tensor, "n d"],
    reference: Float[Tensor, "m d"],
    k: int = NEIGHBOURS,
    radii: Float[Tensor, " m"] | None = None,
    apart: Float[Tensor, "n m"] | None = None,
) -> Support:
    """Return precision, recall, density and coverage of the generated set, with neighbourhoods of k
    samples.

    `radii` are `neighbourhoods(reference, k)`, which cost m^2 distances; give them to compare
    several sets with one reference. `apart` are `distances(generated, reference)`; give them to
    compare several parts of one set. Raises ValueError for `k` samples or fewer in a set and for
    different numbers of features.
    """
    _check(generated, reference, k + 1)
    generated, reference = generated.double(), reference.double()
    apart = distances(generated, reference) if apart is None else apart
    in_reference = apart <= (neighbourhoods(reference, k) if radii is None else radii)
    in_generated = apart <= neighbourhoods(generated, k)[:, None]
    return Support(
        float(in_reference.any(1).double().mean()),
        float(in_generated.any(0).double().mean()),
        float(in_reference.double().sum(1).mean() / k),
        float(in_reference.any(0).double().mean()),
    )


def inception_score(
    logits: Iterable[Float[Tensor, "n classes"]], count: int, splits: int = 10
) -> float:
    """Return the mean of the Inception score over `splits` parts of `count` samples, whose logits
    come in blocks.

    Raises ValueError for fewer samples than parts, and where there are not `count` of them.
    """
    if count < splits:
        raise ValueError(f"{count} samples are fewer than {splits} parts")
    ends = torch.tensor([(part + 1) * count // splits for part in range(splits)])
    seen, sums, negentropies = 0, torch.zeros(()), torch.zeros(splits, dtype=torch.float64)
    for block in logits:
        logs = block.double().log_softmax(1)
        place = torch.bucketize(torch.arange(seen, seen + len(logs)), ends, right=True)
        sums = sums + torch.zeros(splits, logs.shape[1], dtype=torch.float64).index_add_(
            0, place, logs.exp()
        )
        negentropies.index_add_(0, place, (logs.exp() * logs).sum(1))
        seen += len(logs)
    if seen != count:
        raise ValueError(f"{seen} samples, expected {count}")
    sizes = ends.diff(prepend=torch.zeros(1, dtype=ends.dtype))
    shares = sums / sizes[:, None]
    return float((negentropies / sizes - torch.xlogy(shares, shares).sum(1)).exp().mean())


def expected_coverage(reference: int, generated: int, k: int = NEIGHBOURS) -> float:
    """Return the expected coverage for equal distributions, `1 - prod_{i=1}^{k} (r - i)/(r + g -
    i)`.

    A neighbourhood contains no generated sample if the k samples nearest to its centre, among the r
    - 1 other reference samples and the g generated ones, are all reference samples.
    """
    return 1 - math.prod((reference - i) / (reference + generated - i) for i in range(1, k + 1))


def neighbourhoods(x: Float[Tensor, "n d"], k: int = NEIGHBOURS) -> Float[Tensor, " n"]:
    """Return each sample's distance to its k-th nearest other sample."""
    return distances(x, x).kthvalue(k + 1, dim=1).values


def distances(x: Float[Tensor, "n d"], y: Float[Tensor, "m d"]) -> Float[Tensor, "n m"]:
    """Return `|x_i - y_j|` of all pairs, float64; 0 for equal rows."""
    return torch.cdist(x.double(), y.double(), compute_mode="donot_use_mm_for_euclid_dist")


def _check(x: Tensor, y: Tensor, fewest: int) -> None:
    if min(len(x), len(y)) < fewest:
        raise ValueError(
            f"at least {fewest} samples of each set are needed, got {len(x)} and {len(y)}"
        )
    if x.shape[1:] != y.shape[1:] or x.ndim != 2:
        raise ValueError(
            f"features have shapes {tuple(x.shape)} and {tuple(y.shape)}: not (n, d) and (m, d)"
        )
