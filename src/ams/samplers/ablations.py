"""Ablations of adaptive and constant momentum: rules without one of their parts (claim B3).

The rule of the code published with arXiv 2405.13726 averages scores, `m = beta m + (1 - beta) s`, and multiplies the
drift by `(1 + beta)^2`; its noise stays `sqrt(2 a)`. Langevin with a constant drift factor is `langevin(factor=...)`.
"""

from ams.samplers.base import Algebra, Coefficients, Rule, Scalar, State, Vector
from ams.schedules import Level


def unit_factor(beta: Scalar) -> Scalar:
    """Return 1: the drift factor `A / a` of `momentum_rule(coefficient, factor=unit_factor)`, which only averages."""
    return 1.0


def without_averaging(rule: Rule) -> Rule:
    """Return the rule with `m = s` instead of an average of scores, so that only the drift factor remains.

    The drift factor still follows from the rule's beta. `Info` has beta 0, since nothing is averaged.
    """

    def drift_only(state: State, s: Vector, z: Vector, level: Level, algebra: Algebra) -> Coefficients:
        return rule(state, s, z, level, algebra)._replace(beta=0.0)

    return drift_only


def with_corrected_noise(rule: Rule) -> Rule:
    """Return the rule with noise `sqrt(2 A)`, which fits its drift `A`, instead of `sqrt(2 a)` (claim G7)."""

    def corrected(state: State, s: Vector, z: Vector, level: Level, algebra: Algebra) -> Coefficients:
        coefficients = rule(state, s, z, level, algebra)
        return coefficients._replace(noise=algebra.sqrt(2 * coefficients.drift))

    return corrected
