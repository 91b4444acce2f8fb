r"""N1b, why not T1 = 0: how long Langevin takes to move mass between two modes, by the gap of its generator.

On the line `L f = f'' + (log p)' f'` is `-A` in `L^2(p)`, and A has eigenvalues 0 < gap < ...; the relaxation time `1
/ gap` is at most the logarithmic Sobolev constant C. On a grid of spacing h, with the generator written by
differences of log p alone, A is symmetric and tridiagonal: `-1 / h^2` beside the diagonal, `(sqrt(p_{i+1} / p_i) +
sqrt(p_{i-1} / p_i)) / h^2` on it; error O(h^2).
"""

import numpy as np
import torch
from scipy.linalg import eigh_tridiagonal

from ams.schedules import Level
from ams.targets import CLEAN
from analysis.related_work.fixed_time import at_time
from analysis.related_work.settings import Settings
from analysis.targets import two_modes
from verdicts import Measurement, check

SPREAD, REACH = 0.2, 5.0
"""Standard deviation of the modes at -1 and +1; the grid's end, 4 of the widest mode's deviations beyond them."""


def relaxation_time(level: Level, points: int = 2001) -> float:
    """Return `1 / gap` of Langevin on the two-mode mixture at a noise level, on a grid of so many points."""
    at, spacing = np.linspace(-REACH, REACH, points, retstep=True)
    log_p = two_modes(SPREAD).log_density(torch.as_tensor(at)[:, None], level).numpy()
    up = np.exp(np.diff(log_p) / 2)
    diagonal = np.append(up, 0.0) + np.append(0.0, 1 / up)
    beside = -np.ones(points - 1)
    _, gap = eigh_tridiagonal(diagonal, beside, select="i", select_range=(0, 1), eigvals_only=True)
    return float(spacing**2 / gap)


@check("N1b.mixture")
def relaxation_time_on_data_over_fixed_time(settings: Settings) -> Measurement:
    """Measure Langevin's relaxation time on the two-mode mixture itself over that at T1 = 0.25 of the forward process.

    The detail has the ratio on twice as many grid points.
    """
    coarse, fine = (relaxation_time(CLEAN, points) / relaxation_time(at_time(0.25), points) for points in (2001, 4001))
    return Measurement(value=coarse, detail={"refined": fine})
