r"""Langevin with a filtered score: the optimizer SGDF as a sampler.

    m_t = b m_{t-1} + (1 - b) s_t,        x_{t+1} = x_t + a (m_t + K (s_t - m_t)) + sqrt(2 a) z_t

`K = 1` is plain Langevin, `K = 0` averaging without a drift factor. SGDF (Yao et al., arXiv 2311.02818) estimates the
Wiener gain for a constant signal in white noise, `K = P / (P + R)`. `R` is the variance of one score about the average,
`P = q R` the variance of the average, with `q = (1 - b) / (1 + b)`. The stationary gain is `K = q / (1 + q) = (1-b)/2`.
"""

from functools import partial

from ams.samplers.base import Algebra, Info, Noise, Scalar, Score, State, Step
from ams.samplers.rules import average
from ams.schedules import Level


def wiener_gain(beta: Scalar) -> Scalar:
    """Return the stationary gain `q / (1 + q)`, `q = (1 - beta) / (1 + beta)`."""
    q = (1 - beta) / (1 + beta)
    return q / (1 + q)


def filtered(beta: Scalar, gain: Scalar) -> Step:
    """Return the step with momentum coefficient `b = beta` and gain `K`, at base step `a = level.step`.

    A step takes one score evaluation and one draw.
    """

    def step(state: State, score: Score, noise: Noise, level: Level, algebra: Algebra) -> tuple[State, Info]:
        s, z = score(state.x, level), noise(state.x)
        m = average(state, s, beta, algebra, over=state.m)
        drift = ((1.0, state.x), (level.step * (1 - gain), m), (level.step * gain, s))
        x = algebra.combine((algebra.sqrt(2 * level.step), z), *drift, over=z)
        return state._replace(x=x, m=m), Info(1, state.x, partial(algebra.combine, *drift))

    return step
