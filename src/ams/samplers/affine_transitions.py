"""Steps that are one affine transition, `x' = p x + q s + r z`, with coefficients from the noise
schedule alone.

In the variables `y = x / r`, `v = sigma / r` every process is variance exploding, with score `r s`.
The transitions from a noise level `(r, sigma)` to the next one `(r', sigma')`, with `v' = sigma' /
r'`, are

    ancestral          y' = y + (v^2 - v'^2) r s + (v'/v) sqrt(v^2 - v'^2) z
    reverse SDE        y' = y + (v^2 - v'^2) r s + sqrt(v^2 - v'^2) z
    probability flow  y' = y + (v - v') sigma s  (Euler's method; equal to DDIM, arXiv 2010.02502)
    consistent         y' = y + eta v^2 r s + v' sqrt(1 - ((1 - eta) / g')^2) z,    g' = v'/v

On a point target consistent annealed sampling keeps noise `(1 - eta) v` in `y`, and the draw raises
it to `v'`. At the ends of the range `1 - g' < eta < 1 + g'` nothing is drawn; the lower end is
Euler's method on the probability flow, and `eta = 1 - g'^2` is the ancestral transition.

The predictors of the code published with arXiv 2405.13726 (`authors_*`) take their coefficients
from tables instead. Sources: arXiv 2011.13456 (appendices E and F), arXiv 2206.00364 for the change
of variables; for consistent annealed sampling Jolicoeur-Martineau et al. (arXiv 2009.05475),
algorithm 2, whose `epsilon` is `eta sigma_L^2`.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TypeAlias

from ams.samplers.base import Algebra, Info, Noise, Score, State, Step
from ams.schedules import VE, VP, Level, Process, table_index


class AffineTransition(NamedTuple):
    """The coefficients of `x' = p x + q s + r z`."""

    p: float
    q: float
    r: float


Kernel: TypeAlias = Callable[[Level], AffineTransition]
"""`kernel(level)`: the transition from a noise level."""


def affine(kernel: Kernel) -> Step:
    """Return the step `x' = p x + q s + r z`. It takes one score evaluation, and one draw where
    `r` is not 0.
    """

    def step(
        state: State, score: Score, noise: Noise, level: Level, algebra: Algebra
    ) -> tuple[State, Info]:
        p, q, r = kernel(level)
        drift = ((p, state.x), (q, score(state.x, level)))
        mean = partial(algebra.combine, *drift)
        if not r:
            return state._replace(x=mean()), Info(1, state.x, mean)
        z = noise(state.x)
        return state._replace(x=algebra.combine((r, z), *drift, over=z)), Info(1, state.x, mean)

    return step


def next_level(level: Level) -> Level:
    """Return the next noise level. Raises ValueError at the last one, from which there is no
    transition.
    """
    if level.next is None:
        raise ValueError(
            f"noise level {level.number} (sigma {level.sigma:g}) is the last: no level to step to"
        )
    return level.next


def ancestral(level: Level) -> AffineTransition:
    """Return the ancestral transition: a sample of the next noise level's posterior given the
    denoised point.

    For a VP process it is DDPM (arXiv 2006.11239). Raises ValueError at the last noise level.
    """
    r, after = level.scale, next_level(level)
    v, v_next = level.sigma / r, after.sigma / after.scale
    drop = v**2 - v_next**2
    return AffineTransition(
        after.scale / r, after.scale * drop * r, after.scale * v_next / v * math.sqrt(drop)
    )


def reverse_sde(level: Level) -> AffineTransition:
    """Return the reverse-SDE transition, with noise of variance `v^2 - v'^2`. ValueError at the
    last noise level.
    """
    r, after = level.scale, next_level(level)
    drop = (level.sigma / r) ** 2 - (after.sigma / after.scale) ** 2
    return AffineTransition(after.scale / r, after.scale * drop * r, after.scale * math.sqrt(drop))


def flow_euler(level: Level) -> AffineTransition:
    """Return Euler's transition on the probability-flow ODE: no noise. Raises ValueError at the
    last noise level.
    """
    r, after = level.scale, next_level(level)
    drop = level.sigma / r - after.sigma / after.scale
    return AffineTransition(after.scale / r, after.scale * drop * level.sigma, 0.0)


def consistent(eta: float) -> Kernel:
    """Return the transition with drift `eta v^2 r s`; without noise, for any eta, where the next
    noise level is 0.

    It raises ValueError at a noise level where `eta` is outside `1 - g' < eta < 1 + g'`, and at the
    last one.
    """

    def kernel(level: Level) -> AffineTransition:
        r, after = level.scale, next_level(level)
        v, v_next = level.sigma / r, after.sigma / after.scale
        if v_next and not abs(1.0 - eta) < v_next / v:
            low, high = 1.0 - v_next / v, 1.0 + v_next / v
            raise ValueError(
                f"noise level {level.number}: eta is {eta:g}, expected between {low:g} and {high:g}"
            )
        noise = math.sqrt(v_next**2 - ((1.0 - eta) * v) ** 2) if v_next else 0.0
        return AffineTransition(after.scale / r, after.scale * eta * v**2 * r, after.scale * noise)

    return kernel


def authors_euler_maruyama(process: Process, n: int) -> Kernel:
    """Return Euler-Maruyama's transition of the reverse SDE, with rates at the continuous time t.

    Its step is `dt = 1/n` for any spacing of the times, as in the code published with arXiv
    2405.13726.
    """

    def kernel(level: Level) -> AffineTransition:
        rate = process.diffusion2(level.t) / n
        return AffineTransition(1.0 - process.drift(level.t) / n, rate, math.sqrt(rate))

    return kernel


def authors_ve_reverse_diffusion(process: VE, n: int) -> Kernel:
    """Return `x' = x + g s + sqrt(g) z`, with `g = sigma_i^2 - sigma_{i-1}^2` from the table and
    `sigma_{-1} = 0`.
    """
    table = process.table(n)

    def kernel(level: Level) -> AffineTransition:
        i = table_index(level.t, n)
        g = float(table[i] ** 2 - (table[i - 1] ** 2 if i > 0 else 0.0))
        return AffineTransition(1.0, g, math.sqrt(g))

    return kernel


def authors_vp_reverse_diffusion(process: VP, n: int) -> Kernel:
    """Return `x' = (2 - sqrt(1 - b_i)) x + b_i s + sqrt(b_i) z`, with `b_i` from the table."""
    table = process.table(n)

    def kernel(level: Level) -> AffineTransition:
        b = float(table[table_index(level.t, n)])
        return AffineTransition(2.0 - math.sqrt(1.0 - b), b, math.sqrt(b))

    return kernel
