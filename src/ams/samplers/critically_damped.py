r"""Critically damped Langevin diffusion (CLD), its probability flow, by an exponential and by a splitting integrator.

CLD diffuses a position x and a velocity w together, `dx = w dt`, `dw = -(x + 2 w) dt + 2 dB`, with `w ~ N(0, gamma)`
at t = 0 (Dockhorn et al., arXiv 2112.07068, with M = 1). A point `z = (x, w)` is `r_1 x_0 + noise` of covariance Q:

    r_1 = e^-t (1 + t, -t),   r_2 = e^-t (t, 1 - t),   Q = I - r_1 r_1^T - (1 - gamma) r_2 r_2^T.

With `n = (t, 1 + t)`, orthogonal to r_1, and `N = n^T Q n`, the best estimate of x_0 without a prior,
`y = r_1^T Q^-1 z sigma^2`, has the noise `sigma^2 = e^2t det Q / N`, and `p = n^T z / sqrt N` is N(0, 1), independent
of y and of x_0. So the score of z needs the data's own score alone, at y and sigma; no network of its own. The flow is

    dy = (D(y) - y) dl + sigma p dtheta,   dp = -(y - D(y)) / sigma dtheta,
    l = -ln sigma,   |dtheta / dt| = 2 (1 + t) e^t t (1 - (1 - gamma) e^-2t) / (sigma N^(3/2))

(claim K13): the probability flow of y, joined with Hamiltonian dynamics of the distribution at each noise level. If D
is constant, `((y - D) / sigma, p)` turns by the angle theta. A step from sigma to sigma' takes one evaluation.
The reverse SDE needs no step of its own: whatever p is, y follows the data's own, `dy = 2 (D - y) dl + sqrt(2) sigma
dB` (claim K13), of which `ancestral` and `dpm_solver(1.0)` are integrators.

- *exponential*: the turn, exact where D is constant, with `D + h/(2 h_)(D - D_)` for D; gDDIM (arXiv 2206.05564) of
  second order.
- *splitting*: kicks, drifts and the flow apart. That is annealed BAOAB with `e = 1`, without refreshment: a velocity
  Verlet integrator, as in the splitting integrators of arXiv 2402.07211. Its step `u = 1 - cos theta`, about `theta^2 /
  2`, turns by theta where D is constant.
"""

import functools
import math
from typing import Any

import numpy as np
from scipy.optimize import brentq

from ams.samplers.affine_transitions import next_level
from ams.samplers.annealed_baoab import StepCoefficients, level_transition
from ams.samplers.base import Algebra, Info, Noise, Scalar, Score, State
from ams.samplers.loop import denoise
from ams.schedules import Level

GAMMA = 0.04
"""The velocity's variance where the diffusion begins, of the source."""
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)


def noise_and_rate(t: Scalar, gamma: Scalar = GAMMA, functions: Any = math) -> tuple[Scalar, Scalar]:
    """Return the noise level `sigma` at time t, and `dtheta / dt`; for symbols with the functions of SymPy."""
    fade, kept = functions.exp(-2 * t), 1 - gamma
    square, other = t**2 + (1 + t) ** 2, t**2 + (1 - t) ** 2
    determinant = (1 - fade * square) * (1 - kept * fade * other) - kept * (2 * t**2 * fade) ** 2
    n = square - kept * fade
    sigma = functions.sqrt(determinant / (fade * n))
    return sigma, 2 * (1 + t) * functions.exp(t) * t * (1 - kept * fade) / (sigma * n * functions.sqrt(n))


@functools.lru_cache(maxsize=4096)
def time_of(sigma: float) -> float:
    """Return the time at which the noise level is `sigma`, from 0.001 to 1e6."""
    return float(brentq(lambda t: math.log(noise_and_rate(t)[0] / sigma), 1e-2, 20.0, xtol=1e-14))


@functools.lru_cache(maxsize=4096)
def angle(start: float, end: float) -> float:
    """Return the angle `theta` between two noise levels."""
    low, high = time_of(end), time_of(start)
    times = (low + high) / 2 + (high - low) / 2 * _NODES
    return float((high - low) / 2 * sum(w * noise_and_rate(t)[1] for w, t in zip(_WEIGHTS, times, strict=True)))


def cld_exponential(state: State, score: Score, noise: Noise, level: Level, algebra: Algebra) -> tuple[State, Info]:
    """Take the exponential integrator's step; the first one draws p. Raises ValueError at the last noise level."""
    after, d = next_level(level), denoise(state.x, level, score, algebra)
    v, end = level.sigma / level.scale, after.sigma / after.scale
    p, h, theta = noise(state.x) if state.p is None else state.p, math.log(v / end), angle(v, end)
    ahead = 0.0 if state.d is None else h / (2 * state.h)
    terms = [(1 + ahead, d)] if state.d is None else [(1 + ahead, d), (-ahead, state.d)]
    point = algebra.combine(*terms)
    cos, sin = math.cos(theta), math.sin(theta)
    x = algebra.combine(
        (after.scale * (1 - cos * end / v), point),
        (after.scale / level.scale * cos * end / v, state.x),
        (after.scale * sin * end, p),
    )
    turned = algebra.combine((cos, p), (-sin / v / level.scale, state.x), (sin / v, point))
    return State(x, p=turned, d=d, h=h), Info(1, state.x, lambda: x)


def cld_splitting(state: State, score: Score, noise: Noise, level: Level, algebra: Algebra) -> tuple[State, Info]:
    """Take the splitting integrator's step; the first one draws p. Raises ValueError at the last noise level."""
    after = next_level(level)
    v, end = level.sigma / level.scale, after.sigma / after.scale
    h, u = math.log(v / end), 1 - math.cos(angle(v, end))
    h_before, u_before = (h, u) if state.h is None else (state.h, state.drift)
    step = level_transition(StepCoefficients(u, u_before, 1.0, h / (2 * h_before)))
    result, info = step(state, score, noise, level, algebra)
    return result._replace(h=h, drift=u), info
