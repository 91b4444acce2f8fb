r"""Exponential multistep methods: one step for DEIS, UniPC, SA-Solver, ER-SDE-Solver and
DPM-Solver++ of any order.

In `y = x / r`, `v = sigma / r`, `l = -ln v`, with the denoised point `D = (x + sigma^2 s) / r`, the
reverse processes that keep the marginal distributions are, for any retention `phi(v)`,

    y' = P y + int D(l) dP_l + sqrt(v'^2 - v^2 P^2) z,
    P_l = phi(v') / phi(v(l)),  P = P at the step's start.

`phi = v` is the probability flow, `phi = v^(1 + tau^2)` the reverse SDE with noise tau. A method of
order p replaces `D(l)` by the polynomial through its last p values. The *corrector* repeats the
step, once the network was evaluated at the predicted point, with that value too and the same draw;
it costs no evaluation. A step does both: it evaluates at the predicted point, corrects the last
step, and predicts the next one. It starts with order 1 and gains one each step.

| method | predict | corrector | phi | polynomial in |
|---|---|---|---|---|
| DEIS, exponential Adams-Bashforth (arXiv 2204.13902) | eps | none | v | l, or v |
| UniPC-p (arXiv 2302.04867) | x0, order p | p + 1 points | v | l |
| SA-Solver (arXiv 2309.05019) | x0, order p | order q | `v^(1 + tau^2)`, also on an interval | l |
| ER-SDE-Solver-3 (arXiv 2309.06169) | x0, order 3 | none | `v (exp(v^0.3) + 10)` | v |
| DPM-Solver++(pM) and its SDE (arXiv 2211.01095) | x0, order p | none | `v`, `v^2` | l |

With eps the flow is `y' = y + int eps dv`, and eps takes the place of D; only `phi = v` is offered.
Where the next noise level is 0, the step is `y' = D`. Published codes differ in two places:
DPM-Solver++(3M) has half the weight of the second difference, and UniPC-2 predicts with the weight
`h / (2 h_-)` of the first one, which is `first_difference = "midpoint"` here.
"""

import functools
import math
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np

from ams.samplers.affine_transitions import next_level
from ams.samplers.base import Algebra, Info, Noise, Score, State, Step, Vector
from ams.samplers.loop import denoise
from ams.schedules import Level

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)


class Retention(NamedTuple):
    """The retention `phi(v)`: `log_phi(v)`, its slope `kappa = d ln phi / d ln v`, the noise levels
    where it jumps.
    """

    log_phi: Callable[[float], float]
    kappa: Callable[[float], float]
    jumps: tuple[float, ...] = ()


FLOW = Retention(math.log, lambda v: 1.0)
"""`phi = v`: the probability flow, without noise."""


def noisy(tau: float, low: float = 0.0, high: float = math.inf) -> Retention:
    """Return the reverse SDE with noise `tau` at noise levels `low <= v <= high`, the flow outside
    of them.
    """

    def log_phi(v: float) -> float:
        return math.log(v) + tau**2 * math.log(min(max(v, low), high))

    return Retention(
        log_phi,
        lambda v: 1.0 + tau**2 * (low <= v <= high),
        tuple(end for end in (low, high) if 0 < end < math.inf),
    )


def _er_sde_kappa(v: float) -> float:
    grown = math.exp(v**0.3)
    return 1.0 + 0.3 * v**0.3 * grown / (grown + 10.0)


ER_SDE = Retention(lambda v: math.log(v) + math.log(math.exp(v**0.3) + 10.0), _er_sde_kappa)
"""`phi = v (exp(v^0.3) + 10)`, the fifth of ER-SDE-Solver's choices (arXiv 2309.06169)."""


class Method(NamedTuple):
    """A multistep method: number of points of predictor and corrector (0 for none), the process,
    what is predicted.

    `noise` says whether the steps draw. `variable` is that of the polynomials. `first_difference`
    is "exact", or "midpoint" for predictors of two points with the weight `h / (2 h_-)`.
    """

    predictor: int
    corrector: int = 0
    retention: Retention = FLOW
    noise: bool = False
    predict: Literal["x0", "eps"] = "x0"
    variable: Literal["l", "v"] = "l"
    first_difference: Literal["exact", "midpoint"] = "exact"


def deis(order: int, variable: Literal["l", "v"] = "l") -> Method:
    """Return exponential Adams-Bashforth in eps: with `l` DPM-Solver's variable, with `v`
    Adams-Bashforth's own.
    """
    return Method(order, predict="eps", variable=variable)


def unipc(order: int) -> Method:
    """Return UniPC of an order, with its corrector of one point more."""
    return Method(order, order + 1, first_difference="midpoint")


def sa_solver(
    predictor: int, corrector: int, tau: float, low: float = 0.0, high: float = math.inf
) -> Method:
    """Return SA-Solver with noise `tau` where `low <= v <= high`."""
    return Method(predictor, corrector, noisy(tau, low, high), noise=True)


def er_sde_solver(order: int = 3) -> Method:
    """Return ER-SDE-Solver of an order."""
    return Method(order, retention=ER_SDE, noise=True, variable="v")


def dpm_solver_multistep(order: int, tau: float = 0.0) -> Method:
    """Return DPM-Solver++(pM), or its SDE for `tau = 1`, with the exact weights of all
    differences.
    """
    return Method(order, retention=noisy(tau) if tau else FLOW, noise=tau > 0)


