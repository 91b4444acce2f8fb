r"""Enclosures of stationary distributions: a linear system in balls, and the interval Newton
method.

Constant momentum's stationary mean and covariance solve `mu = c + M mu` and `C = M C M^T + q q^T`.
They are a distribution's if some power of M has a row-sum norm below 1, which is decided in balls.

An adaptive rule's momentum coefficient solves `f(b) = rule(b) - b = 0`. With `b` a power series `B
+ eps`, the same code gives balls that contain f and f' on B. If `N(B) = m - f(m) / f'(B)`, m in B,
lies inside B, then B has exactly one zero, and it is in N(B) (Moore, *Interval Analysis*, 1966;
Krawczyk, Computing 4, 1969).
"""

from collections.abc import Callable, Sequence

from flint import arb, arb_mat, arb_series

from ams.enclosures.balls import Ball, Undecided, Value, constant_term
from ams.enclosures.law import BallLaw, in_direction
from ams.samplers.base import Coefficients, Rule, State
from ams.samplers.rules import Factor, authors_factor, momentum
from ams.schedules import Level

_SQUARINGS = 60
_REFINEMENTS = 2
_RADIUS = 1e-16  # of the ball that is shown to have one zero


def frozen(law: BallLaw, size: Ball, beta: Ball, factor: Factor = authors_factor) -> State:
    """Return the stationary state (x, m, s) of constant momentum `beta` at base step `size`, as a
    state of `law`.

    Raises Undecided where stability is not decided or does not hold.
    """
    c = Coefficients(beta, size, size * factor(beta), law.sqrt(2 * size))
    x = law.start(0.0, 1.0).x
    state = law.begin_step(State(x, x, x, drift=c.drift, effective_drift=c.drift))
    return set_stationary(
        law, state, momentum(lambda *_: c)(state, law.score, law.noise, level_of(size), law)[0]
    )


def set_stationary(law: BallLaw, state: State, after: State) -> State:
    """Give `state` the distribution that the step of one draw from `state` to `after` leaves
    invariant, and return it.

    Both states must have the same vectors. Raises Undecided where stability is not decided or does
    not hold.
    """
    means, covariances = [], []
    n = len(state.vectors())
    pairs = [(i, j) for i in range(n) for j in range(n)]
    for number in range(len(law.variance)):
        rows = [in_direction(vector, number) for vector in after.vectors()]
        matrix, spread = [row[1 : 1 + n] for row in rows], [row[1 + n] for row in rows]
        refuse_unstable(matrix)
        less = [[int(i == j) - matrix[i][j] for j in range(n)] for i in range(n)]
        means.append(solved(less, [row[0] for row in rows]))
        system = [
            [int((i, j) == (k, m)) - matrix[i][k] * matrix[j][m] for k, m in pairs]
            for i, j in pairs
        ]
        covariances.append(solved(system, [spread[i] * spread[j] for i, j in pairs]))
    columns = [list(column) for column in zip(*covariances, strict=True)]
    law.carry(
        [list(column) for column in zip(*means, strict=True)],
        [columns[i * n : (i + 1) * n] for i in range(n)],
    )
    return state


def level_of(size: Ball) -> Level:
    """Return the noise level 0 with a base step."""
    return Level(0, sigma=0.0, step=size)  # type: ignore[arg-type]


def reproduced(law: BallLaw, rule: Rule, size: Ball, guess: float) -> Ball:
    """Return a ball with the momentum coefficient near `guess` that an adaptive `rule` reproduces.

    The rule has the drift factor `(1 + beta)^2`. Raises Undecided as `verified_zero`.
    """

    def excess(beta: Ball) -> Ball:
        state = frozen(law, size, beta)
        s = law.score(state.x, level_of(size))
        return rule(state, s, law.noise(state.x), level_of(size), law).beta - beta

    return verified_zero(excess, guess)


def verified_zero(function: Callable[[Ball], Ball], guess: float) -> Ball:
    """Return a ball with the only zero of a function within 1e-16 of where Newton's method leads
    from `guess`.

    Raises Undecided where the interval Newton method does not show it.
    """

    def newton(middle: arb, inside: arb) -> arb:
        slope = function(Ball(arb_series([inside, 1], prec=2))).value[1]
        return middle - constant_term(function(Ball(middle)).value) / slope

    middle = arb(guess)
    for _ in range(_REFINEMENTS):
        middle = newton(middle, middle).mid()
    inside = middle + _RADIUS * arb(0, 1)
    after = newton(middle, inside)
    if not inside.contains_interior(after):
        raise Undecided(f"Newton's method does not lead into {inside}, but to {after}")
    return Ball(after)


def refuse_unstable(matrix: Sequence[Sequence[Value]]) -> None:
    """Raise Undecided unless a power of the matrix has a row-sum norm below 1."""
    power = arb_mat([[constant_term(each) for each in row] for row in matrix])
    for _ in range(_SQUARINGS):
        if all(sum((abs(each) for each in row), arb(0)) < 1 for row in power.tolist()):
            return
        power = power * power
    raise Undecided("no power of the transition is shown to contract")


def solved(matrix: Sequence[Sequence[Value]], right: Sequence[Value]) -> list[Value]:
    """Return the solution of a linear system of balls or series, by Gaussian elimination with
    row pivots.
    """
    rows = [[*row, each] for row, each in zip(matrix, right, strict=True)]
    n = len(rows)
    for i in range(n):
        best = max(range(i, n), key=lambda k: abs(float(constant_term(rows[k][i]))))
        rows[i], rows[best] = rows[best], rows[i]
        rows[i] = [each / rows[i][i] for each in rows[i]]
        for k in range(n):
            if k != i:
                rows[k] = [
                    each - rows[k][i] * pivot for each, pivot in zip(rows[k], rows[i], strict=True)
                ]
    return [row[-1] for row in rows]
