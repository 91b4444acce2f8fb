r"""Langevin, adaptive momentum and constant momentum: one step whose coefficients a rule computes.

With score `s`, base step `a`, noise `z ~ N(0, I)` and the algebra's norm `<.>`, adaptive momentum
is

    rho_t  = A_{t-1} <s_t - s_{t-1}> / <d_{t-1}>,      d_{t-1} the drift part of the last step
    beta_t = clip(((1 - rho_t) / (1 + rho_t))^2, 0, 1 - delta)
    A_t    = a_t (1 + beta_t)^2
    m_t    = beta_t m_{t-1} + (1 - beta_t) s_t
    x_{t+1} = x_t + A_t m_t + sqrt(2 a_t) z_t

The first step has `beta = 0`, so that `m_0 = s_0` and `A_0 = a_0`. A rule consists of three parts:
`MomentumCoefficient` gives beta, `Size` the base step a, `Factor` the ratio `A / a` from beta.
Source: the code published with arXiv 2405.13726, "the authors' code" below.

A corrector's base step follows from a signal-to-noise ratio, `a_t = 2 alpha_t (snr <z_t> /
<g_t>)^2`. The vector `g` is the score in arXiv 2011.13456 (algorithm 4). In the authors' code it is
the momentum: on images the one before its update for adaptive momentum and the updated one for
constant momentum, on graphs always the updated one. Such a size raises ValueError at a noise level
whose alpha is not positive.
"""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from ams.samplers.base import (
    Algebra,
    Coefficients,
    Info,
    Noise,
    Rule,
    Scalar,
    Score,
    State,
    Step,
    Vector,
)
from ams.schedules import Level

MomentumCoefficient: TypeAlias = Callable[[State, Vector, Algebra], tuple[Scalar, Scalar]]
"""`coefficient(state, s, algebra) -> (beta, rho)`, called from the second step on."""
Size: TypeAlias = Callable[[State, Vector, Vector, Scalar, Level, Algebra], Scalar]
"""`size(state, s, z, beta, level, algebra)`: the base step `a`."""
Factor: TypeAlias = Callable[[Scalar], Scalar]
"""`factor(beta)`: the ratio `A / a` of the drift coefficient to the base step."""


def prescribed(
    state: State, s: Vector, z: Vector, beta: Scalar, level: Level, algebra: Algebra
) -> Scalar:
    """Return the base step that the noise schedule prescribes, `a = level.step`."""
    return level.step


def snr_of_score(snr: float) -> Size:
    """Return the base step with `<g> = <s_t>`, as in the Langevin corrector."""
    return _size_from_snr(snr, lambda state, s, beta, algebra: s)


def snr_of_last_momentum(snr: float) -> Size:
    """Return the base step with `<g> = <m_{t-1}>`, at first `<s_0>`, as in the adaptive image
    corrector.
    """
    return _size_from_snr(snr, lambda state, s, beta, algebra: s if state.m is None else state.m)


def snr_of_momentum(snr: float) -> Size:
    """Return the base step with `<g> = <m_t>`, the updated momentum, as in the constant-momentum
    corrector.
    """
    return _size_from_snr(snr, average)


def _size_from_snr(snr: float, vector: Callable[[State, Vector, Scalar, Algebra], Vector]) -> Size:
    def size(
        state: State, s: Vector, z: Vector, beta: Scalar, level: Level, algebra: Algebra
    ) -> Scalar:
        if level.alpha <= 0.0:
            advice = "a VP corrector needs more noise levels than beta_max"
            raise ValueError(f"noise level {level.number}: alpha is {level.alpha:g}; {advice}")
        g = vector(state, s, beta, algebra)
        return 2 * level.alpha * (snr * algebra.divide(algebra.norm(z), algebra.norm(g))) ** 2

    return size


def authors_factor(beta: Scalar) -> Scalar:
    """Return `(1 + beta)^2`, the drift factor of the authors' code."""
    return (1 + beta) ** 2


def unit_factor(beta: Scalar) -> Scalar:
    """Return 1: the drift factor `A / a` of `momentum_rule(coefficient, factor=unit_factor)`,
    which only averages.
    """
    return 1.0


def adaptive(delta: float = 1e-3) -> MomentumCoefficient:
    """Return the adaptive coefficient, clipped at `1 - delta`; the authors have 1e-3, and 1e-4
    in correctors.
    """

    def beta_of(state: State, s: Vector, algebra: Algebra) -> tuple[Scalar, Scalar]:
        change = algebra.combine((1.0, s), (-1.0, state.s))
        rho = algebra.divide(
            state.drift * algebra.norm(change), state.effective_drift * algebra.norm(state.m)
        )
        return algebra.clip(critical_momentum(rho), 0.0, 1.0 - delta), rho

    return beta_of


def critical_momentum(rho: Scalar) -> Scalar:
    """Return `((1 - rho) / (1 + rho))^2`, the momentum coefficient of critical damping at
    relative curvature rho.
    """
    return ((1 - rho) / (1 + rho)) ** 2


def constant(beta: Scalar) -> MomentumCoefficient:
    """Return a constant momentum coefficient, not clipped. The authors' code has 0.9 on images
    and 0.8 on graphs.
    """
    return lambda state, s, algebra: (beta, None)


def average(state: State, s: Vector, beta: Scalar, algebra: Algebra, over: Vector = None) -> Vector:
    """Return `m_t = beta m_{t-1} + (1 - beta) s_t`, or `s_0` at the first step; `over` is that
    of `Algebra.combine`.
    """
    return s if state.m is None else algebra.combine((beta, state.m), (1 - beta, s), over=over)


