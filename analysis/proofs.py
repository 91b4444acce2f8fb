"""What proofs share: a step derived on symbols; what is left of an identity's two sides,
subtracted and simplified.
"""

from functools import lru_cache
from typing import Annotated, NamedTuple

import sympy as sp
from pydantic import PlainSerializer, PlainValidator

from ams.laws.symbolic import stationary_covariance, transition, x, z
from ams.samplers import State
from verdicts import Measurement


@lru_cache(maxsize=64)
def _parsed(text: str) -> sp.Basic:
    """Return what SymPy wrote; it is immutable, so that all who read a cell may share it."""
    return sp.sympify(text)


def _expression(given: str | sp.Basic) -> sp.Basic:
    return _parsed(given) if isinstance(given, str) else sp.sympify(given)


Expression = Annotated[sp.Basic, PlainSerializer(sp.srepr), PlainValidator(_expression)]
"""The annotation of a SymPy expression or matrix in a cell's result; symbols keep their
assumptions.
"""


def left_over(*differences: sp.Expr) -> Measurement:
    """Return the operations and symbols left in the differences, simplified: 0 says that each is
    identically zero.
    """
    remainders = [_remainder(sp.together(difference)) for difference in differences]
    left = sum(0 if r == 0 else 1 + int(sp.count_ops(r)) for r in remainders)
    return Measurement(
        value=left, n=len(differences), detail={"left": [str(r) for r in remainders if r != 0]}
    )


def _remainder(difference: sp.Expr) -> sp.Expr:
    """Return a rational difference's expanded numerator, 0 for an identity; any other difference
    simplified.
    """
    numerator = sp.expand(sp.numer(difference))
    return numerator if numerator.is_polynomial() else sp.simplify(difference)


class Derivation(NamedTuple):
    """A step's transition of (x, memory), the column that multiplies its draw, and the
    stationary covariance.
    """

    matrix: Expression
    noise: Expression
    covariance: Expression


def derived(after: State, memory: sp.Symbol, draw: sp.Symbol = z) -> Derivation:
    """Read the derivation off the state `after` a step on symbols; `memory` is named like its
    field of the state.
    """
    matrix, noise = (
        transition(after, inputs, ["x", memory.name]) for inputs in ([x, memory], [draw])
    )
    return Derivation(matrix, noise, stationary_covariance(matrix, noise))
