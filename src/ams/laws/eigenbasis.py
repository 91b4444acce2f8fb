"""The exact law on a Gaussian target with any covariance: in the target's eigenbasis, and back.

Steps combine vectors linearly and norms do not see rotations, so in the basis of `C = Q diag(v) Q^T` the law splits
into one direction each: linear cost and memory in the dimension, after one decomposition (which `Gaussian` has made).
The start's covariance must be diagonal in that basis; a multiple of the identity is in every one.
"""

from __future__ import annotations

import torch

from ams.laws.gaussian import GaussianLaw, Moments
from ams.targets.covariance import Covariance
from ams.targets.gaussian import Gaussian


def eigenlaw(target: Gaussian) -> GaussianLaw:
    """Return the law's algebra on `target`, one direction an eigenvector; ValueError for a singular covariance.

    A vector of the sample's space has the coordinates `target.covariance.to_eigenbasis(vector)` there.
    """
    variances, mean = target.covariance.variances, target.covariance.to_eigenbasis(target.mean)
    return GaussianLaw(variances.to(torch.float64), mean.to(torch.float64))


def rotated_back(target: Gaussian, moments: Moments) -> Gaussian:
    """Return the law with these moments in `eigenlaw(target)`'s directions as a Gaussian in the target's own space."""
    mean, variance = (value.to(target.mean) for value in moments)
    centre = target.covariance.from_eigenbasis(mean).reshape(target.shape)
    return Gaussian(centre, Covariance(variance, target.covariance.basis))
