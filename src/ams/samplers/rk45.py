r"""The probability flow by an adaptive solver: Dormand and Prince's pair, a solver's run and not a step.

In `y = x / r`, `v = sigma / r` (module `moves`) the flow is `dy/dv = -sigma s(r y)`, integrated from `v_1` down to
`v_L` by SciPy's `solve_ivp`. As the flow is affine wherever the score is, the same call carries a Gaussian law:
`laws.flowed`. Source: Song et al. (arXiv 2011.13456), section 4.3, who use it at tolerances of 1e-5.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from scipy.integrate import solve_ivp
from torch import Tensor

from ams.samplers.base import Score
from ams.schedules import Level


class NotIntegrated(ArithmeticError):
    """The solver gave up (its step size fell below rounding, say); the message is its own."""


def ve_level(v: float) -> Level:
    """Return the variance-ve_level level of noise `v`: scale 1."""
    return Level(0, sigma=v)


def vp_level(v: float) -> Level:
    """Return the variance-vp_level level with `sigma / scale = v` (its time is not known)."""
    scale = (1.0 + v * v) ** -0.5
    return Level(0, sigma=v * scale, scale=scale)


def flow_rk45(
    x: Tensor,
    score: Score,
    first: float,
    last: float,
    rtol: float = 1e-5,
    atol: float = 1e-5,
    level_at: Callable[[float], Level] = ve_level,
) -> tuple[Tensor, int]:
    """Integrate `x` along the flow from `v = first` to `v = last`; returns the end and the score evaluations (NFE).

    The tolerances are on `y`; the error is measured over the whole batch (root mean square), so a batch shares its
    steps. `x` keeps its type and device, the solver works in float64. Raises NotIntegrated where the solver fails.
    """

    def slope(v: float, y: np.ndarray) -> np.ndarray:
        level = level_at(v)
        at = level.scale * torch.from_numpy(y).to(x).reshape(x.shape)
        slope: np.ndarray = -level.sigma * score(at, level).double().cpu().numpy().reshape(-1)
        return slope

    start = x.double().cpu().numpy().reshape(-1) / level_at(first).scale
    found = solve_ivp(slope, (first, last), start, method="RK45", rtol=rtol, atol=atol)
    if not found.success:
        raise NotIntegrated(f"probability flow from {first:g} to {last:g}: {found.message}")
    end = level_at(last).scale * torch.from_numpy(found.y[:, -1])
    return end.to(x).reshape(x.shape), int(found.nfev)
