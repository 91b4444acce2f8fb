r"""Consistent annealed sampling: Langevin with as much noise as the next noise level needs.

In `y = x / r`, `v = sigma / r`, with the ratio `g' = v' / v` of neighbouring noise levels, the step is

    y' = y + eta v^2 r s + v' sqrt(1 - ((1 - eta) / g')^2) z

On a point target `y` keeps noise `(1 - eta) v`, and the draw raises it to `v'`. At the ends of the range `1 - g' < eta
< 1 + g'` nothing is drawn; the lower end is Euler's method on the probability flow. `eta = 1 - g'^2` is the ancestral
transition. Source: Jolicoeur-Martineau et al., *Adversarial score matching and improved sampling for image generation*
(arXiv 2009.05475), algorithm 2; their `epsilon` is `eta sigma_L^2`.
"""

import math

from ams.samplers.affine_transitions import AffineTransition, Kernel, next_level
from ams.schedules import Level


def consistent(eta: float) -> Kernel:
    """Return the transition with drift `eta v^2 r s`; without noise, for any eta, where the next noise level is 0.

    It raises ValueError at a noise level where `eta` is outside `1 - g' < eta < 1 + g'`, and at the last one.
    """

    def kernel(level: Level) -> AffineTransition:
        r, after = level.scale, next_level(level)
        v, v_next = level.sigma / r, after.sigma / after.scale
        if v_next and not abs(1.0 - eta) < v_next / v:
            low, high = 1.0 - v_next / v, 1.0 + v_next / v
            raise ValueError(f"noise level {level.number}: eta is {eta:g}, expected between {low:g} and {high:g}")
        noise = math.sqrt(v_next**2 - ((1.0 - eta) * v) ** 2) if v_next else 0.0
        return AffineTransition(after.scale / r, after.scale * eta * v**2 * r, after.scale * noise)

    return kernel
