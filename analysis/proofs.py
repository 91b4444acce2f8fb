"""What a proof measures: an identity's two sides are subtracted, and what is left after simplification is counted."""

from __future__ import annotations

import sympy as sp
from pydantic import JsonValue

from verdicts import Measurement


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
