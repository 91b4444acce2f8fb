"""The exact law on a Gaussian target with any covariance, computed in the eigenbasis of the target.

Steps combine vectors linearly and norms are invariant under rotations. In the eigenbasis of `C = Q diag(v) Q^T` the
directions are therefore independent, and cost and memory are linear in the dimension. The covariance of the start must
be diagonal in this basis, as every multiple of the identity is.
"""

import torch

from ams.laws.gaussian import GaussianLaw, Moments
from ams.targets.covariance import Covariance
from ams.targets.gaussian import Gaussian


def eigenlaw(target: Gaussian) -> GaussianLaw:
    """Return the exact law's algebra on `target`, with one direction for each eigenvector.

    A sample `x` has the coordinates `target.covariance.to_eigenbasis(x)`. Raises ValueError for a singular covariance.
    """
    variances, mean = target.covariance.variances, target.covariance.to_eigenbasis(target.mean)
    return GaussianLaw(variances.to(torch.float64), mean.to(torch.float64))


def rotated_back(target: Gaussian, moments: Moments) -> Gaussian:
    """Return the Gaussian in the space of `target` that has these moments in the directions of `eigenlaw(target)`."""
    mean, variance = (value.to(target.mean) for value in moments)
    centre = target.covariance.from_eigenbasis(mean).reshape(target.shape)
    return Gaussian(centre, Covariance(variance, target.covariance.basis))
