"""Steps on SymPy expressions: proofs about a sampler start from the transition of its own code.

A vector is an expression in the symbols of one eigendirection, and the score is `-lam (x - mu)`.
The norm is an unknown function with `<c v> = |c| <v>` for scalars `c`. An identity that simplifies
to zero therefore holds for every norm: batch mean, per sample or expectation.
"""

from collections.abc import Sequence

import sympy as sp
from sympy.printing.latex import LatexPrinter

from ams.samplers.base import State, Step
from ams.schedules import Level

a, b, lam = sp.symbols("a b lambda", positive=True)
x, m, s, z, p, d, mu, z_before = sp.symbols("x m s z p d mu z_-", real=True)


class Norm(sp.Function):
    """The norm `<v>` of an expression, of which only homogeneity is known."""

    nargs = 1
    is_nonnegative = True
    is_real = True

    def _latex(self, printer: LatexPrinter) -> str:
        return rf"\left\langle {printer._print(self.args[0])} \right\rangle"

    @classmethod
    def eval(cls, argument: sp.Expr) -> sp.Expr | None:
        """Move factors without vector symbols out of the norm."""
        content, rest = sp.factor_terms(argument).as_independent(*VECTOR_SYMBOLS, as_Add=False)
        if content in (1, 0):
            return sp.Integer(0) if argument == 0 else None
        return sp.Abs(content) * cls(rest)


VECTOR_SYMBOLS = (x, m, s, z, p, d, z_before)


class Symbols:
    """The algebra of expressions on the target `N(mu, 1 / lam)` in one direction."""

    def score(self, at: sp.Expr, level: Level) -> sp.Expr:
        """Return `-lam (x - mu)`, without noise at any noise level."""
        return -lam * (at - mu)

    def noise(self, at: sp.Expr) -> sp.Expr:
        """Return the symbol `z`, for a step that draws once."""
        return z

    def combine(
        self, *terms: tuple[sp.Expr | float, sp.Expr], over: sp.Expr | None = None
    ) -> sp.Expr:
        """Return the linear combination; floats become exact rationals."""
        return sp.Add(*(sp.nsimplify(c) * v for c, v in terms))

    def norm(self, vector: sp.Expr) -> sp.Expr:
        """Return the norm of an expression."""
        return Norm(vector)

    def sqrt(self, scalar: sp.Expr) -> sp.Expr:
        """Return the square root."""
        return sp.sqrt(scalar)

    def divide(self, numerator: sp.Expr, denominator: sp.Expr) -> sp.Expr:
        """Return the quotient."""
        return numerator / denominator

    def clip(self, scalar: sp.Expr, low: float, high: float) -> sp.Expr:
        """Return the scalar itself: symbolic statements are about the range without clipping."""
        return scalar

    def begin_step(self, state: State) -> State:
        """Return the state unchanged."""
        return state

    def finite(self, vector: sp.Expr) -> bool:
        """Return True: an expression has no overflow."""
        return True


def symbolic_step(step: Step, state: State, size: sp.Expr = a) -> State:
    """Return the expressions of the state after a sampler's step from `state`, at base step
    `size`.
    """
    algebra = Symbols()
    level = Level(number=0, sigma=0.0, step=size)
    return step(state, algebra.score, algebra.noise, level, algebra)[0]


def transition(state: State, inputs: Sequence[sp.Symbol], outputs: Sequence[str]) -> sp.Matrix:
    """Return the transition matrix of an affine step: derivatives of the vectors `outputs` of
    `state` by `inputs`.
    """
    components = sp.Matrix([getattr(state, name) for name in outputs])
    return components.jacobian(sp.Matrix(inputs)).applyfunc(sp.factor)


def stationary_covariance(matrix: sp.Matrix, spread: sp.Matrix) -> sp.Matrix:
    """Return the symmetric solution of the Lyapunov equation `C = M C M^T + q q^T`."""
    n = matrix.shape[0]
    names = {(i, j): sp.Symbol(f"c_{min(i, j)}{max(i, j)}") for i in range(n) for j in range(n)}
    unknown = sp.Matrix(n, n, lambda i, j: names[i, j])
    residual = matrix * unknown * matrix.T + spread * spread.T - unknown
    solution = sp.solve(list(residual), sorted(set(names.values()), key=str), dict=True)[0]
    return unknown.subs(solution).applyfunc(sp.factor)
