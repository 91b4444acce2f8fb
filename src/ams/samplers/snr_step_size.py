"""The step size of a corrector from a signal-to-noise ratio, `a_t = 2 alpha_t (snr <z_t> / <g_t>)^2`.

The vector `g` is the score in arXiv 2011.13456 (algorithm 4). In the code published with arXiv 2405.13726 it is the
momentum: on images the one before its update for adaptive momentum and the updated one for constant momentum, on graphs
always the updated one. Each size raises ValueError at a noise level whose alpha is not positive.
"""

from ams.samplers.base import Algebra, Scalar, State, Vector
from ams.samplers.rules import Size, average
from ams.schedules import Level


def snr_of_score(snr: float) -> Size:
    """Return the base step with `<g> = <s_t>`, as in the Langevin corrector."""

    def size(state: State, s: Vector, z: Vector, beta: Scalar, level: Level, algebra: Algebra) -> Scalar:
        return _step(snr, z, s, level, algebra)

    return size


def snr_of_last_momentum(snr: float) -> Size:
    """Return the base step with `<g> = <m_{t-1}>`, at first `<s_0>`, as in the adaptive image corrector."""

    def size(state: State, s: Vector, z: Vector, beta: Scalar, level: Level, algebra: Algebra) -> Scalar:
        return _step(snr, z, s if state.m is None else state.m, level, algebra)

    return size


def snr_of_momentum(snr: float) -> Size:
    """Return the base step with `<g> = <m_t>`, the updated momentum, as in the constant-momentum corrector."""

    def size(state: State, s: Vector, z: Vector, beta: Scalar, level: Level, algebra: Algebra) -> Scalar:
        return _step(snr, z, average(state, s, beta, algebra), level, algebra)

    return size


def _step(snr: float, z: Vector, g: Vector, level: Level, algebra: Algebra) -> Scalar:
    if level.alpha <= 0.0:
        advice = "a VP corrector needs more noise levels than beta_max"
        raise ValueError(f"noise level {level.number}: alpha is {level.alpha:g}; {advice}")
    return 2 * level.alpha * (snr * algebra.divide(algebra.norm(z), algebra.norm(g))) ** 2
