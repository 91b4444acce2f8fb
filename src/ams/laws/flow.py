"""The exact law at the end of an adaptive solver's run on the probability flow.

Along the flow on a Gaussian target a law `N(m, s^2)` is `m + s xi`, `xi ~ N(0, 1)`: a row of coefficients on the
basis (1, xi), which the flow moves like a sample. So the particles' own solver is called on the rows (m, s), a row a
direction.
"""

from __future__ import annotations

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
    """Return the law at noise `last` of N(mean, variance) at noise `first`, and the evaluations that the solver made.

    Its error is measured on means and standard deviations, over all distinct directions alike. Arguments as for
    `flow_rk45`; raises NotIntegrated as it does, ValueError for a negative variance.
    """
    m, v = (torch.as_tensor(value, dtype=torch.float64).expand(law.variance.shape) for value in (mean, variance))
    if not (v >= 0).all():
        raise ValueError(f"a start's variances must be 0 or more, got {v.tolist()}")
    end, evaluations = flow_rk45(torch.stack([m, v.sqrt()], dim=1), law.score, first, last, rtol, atol, level_at)
    return Moments(end[:, 0], end[:, 1].square()), evaluations
