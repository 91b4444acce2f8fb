r"""N10: what SGDF's gain is optimal for, by algebra and exact recursion.

A gradient `g_t = mu + z_t` has stationary noise of variance 1, and m_t is its running average with
coefficient b. The average of the *earlier* gradients m_{t-1} has the variance P and the covariance
C with z_t, where C is 0 for white noise. An estimate `A + K (g - A)`, with A = m_{t-1} or A = m_t,
has a mean squared error that is quadratic in K.
"""

from itertools import product
from typing import Literal

import numpy as np
import sympy as sp
from scipy.integrate import quad
from scipy.linalg import solve_discrete_lyapunov

from ams.laws.symbolic import Symbols, b, m, s, x
from ams.samplers import State, wiener_gain
from ams.samplers.rules import average
from ams_suite.measures import named_extreme
from analysis.proofs import left_over
from related.gradient_filter.optimisers.settings import Settings
from verdicts import Measurement

K, P = sp.symbols("K P", positive=True)
C = sp.Symbol("C", real=True)
POWER, POWER_2 = sp.symbols("B B_2", positive=True)
"""`b^t` and `beta_2^t`."""
COEFFICIENTS = (0.5, 0.8, 0.9, 0.99)
EXPONENTS = (0.5, 1.0)
"""SGDF's gamma: as published now, and in its first version."""
Base = Literal["earlier", "published"]


def weights() -> tuple[sp.Expr, sp.Expr]:
    """Return the weights of m_{t-1} and of g_t in m_t, from the sampler's own average."""
    after = average(State(x, m), s, b, Symbols())
    return sp.diff(after, m), sp.diff(after, s)


def variance(keep: sp.Expr, take: sp.Expr, p: sp.Expr) -> sp.Expr:
    """Return the variance of `keep m_{t-1} + take z_t`, p being that of m_{t-1}."""
    return keep**2 * p + take**2 + 2 * keep * take * C


def stationary() -> sp.Expr:
    """Return the stationary P, a function of b and C: m_t has the variance of m_{t-1}."""
    return sp.solve(variance(*weights(), P) - P, P)[0]


def squared_error(base: Base) -> sp.Expr:
    """Return the mean squared error of `A + K (g - A)`, stationary, a function of K, b and C."""
    keep, take = weights() if base == "published" else (sp.Integer(1), sp.Integer(0))
    return variance((1 - K) * keep, (1 - K) * take + K, stationary())


def best(base: Base) -> sp.Expr:
    """Return the K at which the mean squared error is least."""
    return sp.solve(sp.diff(squared_error(base), K), K)[0]


def remainder_of_the_gain_in_white_noise(settings: Settings) -> Measurement:
    """Measure the operations left in the optimal gain on m_{t-1}, white noise: less SGDF's, less
    `P / (P + 1)`.
    """
    p = stationary().subs(C, 0)
    gain = best("earlier").subs(C, 0)
    return left_over(gain - wiener_gain(b), gain - p / (p + 1))


def remainder_of_the_gain_in_correlated_noise(settings: Settings) -> Measurement:
    """Measure the operations left in the optimal gain on m_{t-1} less SGDF's, noise of any
    autocorrelation.
    """
    return left_over(best("earlier") - wiener_gain(b))


def remainder_of_the_gains_place(settings: Settings) -> Measurement:
    """Measure the operations left in SGDF's stationary gain less the mean of two: of momentum, 0,
    and of Nesterov.

    Nesterov's direction `b M_t + g_t`, with the sum `M_t = b M_{t-1} + g_t` of PyTorch, is `m_t +
    (1 - b) (g_t - m_t)` over `1 - b`.
    """
    nesterov = sp.solve((1 - b) * (b * m / (1 - b) + s) - (m + K * (s - m)), K)[0]
    return left_over(wiener_gain(b) - nesterov / 2)


def remainder_of_the_gain_on_the_published_average(settings: Settings) -> Measurement:
    """Measure the operations left in the optimal gain on m_t less `-(1 - b) / (2 b)`, noise of
    any autocorrelation.
    """
    return left_over(best("published") + (1 - b) / (2 * b))


def remainder_of_what_a_gain_adds(settings: Settings) -> Measurement:
    """Measure the operations left in what K on m_t adds to the error, less `2 K b (1 - C) (1 - b +
    K b) / (1 + b)`.

    It is positive for every K > 0, as C < 1.
    """
    added = squared_error("published") - stationary()
    return left_over(added - 2 * K * b * (1 - C) * (1 - b + K * b) / (1 + b))


