"""Kinetic methods at one noise level on a Gaussian: transition and stationary distribution, from their own steps."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from scipy.linalg import solve_discrete_lyapunov

from ams.laws.gaussian import GaussianLaw
from ams.laws.symbolic import lam, p, stationary_covariance, symbolic_step, transition, x, z
from ams.samplers import State, Step, kinetic
from ams.schedules import Level
from analysis.proofs import Expression
from verdicts.studies import cell

METHODS: dict[str, Callable[[Any], Step]] = {
    "BAOAB": kinetic.baoab,
    "OBABO": kinetic.obabo,
    "SGHMC": kinetic.sghmc,
    "kick, drift, refresh": kinetic.bao,
    "exponential Euler": kinetic.exponential_euler,
}
"""Each method's step from the momentum `e` kept per step, a number or a symbol."""
dt, e = sp.symbols("dt e", positive=True)
A = dt**2 / 2
U = A * lam


class Derivation(NamedTuple):
    """Transition matrix of (x, p), coefficients of the draw in them, and their stationary covariance."""

    matrix: Expression
    spread: Expression
    covariance: Expression


@cell
def derivation(method: str) -> Derivation:
    """Derive a method's transition and stationary covariance from its step, in the symbols `dt`, `e` and `lam`."""
    after = symbolic_step(METHODS[method](e), State(x, p=p), size=A)
    matrix, spread = transition(after, [x, p], ["x", "p"]), transition(after, [z], ["x", "p"])
    return Derivation(matrix, spread, stationary_covariance(matrix, spread))


def law_step(law: GaussianLaw, method: str, size: float, momentum: float) -> tuple[State, State]:
    """Return a state (x, p) of the exact law, and what one step of base step `size` makes of it."""
    row = law.start(0.0, 1.0).x
    state = law.begin_step(State(row, p=row))
    return state, METHODS[method](momentum)(state, law.score, law.noise, Level(0, sigma=0.0, step=size), law)[0]


def stationary_variance(method: str, size: float, momentum: float) -> float:
    """Return `lam Var x` of the distribution that a method's step leaves unchanged, at `lam = 1`, by the exact law."""
    law = GaussianLaw([1.0])
    state, after = law_step(law, method, size, momentum)
    return law.moments(law.set_stationary(state, after).x).variance.item()


def law_transition(method: str, size: float, momentum: float) -> np.ndarray:
    """Return the 2 x 2 transition of (x, p) that the exact law applies at `lam = 1`."""
    law = GaussianLaw([1.0])
    return law.transition(law_step(law, method, size, momentum)[1])[1][0].numpy()


def stationary_error(method: str, time_step: float, momentum: float) -> float:
    """Return `|lam Var x - 1|` of a method's stationary distribution at `lam = 1`, however many draws a step takes.

    One step from x = p = 0 has the covariance of the step's noise; with the transition Lyapunov's equation follows.
    """
    law = GaussianLaw([1.0])
    rest = law.start(0.0, 0.0)
    state, level = law.begin_step(rest._replace(p=rest.x)), Level(0, sigma=0.0, step=time_step**2 / 2)
    after, _ = METHODS[method](momentum)(state, law.score, law.noise, level, law)
    rows = (after.x, after.p)
    noise = np.array([[law.covariance(one, other).item() for other in rows] for one in rows])
    return float(abs(solve_discrete_lyapunov(law.transition(after)[1][0].numpy(), noise)[0, 0] - 1.0))
