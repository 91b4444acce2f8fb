"""Adaptive or constant momentum with one of its parts taken out: what the gain at small budgets is due to (claim B3).

The released rule averages scores, `m = beta m + (1 - beta) s`, and multiplies the drift by `(1 + beta)^2` while the
noise stays `sqrt(2 a)`. Each ablation is a rule again, so it runs wherever a rule does: annealed, in a corrector, as
an exact law. Plain Langevin with a constant factor is `langevin(factor=...)`.
"""

from __future__ import annotations

from ams.samplers.base import Algebra, Coefficients, Rule, Scalar, State, Vector
from ams.schedules import Level


def unit_factor(beta: Scalar) -> Scalar:
    """Return 1, the drift factor `A / a` of averaging alone: `momentum_rule(damping, factor=unit_factor)`."""
    return 1.0


def without_averaging(rule: Rule) -> Rule:
    """The rule's drift and noise, applied to the score itself: `m = s`, so that only the drift factor is left.

    The damping is still decided as before, from the moves that are now made; in `Info` it is 0, `rho` tells of it.
    """

    def drift_only(state: State, s: Vector, z: Vector, level: Level, algebra: Algebra) -> Coefficients:
        return rule(state, s, z, level, algebra)._replace(beta=0.0)

    return drift_only


def with_corrected_noise(rule: Rule) -> Rule:
    """The rule with noise `sqrt(2 A)` instead of `sqrt(2 a)`: drift and noise of one temperature (claim G7)."""

    def heated(state: State, s: Vector, z: Vector, level: Level, algebra: Algebra) -> Coefficients:
        chosen = rule(state, s, z, level, algebra)
        return chosen._replace(noise=algebra.sqrt(2 * chosen.drift))

    return heated
