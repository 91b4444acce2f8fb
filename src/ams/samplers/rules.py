r"""Langevin, adaptive momentum and constant momentum: one move, several rules.

With score `s`, base step `a`, noise `z ~ N(0, I)` and `<.>` the algebra's norm:

    rho_t  = A_{t-1} <s_t - s_{t-1}> / <d_{t-1}>,      d_{t-1} the drift part of the last move
    beta_t = clip(((1 - rho_t) / (1 + rho_t))^2, 0, 1 - delta)          (adaptive; else prescribed)
    A_t    = a_t (1 + beta_t)^2
    m_t    = beta_t m_{t-1} + (1 - beta_t) s_t
    x_{t+1} = x_t + A_t m_t + sqrt(2 a_t) z_t

At the first call `beta = 0`, so `m_0 = s_0` and `A_0 = a_0`. A rule is put together from three decisions:
`MomentumCoefficient` (beta), `Size` (the base step), `Factor` (`A / a` from beta). Source: the code that the authors of
arXiv 2405.13726 published.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from ams.samplers.base import Algebra, Coefficients, Info, Noise, Rule, Scalar, Score, State, Step, Vector
from ams.schedules import Level

MomentumCoefficient: TypeAlias = Callable[[State, Vector, Algebra], tuple[Scalar, Scalar]]
"""`coefficient(state, s, algebra) -> (beta, rho)`; called from the second evaluation on."""
Size: TypeAlias = Callable[[State, Vector, Vector, Scalar, Level, Algebra], Scalar]
"""`size(state, s, z, beta, level, algebra)`: the base step `a`."""
Factor: TypeAlias = Callable[[Scalar], Scalar]
"""`factor(beta)`: the drift coefficient over the base step, `A / a`."""


def prescribed(state: State, s: Vector, z: Vector, beta: Scalar, level: Level, algebra: Algebra) -> Scalar:
    """Return the schedule's step `a = level.step`."""
    return level.step


def authors_factor(beta: Scalar) -> Scalar:
    """Return `(1 + beta)^2`, the drift factor of the authors' code."""
    return (1 + beta) ** 2


def adaptive(delta: float = 1e-3) -> MomentumCoefficient:
    """The adaptive momentum coefficient, clipped at `1 - delta` (the authors': 1e-3 annealed, 1e-4 in a corrector)."""

    def beta_of(state: State, s: Vector, algebra: Algebra) -> tuple[Scalar, Scalar]:
        change = algebra.combine((1.0, s), (-1.0, state.s))
        rho = algebra.divide(state.drift * algebra.norm(change), state.effective_drift * algebra.norm(state.m))
        return algebra.clip(critical_momentum(rho), 0.0, 1.0 - delta), rho

    return beta_of


def critical_momentum(rho: Scalar) -> Scalar:
    """Return `((1 - rho) / (1 + rho))^2`: critical damping where rho is the relative curvature."""
    return ((1 - rho) / (1 + rho)) ** 2


def constant(beta: Scalar) -> MomentumCoefficient:
    """A constant momentum coefficient, no clip (the authors': 0.9 on images, 0.8 on graphs)."""
    return lambda state, s, algebra: (beta, None)


def average(state: State, s: Vector, beta: Scalar, algebra: Algebra, over: Vector = None) -> Vector:
    """Return `m_t = beta m_{t-1} + (1 - beta) s_t`, and `s_0` at the first call; `over` as for `Algebra.combine`."""
    return s if state.m is None else algebra.combine((beta, state.m), (1 - beta, s), over=over)


def momentum_rule(
    coefficient: MomentumCoefficient, size: Size = prescribed, factor: Factor = authors_factor, extra: float = 0.0
) -> Rule:
    """Put a rule together; `extra` lengthens the drift of the very first move only (the authors' annealed form)."""

    def rule(state: State, s: Vector, z: Vector, level: Level, algebra: Algebra) -> Coefficients:
        first = state.m is None
        beta, rho = (0.0, None) if first else coefficient(state, s, algebra)
        a = size(state, s, z, beta, level, algebra)
        return Coefficients(beta, a, a * factor(beta), algebra.sqrt(2 * a), extra if first else 0.0, rho)

    return rule


def momentum(rule: Rule) -> Step:
    """The step that applies a rule's coefficients: one evaluation, one draw."""

    def step(state: State, score: Score, noise: Noise, level: Level, algebra: Algebra) -> tuple[State, Info]:
        s, z = score(state.x, level), noise(state.x)
        chosen = rule(state, s, z, level, algebra)
        m, effective = average(state, s, chosen.beta, algebra, over=state.m), chosen.drift + chosen.extra
        drift = ((1.0, state.x), (effective, m))
        x = algebra.combine((chosen.noise, z), *drift, over=z)
        info = Info(1, state.x, partial(algebra.combine, *drift), chosen)
        return State(x, m, s, drift=chosen.drift, effective_drift=effective), info

    return step


def langevin(size: Size = prescribed, factor: float = 1.0) -> Step:
    """Unadjusted Langevin, `x + factor a s + sqrt(2 a) z`; `factor` other than 1 is the control of claim B3."""

    def step(state: State, score: Score, noise: Noise, level: Level, algebra: Algebra) -> tuple[State, Info]:
        s, z = score(state.x, level), noise(state.x)
        a = size(state, s, z, 0.0, level, algebra)
        chosen = Coefficients(0.0, a, factor * a, algebra.sqrt(2 * a))
        drift = ((1.0, state.x), (chosen.drift, s))
        x = algebra.combine((chosen.noise, z), *drift, over=z)
        return State(x, *state[1:]), Info(1, state.x, partial(algebra.combine, *drift), chosen)

    return step


def recorded(coefficients: list[Coefficients]) -> Rule:
    """A rule that replays recorded or symbolic coefficients in order, in place of deciding them."""
    remaining = iter(coefficients)
    return lambda state, s, z, level, algebra: next(remaining)


def memoryless(step: Step) -> Step:
    """The step without its momentum: every call is a first call, as for the adjacency in the authors' graph corrector.

    Their code computes that momentum but never stores the move, so `m`, `s` and `A` are lost (claim R3).
    """

    def first_call(state: State, score: Score, noise: Noise, level: Level, algebra: Algebra) -> tuple[State, Info]:
        after, info = step(State(state.x), score, noise, level, algebra)
        return State(after.x), info

    return first_call
