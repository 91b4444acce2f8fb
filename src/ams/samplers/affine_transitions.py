"""Steps that are one affine move, `x' = p x + q s + r z`, with coefficients known from the schedule alone.

With `x_t = r x_0 + sigma z`, let `y = x / r` and `v = sigma / r`: every process is variance ve_level in `(y, v)`, with
score `r s`. From a level `(r, sigma)` to the next `(r', sigma')`, `v = sigma / r`, `v' = sigma' / r'`:

    ancestral          y' = y + (v^2 - v'^2) r s + (v'/v) sqrt(v^2 - v'^2) z
    reverse SDE        y' = y + (v^2 - v'^2) r s + sqrt(v^2 - v'^2) z
    probability flow   y' = y + (v - v') sigma s            (Euler; the same as DDIM, arXiv 2010.02502)

The released predictors take their coefficients from tables instead (`released_*`; DESIGN, "Predictors").
Sources: arXiv 2011.13456 (appendices E and F), arXiv 2206.00364 for the change of variables.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TypeAlias

from ams.samplers.base import Algebra, Info, Noise, Score, State, Step
from ams.schedules import VE, VP, Level, Process, table_index


class AffineTransition(NamedTuple):
    """Coefficients of `x' = p x + q s + r z`."""

    p: float
    q: float
    r: float


Kernel: TypeAlias = Callable[[Level], AffineTransition]


def affine(kernel: Kernel) -> Step:
    """The step `x' = p x + q s + r z`: one evaluation, one draw (none at a level where `r = 0`)."""

    def step(state: State, score: Score, noise: Noise, level: Level, algebra: Algebra) -> tuple[State, Info]:
        move = kernel(level)
        drift = ((move.p, state.x), (move.q, score(state.x, level)))
        mean = partial(algebra.combine, *drift)
        if not move.r:
            return state._replace(x=mean()), Info(1, state.x, mean)
        z = noise(state.x)
        return state._replace(x=algebra.combine((move.r, z), *drift, over=z)), Info(1, state.x, mean)

    return step


def next_level(level: Level) -> Level:
    """Return the next level; a ValueError where there is none, since these steps lead from one level to the next."""
    if level.next is None:
        raise ValueError(f"level {level.number} (sigma {level.sigma:g}) is the last: no level to step to")
    return level.next


def ancestral(level: Level) -> AffineTransition:
    """Sample the posterior of the next level given a denoised point (DDPM in the VP case)."""
    r, after = level.scale, next_level(level)
    v, v_next = level.sigma / r, after.sigma / after.scale
    drop = v**2 - v_next**2
    return AffineTransition(after.scale / r, after.scale * drop * r, after.scale * v_next / v * math.sqrt(drop))


def reverse_sde(level: Level) -> AffineTransition:
    """Reverse diffusion between neighbouring levels, with the whole drop of variance as noise."""
    r, after = level.scale, next_level(level)
    drop = (level.sigma / r) ** 2 - (after.sigma / after.scale) ** 2
    return AffineTransition(after.scale / r, after.scale * drop * r, after.scale * math.sqrt(drop))


def flow_euler(level: Level) -> AffineTransition:
    """Probability-flow ODE, Euler's rule in `(y, v)`: first order, no noise."""
    r, after = level.scale, next_level(level)
    drop = level.sigma / r - after.sigma / after.scale
    return AffineTransition(after.scale / r, after.scale * drop * level.sigma, 0.0)


def authors_euler_maruyama(process: Process, n: int) -> Kernel:
    """Euler-Maruyama of the reverse SDE with `dt = 1/n` whatever the spacing, rates at the continuous `t`."""

    def kernel(level: Level) -> AffineTransition:
        rate = process.diffusion2(level.t) / n
        return AffineTransition(1.0 - process.drift(level.t) / n, rate, math.sqrt(rate))

    return kernel


def authors_ve_reverse_diffusion(process: VE, n: int) -> Kernel:
    """`x + g s + sqrt(g) z`, `g = sigma_i^2 - sigma_{i-1}^2` from the table, `sigma_{-1} = 0`."""
    table = process.table(n)

    def kernel(level: Level) -> AffineTransition:
        i = table_index(level.t, n)
        g = float(table[i] ** 2 - (table[i - 1] ** 2 if i > 0 else 0.0))
        return AffineTransition(1.0, g, math.sqrt(g))

    return kernel


def authors_vp_reverse_diffusion(process: VP, n: int) -> Kernel:
    """`(2 - sqrt(1 - b_i)) x + b_i s + sqrt(b_i) z` from the table."""
    table = process.table(n)

    def kernel(level: Level) -> AffineTransition:
        b = float(table[table_index(level.t, n)])
        return AffineTransition(2.0 - math.sqrt(1.0 - b), b, math.sqrt(b))

    return kernel