def remainder_of_the_gain_at_a_finite_step(settings: Settings) -> Measurement:
    """Measure the operations left in the slope at K = 0 of the error of `m^ + K (g - m^)`, white
    noise, at any step t.

    The slope is `2 (w - p)`, w the weight of g_t in m^ and p the variance of m^; less the form `2
    (1 - b) (b - b^t) / ((1 + b) (1 - b^t))`, it leaves nothing. It is 0 at t = 1 and positive
    later.
    """
    keep, take = weights()
    p = take**2 * (1 - POWER**2) / (1 - keep**2) / (1 - POWER) ** 2
    slope = 2 * (take / (1 - POWER) - p)
    return left_over(slope - 2 * (1 - b) * (b - POWER) / ((1 + b) * (1 - POWER)))


def entrywise_mean(q: float, power: float) -> float:
    """Return `E xi^2 (q / (q + xi^2))^power`, xi ~ N(0, 1), to 1e-10 by quadrature."""
    density = lambda y: y * y * (q / (q + y * y)) ** power * np.exp(-y * y / 2)  # noqa: E731
    return float(
        2 * quad(density, 0, 40, points=[np.sqrt(q), 1, 5], limit=400)[0] / np.sqrt(2 * np.pi)
    )


def entrywise_error(beta: float, exponent: float) -> float:
    """Return the stationary mean squared error of SGDF's own estimate over that of m_t: Gaussian
    white noise.

    beta_2 -> 1, eps = 0: `K = (q / (q + xi^2))^gamma`, xi the error `e = g - m` over its standard
    deviation s, `q = (1 - b) / (1 + b)`. As m and e are jointly normal with covariance `b q` and
    `s^2 = 2 b^2 / (1 + b)`, it is `1 + (2 b q E K xi^2 + s^2 E K^2 xi^2) / q`.
    """
    q, square = (1 - beta) / (1 + beta), 2 * beta**2 / (1 + beta)
    return 1 + 2 * beta * entrywise_mean(q, exponent) + square / q * entrywise_mean(q, 2 * exponent)


def least_error_of_the_entrywise_gain(settings: Settings) -> Measurement:
    """Measure the least error of SGDF's own entrywise estimate over its average's, b and
    exponents as listed.
    """
    pairs = product(COEFFICIENTS, EXPONENTS)
    return named_extreme(
        {f"b = {at:g}, exponent {g:g}": entrywise_error(at, g) for at, g in pairs}, min
    )


def optimal_gain(step: float, beta: float, base: Base) -> float:
    """Return the gain of the least error on a quadratic, `g = x + z`, where x moves by a stationary
    run.

    The run is `x' = x - step (m_{t-1} + K (g - m_{t-1}))`, K SGDF's stationary gain. Its covariance
    solves a discrete Lyapunov equation; the error is that of the estimate of the gradient x. Exact
    to rounding. `step` is rate times curvature.
    """
    gain = float(wiener_gain(beta))
    matrix = np.array([[1 - step * gain, -step * (1 - gain)], [1 - beta, beta]])
    noise = np.array([-step * gain, 1 - beta])
    joint = np.zeros((3, 3))  # of x, m_{t-1}, z
    joint[:2, :2] = solve_discrete_lyapunov(matrix, np.outer(noise, noise))
    joint[2, 2] = 1.0
    signal, earlier = np.eye(3)[:2]
    gradient = signal + np.eye(3)[2]
    estimate = earlier if base == "earlier" else beta * earlier + (1 - beta) * gradient
    error = gradient - estimate
    return float((signal - estimate) @ joint @ error / (error @ joint @ error))


def gain_over_sgdfs(step: float) -> float:
    """Return the optimal gain on m_{t-1} over SGDF's stationary one, b = .9, `step` being rate
    times curvature.
    """
    return optimal_gain(step, 0.9, "earlier") / float(wiener_gain(0.9))


def remainder_of_the_published_variance(settings: Settings) -> Measurement:
    """Measure the operations left in the stationary mean of `v_t / c_t` over the average's, less `2
    b^2 / (1 + b)`.

    White noise: `v_t` averages `(g - m_t)^2`, m_t holding g_t.
    """
    keep, take = weights()
    p = stationary().subs(C, 0)
    squares = keep**2 * (p + 1)  # g - m_t = b (g - m_{t-1})
    published = squares * (1 - b) / (1 + b)
    return left_over(1 - take - keep, published / p - 2 * b**2 / (1 + b))


def remainder_of_the_correction(settings: Settings) -> Measurement:
    """Measure the operations left in `1 / c_t` times `1 - beta_2^t`, less the variance of m_t, at
    step t, white noise.

    So v_t / c_t has the bias correction of m_t, which starts at 0, and not of `m^ = m_t / (1 -
    b^t)`.
    """
    keep, take = weights()
    uncorrected = take**2 * (1 - POWER**2) / (1 - keep**2)
    ratio = (1 + b) * (1 - POWER_2) / ((1 - b) * (1 - POWER**2))
    return left_over((1 - POWER_2) / ratio - uncorrected)
