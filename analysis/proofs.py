"""What a proof measures: both sides of an identity are subtracted, and what remains after simplification is counted."""

from typing import Annotated

import sympy as sp
from pydantic import JsonValue, PlainSerializer, PlainValidator

from verdicts import Measurement

Expression = Annotated[sp.Basic, PlainSerializer(sp.srepr), PlainValidator(sp.sympify)]
"""The annotation of a SymPy expression or matrix in a cell's result; symbols keep their assumptions."""


def left_over(*differences: sp.Expr) -> Measurement:
    """Return the operations and symbols left in the simplified differences: 0 says that each is identically zero."""
    remainders = [_remainder(sp.together(difference)) for difference in differences]
    left = sum(0 if r == 0 else 1 + int(sp.count_ops(r)) for r in remainders)
    detail: dict[str, JsonValue] = {"left": [str(r) for r in remainders if r != 0]}
    return Measurement(value=left, n=len(differences), detail=detail)


def _remainder(difference: sp.Expr) -> sp.Expr:
    """Return 0 where the numerator expands to it, as any rational identity's does, else the simplified difference."""
    return sp.Integer(0) if sp.expand(sp.numer(difference)) == 0 else sp.simplify(difference)


def matrix_entries(ours: sp.Matrix, stated: sp.Matrix) -> list[sp.Expr]:
    """Return the entrywise differences of two matrices."""
    return list(ours - stated)
