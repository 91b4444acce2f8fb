r"""P1a for finite batches: on an isotropic Gaussian, `u <= 1/2`, a batch converges from any start to one distribution.

The chain is `(x, m, beta)`, of a batch with n coordinates in all, at the precision `lam` and `a = u / lam`, x measured
from the target's mean:

    x' = x + (w / lam) m + sqrt(2 a) z,   w = u (1 + beta)^2,
    rho = lam <x' - x> / <m>,   beta' = min(((1 - rho) / (1 + rho))^2, 1 - delta),   m' = beta' m - (1 - beta') lam x'.

1. *A large state.* Without the noise `rho = w` whatever the batch is, so `(x', m'/lam) = L(w) (x, m/lam)` with the
   trace 2 q and the determinant q^2 of `q = (1 - w)/(1 + w)`: every step is critically damped. The clip does not act if
   `((1 - u)/(1 + u))^2 <= 1 - delta`. Where m = 0 the ratio is undefined, and beta' may be any: `m'/lam = -eta x`,
   `delta <= eta <= 1`; the next step is one of `L(w)` again.
2. *Drift.* `V(x, m) = sum (x, m/lam) P (x, m/lam)^T` over coordinates, P of `LYAPUNOV`. `P - L(w)^T P L(w)` is positive
   definite for u <= w <= 4u, and `V(x, -eta x) <= V(x, 0)` as `P_22 <= 2 P_12`. So V falls by a factor c < 1 in two
   steps without noise, whatever beta is. The states that a sequence of large states, divided by their size, tends to
   are such steps (if m -> 0 any beta' is a limit); V of two steps is at most a multiple of V + |z|^2. Hence
   `limsup E V(after two steps) / V <= c` as |(x, m)| -> infinity: `E V'' <= c' V + K`.
3. *Minorisation.* A far x_1 makes rho so large that beta_1 = 1 - delta and `m_1 = (1 - delta) m_0 - delta lam x_1`.
   Divided by |x_1| the start vanishes, also in the derivatives, uniformly on bounded sets. From the start 0 the map
   `(x_1, x_2, x_3) -> (x_3, m_3, beta_3)` has full rank 2n + 1 at `POINT`: given x_3 and beta_3 > 0, m_3 is m_2, and
   x_1 moves m_2 in all directions at fixed x_2, x_2 moves beta_3 at fixed m_2. (All samples being one vector, the
   determinant of the former is `(-delta beta_2)^(n-1)` times that of one coordinate.) So for all starts in a bounded
   set the distributions after three steps, and after four, have a part in common.
4. *Harris's theorem* (Hairer and Mattingly, 2011) for the chain of every fourth step: one stationary distribution,
   which each start's distribution approaches geometrically. So has the chain itself.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import sympy as sp
import torch
from torch import Tensor

from ams.samplers import Particles, State, critical_momentum, run
from ams.samplers.noise_sources import generated
from ams.schedules import Level
from ams_suite.measures import largest, named_extreme
from analysis.adaptive.settings import Settings
from analysis.adaptive.study import STEP
from verdicts import Measurement

w = sp.Symbol("w", positive=True)
_R = sp.Rational
LYAPUNOV = (
    (_R(0), _R(1, 3), sp.Matrix([[1, _R(3, 4)], [_R(3, 4), 1]])),
    (_R(1, 3), _R(1, 2), sp.Matrix([[1, _R(11, 10)], [_R(11, 10), _R(3, 2)]])),
)
"""P for u above the first and up to the second number."""
DELTA = _R(1, 1000)
POINT = (sp.Integer(1), 1 + DELTA / 2, _R(1, 2))
"""`x_1`, `x_2` and `x_3` of every coordinate, in units of one size."""


def of_a_large_state(w: Any) -> list[list[Any]]:
    """Return L(w), the step of `(x, m / lam)` from a large state; `b = ((1 - w) / (1 + w))^2`."""
    b = critical_momentum(w)
    return [[1, w], [b - 1, b - (1 - b) * w]]


def largest_error_of_the_large_step(settings: Settings) -> Measurement:
    """Measure how far the rule's own steps of batches 1e12 standard deviations away are from L(w), relative."""
    generator = torch.Generator().manual_seed(settings.seed)
    errors = [
        error
        for batch, d, u in ((1, 1, 0.05), (1, 7, 0.5), (6, 1, 0.3), (5, 4, 0.01))
        for error in _errors(1e12 * torch.randn(batch, d, dtype=torch.float64, generator=generator), u, generator)
    ]
    return largest(errors, settings.seed)


