"""The expected norm against mpmath's 1F1 in 60 digits, and its limits."""

import mpmath
import pytest
import torch

from ams.metrics import expected_norm


def by_hypergeometric(r: float, sigma: float, d: int) -> float:
    """Return `E|r e + sigma z|` in 60 digits."""
    with mpmath.workdps(60):
        half, u = mpmath.mpf(d) / 2, (mpmath.mpf(r) / mpmath.mpf(sigma)) ** 2 / 2
        ratio = mpmath.gamma(half + mpmath.mpf(1) / 2) / mpmath.gamma(half)
        return float(mpmath.mpf(sigma) * mpmath.sqrt(2) * ratio * mpmath.hyp1f1(-mpmath.mpf(1) / 2, half, -u))


@pytest.mark.parametrize("d", [1, 2, 3, 10, 64, 784, 3072])
def test_it_is_the_closed_form(d: int) -> None:
    for sigma in (0.02, 1.0, 50.0):
        r = [0.0, *(sigma * ratio for ratio in (1e-3, 0.1, 0.5, 1.0, 3.0, 10.0, 30.0, 300.0))]
        norms = expected_norm(torch.tensor(r, dtype=torch.float64), sigma, d)
        exact = torch.tensor([by_hypergeometric(value, sigma, d) for value in r], dtype=torch.float64)
        torch.testing.assert_close(norms, exact, rtol=3e-13, atol=0)


def test_without_noise_it_is_the_distance_in_float64() -> None:
    r = torch.tensor([[0.0, 1e-8], [2.0, 1e6]])
    torch.testing.assert_close(expected_norm(r, 0.0, 7), r.double(), rtol=1e-13, atol=0)


@pytest.mark.parametrize(("sigma", "dimension"), [(-1.0, 3), (1.0, 0)])
def test_invalid_noise_is_refused(sigma: float, dimension: int) -> None:
    with pytest.raises(ValueError, match="expected_norm"):
        expected_norm(torch.ones(1), sigma, dimension)
