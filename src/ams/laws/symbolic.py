r"""Steps as SymPy expressions: the transition is read off the sampler's own code, and proved things stay proved.

A vector is an expression in the symbols of one eigen-direction; the score is `-lam (x - mu)`. A norm is an unknown
function of its argument, of which only homogeneity is known, `<c v> = |c| <v>` for a scalar factor `c`, so an
identity that simplifies to zero holds for every choice of norm: batch mean, per sample or expectation.
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp
from sympy.printing.latex import LatexPrinter

from ams.samplers.base import Noise, State, Step
from ams.schedules import Level

a, b, lam = sp.symbols("a b lambda", positive=True)
x, m, s, z, p, d, mu, z_before = sp.symbols("x m s z p d mu z_-", real=True)


class Norm(sp.Function):  # type: ignore[misc]  # sympy has no types
    """`<v>` of an expression: positive homogeneous, otherwise unknown."""

    nargs = 1
    is_nonnegative = True
    is_real = True

    def _latex(self, printer: LatexPrinter) -> str:
        return rf"\left\langle {printer._print(self.args[0])} \right\rangle"

    @classmethod
    def eval(cls, argument: sp.Expr) -> sp.Expr | None:
        """Draw factors of known sign that are free of the vectors' symbols out of the norm."""
        content, rest = sp.factor_terms(argument).as_independent(*VECTOR_SYMBOLS, as_Add=False)
        if content in (1, 0):
            return sp.Integer(0) if argument == 0 else None
        return sp.Abs(content) * cls(rest)


VECTOR_SYMBOLS = (x, m, s, z, p, d, z_before)


class Symbols:
    """The algebra of expressions, on the target `N(mu, 1 / lam)` in one direction."""

    def score(self, at: sp.Expr, level: Level) -> sp.Expr:
        """Return `-lam (x - mu)`; the level is one of a fixed target and is not looked at."""
        return -lam * (at - mu)

    def noise(self, at: sp.Expr) -> sp.Expr:
        """Return the noise's symbol `z`: of a step that draws once."""
        return z

    def combine(self, *terms: tuple[sp.Expr, sp.Expr], over: sp.Expr | None = None) -> sp.Expr:
        """Return the linear combination; floats among the step's own constants are made exact rationals."""
        return sp.Add(*(sp.nsimplify(c) * v for c, v in terms))

    def norm(self, vector: sp.Expr) -> sp.Expr:
        """Return the unknown norm of an expression."""
        return Norm(vector)

    def sqrt(self, scalar: sp.Expr) -> sp.Expr:
        """Return the square root."""
        return sp.sqrt(scalar)

    def divide(self, numerator: sp.Expr, denominator: sp.Expr) -> sp.Expr:
        """Return the quotient."""
        return numerator / denominator

    def clip(self, scalar: sp.Expr, low: float, high: float) -> sp.Expr:
        """Return the scalar itself: symbolic statements are about the range where the clip is idle."""
        return scalar

    def begin_step(self, state: State) -> State:
        """Return the state unchanged."""
        return state

    def finite(self, vector: sp.Expr) -> bool:
        """Return True: an expression has no overflow."""
        return True


def symbolic_step(step: Step, state: State, noise: Noise | None = None, size: sp.Expr = a) -> State:
    """Apply a sampler's step to symbols, at base step `size`; returns the new state's expressions."""
    algebra = Symbols()
    level = Level(number=0, sigma=0.0, step=size)
    return step(state, algebra.score, noise or algebra.noise, level, algebra)[0]


def transition(state: State, inputs: Sequence[sp.Symbol], outputs: Sequence[str]) -> sp.Matrix:
    """Return the matrix of the named components' derivatives with respect to `inputs`: an affine step's transition."""
    components = sp.Matrix([getattr(state, name) for name in outputs])
    return components.jacobian(sp.Matrix(inputs)).applyfunc(sp.factor)


def stationary_covariance(matrix: sp.Matrix, spread: sp.Matrix) -> sp.Matrix:
    """Solve the Lyapunov equation `C = M C M^T + q q^T` for symmetric `C`; SymPy's own linear solver."""
    n = matrix.shape[0]
    names = {(i, j): sp.Symbol(f"c_{min(i, j)}{max(i, j)}") for i in range(n) for j in range(n)}
    unknown = sp.Matrix(n, n, lambda i, j: names[i, j])
    residual = matrix * unknown * matrix.T + spread * spread.T - unknown
    solution = sp.solve(list(residual), sorted(set(names.values()), key=str), dict=True)[0]
    return unknown.subs(solution).applyfunc(sp.factor)
