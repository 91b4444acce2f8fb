"""`E|g|`, that of the exact law and that of the metrics, against closed forms in 40 digits:
1e-12 relative.
"""

import math

import mpmath
import numpy as np
import pytest
import torch
from torch import Tensor

from ams import metrics
from ams.laws import expected_norm
from ams.laws.expected_norm import expected_norms


def of(
    mean: list[float] | Tensor,
    variance: list[float] | Tensor,
    count: list[float] | Tensor | None = None,
) -> float:
    """Return the expected norm, each direction once unless counted."""
    tensors = [torch.as_tensor(v, dtype=torch.float64) for v in (mean, variance)]
    counts = (
        torch.ones_like(tensors[0])
        if count is None
        else torch.as_tensor(count, dtype=torch.float64)
    )
    return expected_norm(*tensors, counts)


def isotropic(r: float, variance: float, d: float) -> float:
    """Return `E|r e + sqrt(v) z|` in 40 digits: `sqrt(2 v) Gamma((d+1)/2) / Gamma(d/2) 1F1(-1/2;
    d/2; -r^2 / 2v)`.
    """
    with mpmath.workdps(40):
        half, v = mpmath.mpf(d) / 2, mpmath.mpf(variance)
        ratio = mpmath.exp(mpmath.loggamma(half + 0.5) - mpmath.loggamma(half))
        return float(
            mpmath.sqrt(2 * v) * ratio * mpmath.hyp1f1(-0.5, half, -(mpmath.mpf(r) ** 2) / (2 * v))
        )


def extended(variance: np.ndarray) -> float:
    """Return `E|g|` without a mean from Frullani's formula: trapezoidal rule in `log t`,
    extended precision.
    """
    v = variance.astype(np.longdouble) / variance.astype(np.longdouble).sum()
    t = np.exp(np.arange(-90, 60, 0.25, dtype=np.longdouble))
    ratio = 1 + 2 * np.outer(t, v)
    terms = np.sqrt(t) * np.exp(-np.log(ratio).sum(1) / 2) * (v / ratio).sum(1)
    return float(np.sqrt(variance.sum() / np.pi) * terms.sum() * 0.25)


@pytest.mark.parametrize("d", [1, 2, 3, 16, 784, 3072, 10**6])
def test_it_is_the_chi_mean_without_a_mean(d: int) -> None:
    for variance in (1e-300, 1e-200, 1e-3, 1.0, 1e5, 1e200, 1e300):
        assert of([0.0], [variance], [d]) == pytest.approx(isotropic(0.0, variance, d), rel=1e-12)


@pytest.mark.parametrize("d", [1, 2, 5, 64, 784])
def test_it_is_the_hypergeometric_function_with_one(d: int) -> None:
    for r in (1e-8, 0.1, 1.0, 7.0, 60.0):
        per_direction = torch.full((d,), r / math.sqrt(d), dtype=torch.float64)
        assert of(per_direction, torch.ones(d)) == pytest.approx(isotropic(r, 1.0, d), rel=1e-12)
        assert of([r / math.sqrt(d)], [1.0], [d]) == pytest.approx(isotropic(r, 1.0, d), rel=1e-12)


def test_a_wide_spectrum_is_resolved() -> None:
    """4096 distinct directions over twelve decades: the same as with each of 64 groups of 64
    equal ones counted.
    """
    grouped = torch.logspace(-12, 0, 64, dtype=torch.float64)
    counted = of(torch.zeros(64), grouped, torch.full((64,), 64.0))
    assert of(torch.zeros(4096), grouped.repeat_interleave(64)) == pytest.approx(counted, rel=1e-12)
    apart = torch.logspace(-12, 0, 4096, dtype=torch.float64)
    assert of(torch.zeros(4096), apart) == pytest.approx(extended(apart.numpy()), rel=1e-12)


def test_without_variance_it_is_the_length() -> None:
    assert of([3.0, 4.0], [0.0, 0.0]) == pytest.approx(5.0, rel=1e-12)
    assert of([3e-200, 4e-200], [0.0, 0.0]) == pytest.approx(5e-200, rel=1e-12)
    assert of([3e200, 4e200], [0.0, 0.0]) == pytest.approx(5e200, rel=1e-12)


def test_zero_gives_zero_and_infinite_input_nan() -> None:
    assert of([0.0, 0.0], [0.0, 0.0]) == 0.0
    assert of([0.0, 0.0], [1.0, 0.0]) == pytest.approx(math.sqrt(2 / math.pi), rel=1e-12)
    for mean, variance in (
        ([math.nan, 1.0], [1.0, 1.0]),
        ([0.0, 0.0], [math.inf, 1.0]),
        ([1.0, 1.0], [1.0, math.nan]),
    ):
        assert math.isnan(of(mean, variance))


def test_several_at_once_are_the_same_ones() -> None:
    generator = torch.Generator().manual_seed(3)
    mean, count = (
        torch.randn(6, 5, dtype=torch.float64, generator=generator),
        torch.tensor([1.0, 3, 1, 2, 1]).double(),
    )
    variance = torch.logspace(-9, 6, 30, dtype=torch.float64).reshape(6, 5)
    mean[0], variance[0], mean[1, 2] = 0.0, 0.0, math.inf
    together = expected_norms(mean, variance, count)
    alone = [expected_norm(m, v, count) for m, v in zip(mean, variance, strict=True)]
    assert together[0] == 0.0 and math.isnan(together[1]) and math.isnan(alone[1])
    assert together[2:].tolist() == pytest.approx(alone[2:], rel=1e-13)
    assert expected_norms(mean[:1], variance[:1], count).tolist() == [0.0]


@pytest.mark.parametrize("d", [1, 2, 3, 10, 64, 784, 3072])
def test_it_is_the_closed_form(d: int) -> None:
    for sigma in (0.02, 1.0, 50.0):
        r = [0.0, *(sigma * ratio for ratio in (1e-3, 0.1, 0.5, 1.0, 3.0, 10.0, 30.0, 300.0))]
        norms = metrics.expected_norm(torch.tensor(r, dtype=torch.float64), sigma, d)
        exact = torch.tensor([isotropic(value, sigma**2, d) for value in r], dtype=torch.float64)
        torch.testing.assert_close(norms, exact, rtol=3e-13, atol=0)


def test_without_noise_it_is_the_distance_in_float64() -> None:
    r = torch.tensor([[0.0, 1e-8], [2.0, 1e6]])
    torch.testing.assert_close(metrics.expected_norm(r, 0.0, 7), r.double(), rtol=1e-13, atol=0)


@pytest.mark.parametrize(("sigma", "dimension"), [(-1.0, 3), (1.0, 0)])
def test_invalid_noise_is_refused(sigma: float, dimension: int) -> None:
    with pytest.raises(ValueError, match="expected_norm"):
        metrics.expected_norm(torch.ones(1), sigma, dimension)
