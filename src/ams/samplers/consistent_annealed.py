r"""Consistent annealed sampling: a Langevin-like move whose noise leaves exactly the next level's.

With `g' = v' / v` the ratio of neighbouring noise levels (`y = x / r`, `v = sigma / r`: module `moves`),

    y' = y + eta v^2 r s + v' sqrt(1 - ((1 - eta) / g')^2) z

On a point target the noise left in `y` is `(1 - eta) v`, and the draw fills it up to `v'`. At the ends of the range
`1 - g' < eta < 1 + g'` nothing is drawn (the lower one is Euler's rule on the probability flow); `eta = 1 - g'^2` is
the ancestral move. Source: Jolicoeur-Martineau et al., *Adversarial score matching and improved sampling for image
generation* (arXiv 2009.05475), algorithm 2; their `epsilon` is `eta sigma_L^2`.
"""

from __future__ import annotations

import math

from ams.samplers.affine_transitions import AffineTransition, Kernel, next_level
from ams.schedules import Level


def consistent(eta: float) -> Kernel:
    """The move with drift `eta v^2 r s`; none is drawn where the next level is noiseless (`v' = 0`, any eta).

    Raises ValueError at a level where `eta` is outside `1 - g' < eta < 1 + g'`.
    """

    def kernel(level: Level) -> AffineTransition:
        r, after = level.scale, next_level(level)
        v, v_next = level.sigma / r, after.sigma / after.scale
        if v_next and not abs(1.0 - eta) < v_next / v:
            low, high = 1.0 - v_next / v, 1.0 + v_next / v
            raise ValueError(f"level {level.number}: eta is {eta:g}, consistent only between {low:g} and {high:g}")
        drawn = math.sqrt(v_next**2 - ((1.0 - eta) * v) ** 2) if v_next else 0.0
        return AffineTransition(after.scale / r, after.scale * eta * v**2 * r, after.scale * drawn)

    return kernel