@functools.lru_cache(maxsize=2**16)  # of many methods on the noise levels of many budgets
def weights(
    method: Method, points: tuple[float, ...], start: float, end: float
) -> tuple[float, tuple[float, ...]]:
    """Return P and the weights of the values at noise `points` for a step from noise `start` to
    `end > 0`.

    With x0 the weights are `int L_j dP_l` and sum to `1 - P`; with eps they are `int L_j dv`, and P
    is 1. `L_j` are Lagrange's polynomials. Gauss's rule of 32 nodes is exact to rounding for steps
    up to 10 in l.
    """
    process = method.retention
    cuts = sorted({start, end, *(v for v in process.jumps if end < v < start)}, reverse=True)
    pieces = [(-math.log(a), -math.log(b)) for a, b in pairwise(cuts)]
    lam = np.concatenate([(a + b) / 2 + (b - a) / 2 * _NODES for a, b in pieces])
    measure = np.concatenate([(b - a) / 2 * _WEIGHTS for a, b in pieces])
    v = np.exp(-lam)
    if method.predict == "eps":
        retained, density = 1.0, -v
    else:
        final = process.log_phi(end)
        retained = math.exp(final - process.log_phi(start))
        density = np.array(
            [math.exp(final - process.log_phi(value)) * process.kappa(value) for value in v]
        )
    own = (lambda value: -math.log(value)) if method.variable == "l" else float
    nodes, at = [own(point) for point in points], (lam if method.variable == "l" else v)
    gains = []
    for j, node in enumerate(nodes):
        basis = np.ones_like(lam)
        for other in (*nodes[:j], *nodes[j + 1 :]):
            basis = basis * (at - other) / (node - other)
        gains.append(float((measure * density * basis).sum()))
    return retained, tuple(gains)


def exponential_multistep(method: Method) -> Step:
    """Return the step of a method: one evaluation, and one draw where it is stochastic and does not
    end at noise 0.

    The state carries the predicted position `x`, the corrected one `c` in units of y, the past
    values with their noise levels, and the last draw. Raises ValueError at the last noise level.
    """

    def step(
        state: State, score: Score, noise: Noise, level: Level, algebra: Algebra
    ) -> tuple[State, Info]:
        after, v = next_level(level), level.sigma / level.scale
        value = _value(method, state.x, level, score, algebra)
        past, times = (value, *state.past), (v, *state.times)
        y = algebra.combine((1 / level.scale, state.x))
        if method.corrector and state.c is not None:
            y = _moved(
                method, method.corrector, state.c, past, times, (times[1], v), state.z, algebra
            )
        kept = max(method.predictor, method.corrector) - (
            1 if method.corrector > method.predictor else 0
        )
        past, times = past[: max(kept, 1)], times[: max(kept, 1)]
        if after.sigma == 0.0:
            if method.predict == "eps":
                mean = partial(algebra.combine, (after.scale, y), (-after.scale * v, value))
            else:
                mean = partial(algebra.combine, (after.scale, value))
            return State(mean()), Info(1, state.x, mean)
        z = noise(state.x) if method.noise else None
        ends = (v, after.sigma / after.scale)
        moved = _moved(method, method.predictor, y, past, times, ends, z, algebra)
        x = algebra.combine((after.scale, moved))
        info = Info(1, state.x, lambda: _scaled_mean(method, y, past, times, ends, after, algebra))
        c, draw = (y, z) if method.corrector else (None, None)
        return State(x, z=draw, c=c, past=past, times=times), info

    return step


def _value(method: Method, x: Vector, level: Level, score: Score, algebra: Algebra) -> Vector:
    """Return the network's value that the method interpolates."""
    if method.predict == "eps":
        return algebra.combine((-level.sigma, score(x, level)))
    return denoise(x, level, score, algebra)


def _moved(
    method: Method,
    count: int,
    y: Vector,
    past: tuple[Vector, ...],
    times: tuple[float, ...],
    ends: tuple[float, float],
    z: Vector | None,
    algebra: Algebra,
) -> Vector:
    """Return the step of `y` between the noise levels `ends` with the polynomial through the last
    `count` values.
    """
    used = min(count, len(past))
    retained, gains = _gains(method, times[:used], *ends)
    terms = [(retained, y), *zip(gains, past[:used], strict=True)]
    if z is not None:
        # 0 up to rounding
        terms.append((math.sqrt(max(ends[1] ** 2 - (ends[0] * retained) ** 2, 0.0)), z))
    return algebra.combine(*terms)


def _gains(
    method: Method, times: tuple[float, ...], start: float, end: float
) -> tuple[float, tuple[float, ...]]:
    """Return P and the weights, with the midpoint weight of the first difference where the method
    has it.
    """
    if method.first_difference == "midpoint" and len(times) == 2 and end not in times:
        retained, (total,) = weights(method, times[:1], start, end)
        ahead = total * math.log(start / end) / (2 * math.log(times[1] / times[0]))
        return retained, (total + ahead, -ahead)
    return weights(method, times, start, end)


def _scaled_mean(
    method: Method,
    y: Vector,
    past: tuple[Vector, ...],
    times: tuple[float, ...],
    ends: tuple[float, float],
    after: Level,
    algebra: Algebra,
) -> Vector:
    """Return the next position without the noise of the step."""
    return algebra.combine(
        (after.scale, _moved(method, method.predictor, y, past, times, ends, None, algebra))
    )
