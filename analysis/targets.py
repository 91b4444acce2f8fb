"""The targets that several groups of claims share."""

import math

import torch

from ams.grid_function import GridFunction
from ams.laws.gaussian import GaussianLaw
from ams.laws.quadrature_algebra import NodeAlgebra
from ams.targets import CLEAN, GaussianMixture


def stiff_gaussian(condition: float = 1000.0) -> GaussianLaw:
    """The exact law's algebra on a Gaussian: 16 variances log-spaced from 1 to `1 / condition`,
    a mean of norm 2.
    """
    return GaussianLaw(
        torch.logspace(0.0, -math.log10(condition), 16, dtype=torch.float64), mean=0.5
    )


def two_modes(spread: float = 0.5, minority: float = 0.3) -> GaussianMixture:
    """The mixture `minority` N(-1, spread^2) + (1 - `minority`) N(1, spread^2) on the line."""
    return GaussianMixture([minority, 1.0 - minority], [[-1.0], [1.0]], spread**2)


def of_power(power: float = 1.0) -> GridFunction:
    """Return the density of the normalised `power` of `two_modes()`."""
    return NodeAlgebra(two_modes()).exact(CLEAN, power)
