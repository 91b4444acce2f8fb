"""The expected norm against mpmath's 1F1 in 40 digits, and its limits."""

import pytest
import torch

from ams.metrics import expected_norm
from tests.ams.laws.test_expected_norm import isotropic


@pytest.mark.parametrize("d", [1, 2, 3, 10, 64, 784, 3072])
def test_it_is_the_closed_form(d: int) -> None:
    for sigma in (0.02, 1.0, 50.0):
        r = [0.0, *(sigma * ratio for ratio in (1e-3, 0.1, 0.5, 1.0, 3.0, 10.0, 30.0, 300.0))]
        norms = expected_norm(torch.tensor(r, dtype=torch.float64), sigma, d)
        exact = torch.tensor([isotropic(value, sigma**2, d) for value in r], dtype=torch.float64)
        torch.testing.assert_close(norms, exact, rtol=3e-13, atol=0)


def test_without_noise_it_is_the_distance_in_float64() -> None:
    r = torch.tensor([[0.0, 1e-8], [2.0, 1e6]])
    torch.testing.assert_close(expected_norm(r, 0.0, 7), r.double(), rtol=1e-13, atol=0)


@pytest.mark.parametrize(("sigma", "dimension"), [(-1.0, 3), (1.0, 0)])
def test_invalid_noise_is_refused(sigma: float, dimension: int) -> None:
    with pytest.raises(ValueError, match="expected_norm"):
        expected_norm(torch.ones(1), sigma, dimension)
