"""The exact law at the end of an adaptive solver's run on the probability flow.

On a Gaussian target the distribution `N(m, s^2)` is that of `m + s xi`, `xi ~ N(0, 1)`: a row of coefficients (m, s) on
the basis (1, xi). The flow is affine, so that it transports these rows like samples.
"""

from collections.abc import Callable

import torch

from ams.laws.gaussian import GaussianLaw, Moments, Values
from ams.samplers.rk45 import flow_rk45, ve_level
from ams.schedules import Level


def flowed(
    law: GaussianLaw,
    mean: Values | float,
    variance: Values | float,
    first: float,
    last: float,
    rtol: float = 1e-5,
    atol: float = 1e-5,
    level_at: Callable[[float], Level] = ve_level,
) -> tuple[Moments, int]:
    """Transport N(mean, variance) from noise `first` to noise `last`; returns the moments and the NFE of the solver.

    The tolerances apply to means and standard deviations of all distinct directions. The other arguments are those of
    `flow_rk45`. Raises NotIntegrated if the solver fails, ValueError for a negative variance.
    """
    m, v = (torch.as_tensor(value, dtype=torch.float64).expand(law.variance.shape) for value in (mean, variance))
    if not (v >= 0).all():
        raise ValueError(f"a start's variances must be 0 or more, got {v.tolist()}")
    end, evaluations = flow_rk45(torch.stack([m, v.sqrt()], dim=1), law.score, first, last, rtol, atol, level_at)
    return Moments(end[:, 0], end[:, 1].square()), evaluations
