"""What remains of an identity, and SymPy's expressions as results of cells."""

from typing import NamedTuple

import sympy as sp

from analysis.proofs import Expression, left_over
from verdicts.studies import cell

B = sp.Symbol("b", positive=True)


def test_left_over_counts_what_does_not_vanish() -> None:
    x = sp.Symbol("x")
    assert left_over((x + 1) ** 2 - x**2 - 2 * x - 1).value == 0
    assert left_over(sp.sqrt(x**2 + 2 * x + 1) - sp.sqrt((x + 1) ** 2)).value == 0
    assert left_over(x**2 - x).value > 0 and left_over(x - x, sp.Integer(3)).value == 1


class Pair(NamedTuple):
    matrix: Expression
    root: Expression


@cell
def derived() -> Pair:
    return Pair(sp.Matrix([[B, 1 / B], [sp.Rational(1, 3), 0]]), sp.sqrt(B**2 - B))


def test_expressions_are_read_back_with_their_assumptions() -> None:
    read = derived.decode(derived.encode(derived.wrapped()))
    assert read.matrix == derived.wrapped().matrix and read.root == derived.wrapped().root
    assert all(symbol.is_positive for symbol in read.matrix.free_symbols)
