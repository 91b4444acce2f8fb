"""Covariances: all forms of the argument, and invalid arguments; the targets' tests see what they compute."""

import math

import pytest
import torch

from ams.targets import Covariance
from ams.targets.covariance import as_covariance
from tests.ams.tools import draws

MEAN, SHAPE = torch.zeros(4, dtype=torch.float64), (2, 2)
MATRIX = torch.tensor([[2.0, 0.5, 0, 0], [0.5, 1.0, 0, 0], [0, 0, 3.0, -1.0], [0, 0, -1.0, 1.0]], dtype=torch.float64)


def test_every_form_is_its_matrix() -> None:
    eye = torch.eye(4, dtype=torch.float64)
    assert torch.equal(as_covariance(3.0, MEAN, SHAPE).matrix(), 3 * eye)
    for given in ([1.0, 2.0, 3.0, 4.0], [[1.0, 2.0], [3.0, 4.0]]):
        assert torch.equal(as_covariance(given, MEAN, SHAPE).matrix(), torch.diag(torch.arange(1.0, 5.0)).double())
    torch.testing.assert_close(as_covariance(MATRIX, MEAN, SHAPE).matrix(), MATRIX, rtol=1e-14, atol=1e-14)
    covariance = Covariance(torch.ones(4))
    assert as_covariance(covariance, MEAN, SHAPE) is covariance


def test_components_have_one_form_or_their_own() -> None:
    means = torch.zeros(2, 4, dtype=torch.float64)
    for given in (3.0, [3.0, 3.0]):
        assert torch.equal(as_covariance(given, means, SHAPE).matrix(), 3 * torch.eye(4).double().expand(2, 4, 4))
    both = as_covariance(torch.stack([MATRIX, 2 * MATRIX]), means, SHAPE)
    torch.testing.assert_close(both.component(1).matrix(), 2 * MATRIX, rtol=1e-14, atol=1e-14)
    diagonal = as_covariance(torch.ones(2, 2, 2), means, SHAPE)
    assert torch.equal(diagonal.component(0).matrix(), torch.eye(4).double())


def test_rounding_of_single_precision_is_allowed() -> None:
    u = draws(1, 4, 1, dtype=torch.float32)
    flat = u @ u.mT  # rank 1: eigenvalues of about -1e-8 in float32
    assert bool((as_covariance(flat, MEAN.float(), SHAPE).variances >= 0).all())
    assert as_covariance(flat, MEAN.float(), SHAPE).to(torch.float64).variances.dtype == torch.float64


@pytest.mark.parametrize(
    ("given", "match"),
    [
        (math.nan, "not finite"),
        (-1.0, "variance -1 is negative"),
        ([1.0, 1.0, -2.0, 1.0], "variance -2 is negative"),
        (torch.triu(MATRIX), "not symmetric"),
        (MATRIX - 2 * torch.eye(4), "eigenvalue -1.41421"),
        (torch.ones(3), r"shape \(3,\) fits neither a number, \(4,\) nor \(4, 4\)"),
    ],
)
def test_invalid_covariances_are_refused(given: object, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        as_covariance(given, MEAN, SHAPE)
