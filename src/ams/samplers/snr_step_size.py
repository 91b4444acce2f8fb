"""The corrector's step size, `a_t = 2 alpha_t (snr <z_t> / <g_t>)^2`, and whose norm `<g>` it is.

Song et al. (arXiv 2011.13456, algorithm 4) take the score's. The released momentum correctors differ from it and
from each other: adaptive momentum takes the momentum *before* its update (one noise level behind), constant
momentum the updated one; the graph correctors take the updated one throughout. Each raises ValueError at a level
whose alpha is not positive.
"""

from __future__ import annotations

from ams.samplers.base import Algebra, Scalar, State, Vector
from ams.samplers.rules import Size, average
from ams.schedules import Level


def snr_of_score(snr: float) -> Size:
    """`<g> = <s_t>`: the rule of the Langevin corrector."""

    def size(state: State, s: Vector, z: Vector, beta: Scalar, level: Level, algebra: Algebra) -> Scalar:
        return _step(snr, z, s, level, algebra)

    return size


def snr_of_last_momentum(snr: float) -> Size:
    """`<g> = <m_{t-1}>`, and `<s_0>` at the first call: the released adaptive image corrector."""

    def size(state: State, s: Vector, z: Vector, beta: Scalar, level: Level, algebra: Algebra) -> Scalar:
        return _step(snr, z, s if state.m is None else state.m, level, algebra)

    return size


def snr_of_momentum(snr: float) -> Size:
    """`<g> = <m_t>`, the updated momentum: the released constant-momentum corrector."""

    def size(state: State, s: Vector, z: Vector, beta: Scalar, level: Level, algebra: Algebra) -> Scalar:
        return _step(snr, z, average(state, s, beta, algebra), level, algebra)

    return size


def _step(snr: float, z: Vector, g: Vector, level: Level, algebra: Algebra) -> Scalar:
    if level.alpha <= 0.0:
        raise ValueError(
            f"level {level.number}: alpha is {level.alpha:g}; a VP corrector needs more levels than beta_max"
        )
    return 2 * level.alpha * (snr * algebra.divide(algebra.norm(z), algebra.norm(g))) ** 2
