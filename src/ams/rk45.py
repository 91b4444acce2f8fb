"""The probability-flow ODE by the adaptive solver RK45 (Dormand and Prince), which is a run of its
own and not a step.

In `y = x / r`, `v = sigma / r` the flow is `dy/dv = -sigma s(r y)`. SciPy's `solve_ivp` integrates
it from `v_1` down to `v_L`. The flow is affine if the score is, so that `ams.laws.flowed` carries a
Gaussian distribution by the same function. Source: Song et al. (arXiv 2011.13456), section 4.3, who
use tolerances of 1e-5.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from ams.schedules import Level


class NotIntegrated(ArithmeticError):
    """A failure of the solver, such as a step size below rounding; the message is the solver's."""


def ve_level(v: float) -> Level:
    """Return the VE noise level with `sigma = v`, scale 1."""
    return Level(0, sigma=v)


def vp_level(v: float) -> Level:
    """Return the VP noise level with `sigma / scale = v`, without its time."""
    scale = (1.0 + v * v) ** -0.5
    return Level(0, sigma=v * scale, scale=scale)


def flow_rk45(
    x: Tensor,
    score: Callable[[Tensor, Level], Tensor],
    first: float,
    last: float,
    rtol: float = 1e-5,
    atol: float = 1e-5,
    level_at: Callable[[float], Level] = ve_level,
) -> tuple[Tensor, int]:
    """Integrate `x` (batch, *shape) along the flow from `v = first` to `v = last`.

    Returns the end, with the dtype and device of `x`, and the number of score evaluations (NFE).
    The solver works in float64. Its tolerances apply to the root mean square of the error of `y`
    over the batch, so that all samples share their steps. Raises NotIntegrated if the solver fails.
    """
    from scipy.integrate import solve_ivp  # takes a third of the time to import this package

    def slope(v: float, y: np.ndarray) -> np.ndarray:
        level = level_at(v)
        x_v = level.scale * torch.from_numpy(y).to(x).reshape(x.shape)
        return -level.sigma * score(x_v, level).double().cpu().numpy().reshape(-1)

    start = x.double().cpu().numpy().reshape(-1) / level_at(first).scale
    solution = solve_ivp(slope, (first, last), start, method="RK45", rtol=rtol, atol=atol)
    if not solution.success:
        raise NotIntegrated(f"probability flow from {first:g} to {last:g}: {solution.message}")
    end = level_at(last).scale * torch.from_numpy(solution.y[:, -1])
    return end.to(x).reshape(x.shape), int(solution.nfev)