def momentum_rule(
    coefficient: MomentumCoefficient,
    size: Size = prescribed,
    factor: Factor = authors_factor,
    extra: float = 0.0,
) -> Rule:
    """Return the rule of these parts; `extra` is added to the first step's drift, as in the
    authors' annealed code.
    """

    def rule(state: State, s: Vector, z: Vector, level: Level, algebra: Algebra) -> Coefficients:
        first = state.m is None
        beta, rho = (0.0, None) if first else coefficient(state, s, algebra)
        a = size(state, s, z, beta, level, algebra)
        return Coefficients(
            beta, a, a * factor(beta), algebra.sqrt(2 * a), extra if first else 0.0, rho
        )

    return rule


def without_averaging(rule: Rule) -> Rule:
    """Return the rule with `m = s`, whose drift factor still follows from its beta; `Info` has
    beta 0.
    """

    def drift_only(
        state: State, s: Vector, z: Vector, level: Level, algebra: Algebra
    ) -> Coefficients:
        return rule(state, s, z, level, algebra)._replace(beta=0.0)

    return drift_only


def with_corrected_noise(rule: Rule) -> Rule:
    """Return the rule with noise `sqrt(2 A)`, which fits its drift `A`, instead of `sqrt(2 a)`
    (claim G7).
    """

    def corrected(
        state: State, s: Vector, z: Vector, level: Level, algebra: Algebra
    ) -> Coefficients:
        coefficients = rule(state, s, z, level, algebra)
        return coefficients._replace(noise=algebra.sqrt(2 * coefficients.drift))

    return corrected


def momentum(rule: Rule) -> Step:
    """Return the step with a rule's coefficients. It takes one score evaluation and one draw."""

    def step(
        state: State, score: Score, noise: Noise, level: Level, algebra: Algebra
    ) -> tuple[State, Info]:
        s, z = score(state.x, level), noise(state.x)
        c = rule(state, s, z, level, algebra)
        m, effective = average(state, s, c.beta, algebra, over=state.m), c.drift + c.extra
        drift = ((1.0, state.x), (effective, m))
        x = algebra.combine((c.noise, z), *drift, over=z)
        info = Info(1, state.x, partial(algebra.combine, *drift), c)
        return State(x, m, s, drift=c.drift, effective_drift=effective), info

    return step


def langevin(size: Size = prescribed, factor: float = 1.0) -> Step:
    """Return the step of unadjusted Langevin, `x + factor a s + sqrt(2 a) z`: one score
    evaluation, one draw.
    """

    def step(
        state: State, score: Score, noise: Noise, level: Level, algebra: Algebra
    ) -> tuple[State, Info]:
        s, z = score(state.x, level), noise(state.x)
        a = size(state, s, z, 0.0, level, algebra)
        c = Coefficients(0.0, a, factor * a, algebra.sqrt(2 * a))
        drift = ((1.0, state.x), (c.drift, s))
        x = algebra.combine((c.noise, z), *drift, over=z)
        return State(x, *state[1:]), Info(1, state.x, partial(algebra.combine, *drift), c)

    return step


def recorded(coefficients: list[Coefficients]) -> Rule:
    """Return the rule that replays recorded or symbolic coefficients in order."""
    remaining = iter(coefficients)
    return lambda state, s, z, level, algebra: next(remaining)


def memoryless(step: Step) -> Step:
    """Return the step without its momentum, so that every step is a first step.

    The authors' graph corrector does this to the adjacency: it computes a momentum and never stores
    it (claim R3).
    """

    def first_step(
        state: State, score: Score, noise: Noise, level: Level, algebra: Algebra
    ) -> tuple[State, Info]:
        after, info = step(State(state.x), score, noise, level, algebra)
        return State(after.x), info

    return first_step


def wiener_gain(beta: Scalar) -> Scalar:
    """Return SGDF's stationary gain `q / (1 + q) = (1 - b) / 2`, `q = (1 - b) / (1 + b)`, for `b =
    beta`.

    SGDF (Yao et al., arXiv 2311.02818) estimates the Wiener gain `K = P / (P + R)` for a constant
    signal in white noise. `R` is the variance of one score about the average, `P = q R` the
    variance of the average.
    """
    q = (1 - beta) / (1 + beta)
    return q / (1 + q)


def filtered(beta: Scalar, gain: Scalar) -> Step:
    """Return Langevin with a filtered score, the optimizer SGDF as a sampler, at base step `a =
    level.step`:

        m_t = b m_{t-1} + (1 - b) s_t,  x_{t+1} = x_t + a (m_t + K (s_t - m_t)) + sqrt(2 a) z_t

    with `b = beta`. `K = 1` is plain Langevin, `K = 0` averaging without a drift factor. A step
    takes one score evaluation and one draw.
    """

    def step(
        state: State, score: Score, noise: Noise, level: Level, algebra: Algebra
    ) -> tuple[State, Info]:
        s, z = score(state.x, level), noise(state.x)
        m = average(state, s, beta, algebra, over=state.m)
        drift = ((1.0, state.x), (level.step * (1 - gain), m), (level.step * gain, s))
        x = algebra.combine((algebra.sqrt(2 * level.step), z), *drift, over=z)
        return state._replace(x=x, m=m), Info(1, state.x, partial(algebra.combine, *drift))

    return step