def _errors(start: Tensor, u: float, generator: torch.Generator) -> Iterator[float]:
    program = [(STEP, Level(0, sigma=0.0, step=u))] * 10
    states = run(program, State(start), lambda x, level: -x, generated(generator), Particles())
    path = [(state.x.clone(), state.m.clone(), info.coefficients) for state, info in states]
    for (x, m, coefficients), (_, after, _) in pairwise(path):
        assert coefficients is not None
        (_, _), (of_x, of_m) = of_a_large_state(u * (1 + coefficients.beta) ** 2)
        # the state after a step has the next position already: x = x_t + w m + noise, and m is m_t
        before = x - u * (1 + coefficients.beta) ** 2 * m
        yield float((of_x * before + of_m * m - after).norm() / after.norm())


def conditions_of_the_drift_that_fail(settings: Settings) -> Measurement:
    """Count what fails of: trace 2q and determinant q^2 of L(w); for each P, by Sturm's theorem, positive minors of
    `P - L(w)^T P L(w)` for every w that u allows, P positive definite, and `P_22 <= 2 P_12`.
    """
    step, q = sp.Matrix(of_a_large_state(w)), (1 - w) / (1 + w)
    failing = [not_zero for not_zero in (step.trace() - 2 * q, step.det() - q**2) if sp.simplify(not_zero) != 0]
    for first, last, p in LYAPUNOV:
        loss = p - step.T * p * step
        minors = (loss[0, 0], loss.det())
        failing += [minor for minor in minors if not _positive(minor, first, 4 * last)]
        failing += [p] * (not (p.is_positive_definite and p[1, 1] <= 2 * p[0, 1]))
    return Measurement(value=len(failing), n=2 + 3 * len(LYAPUNOV), detail={"failing": [str(each) for each in failing]})


def _positive(minor: sp.Expr, first: sp.Rational, last: sp.Rational) -> bool:
    """Return whether a rational function of w, of a positive denominator, is positive for first < w <= last."""
    numerator = sp.Poly(sp.numer(sp.factor(minor)), w)
    (power,) = numerator.terms()[-1][0]  # w^power divides it, and is positive
    rest = sp.Poly(sp.exquo(numerator, sp.Poly(w**power, w)), w)
    middle = (first + last) / 2
    return rest.count_roots(first, last) == 0 and bool(minor.subs(w, middle) > 0)


def rank_that_three_steps_lack(settings: Settings) -> Measurement:
    """Measure how much of the rank 2n + 1 the map of three steps lacks at `POINT`, the most over four batches."""
    lacking = {f"{batch} x {d}": _lacking(batch, d) for batch, d in ((1, 1), (1, 3), (3, 1), (2, 2))}
    return named_extreme(lacking)


def _lacking(batch: int, d: int) -> float:
    unit = torch.ones(batch, d, dtype=torch.float64)
    point = torch.stack([float(each) * unit for each in POINT])
    jacobian = torch.autograd.functional.jacobian(of_three_steps, point).reshape(-1, point.numel())
    return 2 * batch * d + 1 - int(torch.linalg.matrix_rank(jacobian, rtol=1e-9))


def of_three_steps(positions: Tensor) -> Tensor:
    """Return (m_3, beta_3, x_3), flat, of three positions (3, batch, d) far from a start 0; lam = 1."""
    delta, (x, *later) = float(DELTA), positions
    m = -delta * x
    for after in later:
        rho = (after - x).norm(dim=1).mean() / m.norm(dim=1).mean()
        beta = critical_momentum(rho)
        x, m = after, beta * m - (1 - beta) * after
    return torch.cat([m.reshape(-1), beta.reshape(1), x.reshape(-1)])
