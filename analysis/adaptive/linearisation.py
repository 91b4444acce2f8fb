r"""A5: how far the `b_t` of a batch of B samples strays from the mean field, by linearisation (see
the notebook).

A sample's state `v = (x, m, s)` follows `v' = T(b) v + q z`, with covariance P in the mean field.
To first order `d b_t = g' (l . dP_t + xi_t)`, `dP_{t+1} = (T x T) dP_t + W d b_t`, `W = T' P T^t +
T P T'^t`, where `g' = d b / d log rho`, `l . dP` is the change of `log rho` with the covariance,
and `xi_t` its sampling error.

The rms deviation that batches have is compared with that constant. The distribution's bias is far
below the noise of one run, so batches of size B and 2B share their draws: to first order the `b_t`
of a batch is the mean of its halves', what is left of the difference is of the bias's own order,
and `E_B - E_2B` halves with each doubling if the bias is `O(1/B)`.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

import numpy as np
import sympy as sp
from scipy import stats
from scipy.special import hyp2f1

from ams.laws.symbolic import a, b, lam, m, s, symbolic_step, transition, x, z
from ams.samplers import State, constant, critical_momentum, momentum, momentum_rule
from ams.statistics import (
    SUITE_FALSE_ALARM,
    Interval,
    jackknife_interval,
    mean_interval,
    plan_margin,
)
from ams_suite.measures import of_interval
from analysis.adaptive import study
from analysis.adaptive.settings import Settings
from analysis.adaptive.study import U, stationary_momentum, stationary_ratio
from verdicts import Measurement

_VECTORS = ["x", "m", "s"]
# s_t - s_{t-1} and m_{t-1}, at lam = 1
_CHANGE, _MOMENTUM = (
    np.array([-1.0, 0.0, -1.0]),
    np.array([0.0, 1.0, 0.0]),
)
LAGS = 400
_SHARE = 0.01 * SUITE_FALSE_ALARM  # of each check here
_LINEARISATION = 0.008  # what it leaves of the ratio, at B = 16; less at any size above
_NEXT_ORDER = 0.04  # of the order of the bias, from terms in 1/B^2 at B = 8


@cache
def _compiled() -> tuple[Callable[..., np.ndarray], ...]:
    """Return T, dT/db and q as functions of (a, b) at `lam = 1`, and `d b / d log rho` of rho."""
    after, rho = (
        symbolic_step(momentum(momentum_rule(constant(b))), State(x, m, s)),
        sp.Symbol("rho", positive=True),
    )
    matrix, noise = transition(after, [x, m, s], _VECTORS), transition(after, [z], _VECTORS)
    parts = (sp.lambdify((a, b), part.subs(lam, 1)) for part in (matrix, matrix.diff(b), noise))
    return *parts, sp.lambdify(rho, rho * sp.diff(critical_momentum(rho), rho))


class Linearised(NamedTuple):
    """The mean field at its fixed point: T (3, 3), P (3, 3), the slope g', W (9,), l (9,), and the
    jacobian (9, 9).
    """

    transition: np.ndarray
    covariance: np.ndarray
    slope: float
    response: np.ndarray
    reading: np.ndarray
    jacobian: np.ndarray


def linearised(u: float) -> Linearised:
    """Return the mean-field recursion linearised at the fixed point of `0 < u < 1/2`."""
    *parts, slope_of = _compiled()
    beta = stationary_momentum(u)
    matrix, derivative, noise = (np.array(part(u, beta), dtype=float) for part in parts)
    source = (noise @ noise.T).ravel()
    covariance = np.linalg.solve(np.eye(9) - np.kron(matrix, matrix), source).reshape(3, 3)
    change, average = (row @ covariance @ row for row in (_CHANGE, _MOMENTUM))
    reading = (
        np.outer(_CHANGE, _CHANGE) / change - np.outer(_MOMENTUM, _MOMENTUM) / average
    ).ravel() / 2
    response = (derivative @ covariance @ matrix.T + matrix @ covariance @ derivative.T).ravel()
    slope = float(slope_of(stationary_ratio(u, beta)))
    jacobian = np.kron(matrix, matrix) + slope * np.outer(response, reading)
    return Linearised(matrix, covariance, slope, response, reading, jacobian)


def fluctuation(u: float, dimension: float) -> float:
    """Return K, `sd(b) sqrt B` of a large batch B in `dimension` dimensions; infinite: the limit of
    `K sqrt d`.

    The sums end at `LAGS` steps, in which the linearised recursion decays to 1e-9 for u >= 0.01.
    """
    field = linearised(u)
    kernel = _impulse(field, LAGS)
    weights = np.correlate(kernel, kernel, "full")[LAGS - 1 :]
    noise = _autocovariance(field, dimension, LAGS)
    return float(np.sqrt(weights[0] * noise[0] + 2 * weights[1:] @ noise[1:]))


def _impulse(field: Linearised, lags: int) -> np.ndarray:
    """Return `h_k`, what a sampling error does to the momentum coefficient k steps later."""
    kernel, carried = [field.slope], field.response * field.slope
    for _ in range(lags - 1):
        kernel.append(field.slope * float(field.reading @ carried))
        carried = field.jacobian @ carried
    return np.array(kernel)


def _autocovariance(field: Linearised, dimension: float, lags: int) -> np.ndarray:
    """Return `C_k` of one sample's `|g|/E|g| - |h|/E|h|`, `g = s_t - s_{t-1}` and `h = m_{t-1}`, k
    steps apart.
    """
    rows = np.stack([_CHANGE, _MOMENTUM])
    scale = np.sqrt(np.einsum("ri,ij,rj->r", rows, field.covariance, rows))
    power, values = np.eye(3), []
    for _ in range(lags):
        correlation = rows @ power @ field.covariance @ rows.T / np.outer(scale, scale)
        excess = norm_product(correlation, dimension)
        values.append(excess[0, 0] - excess[0, 1] - excess[1, 0] + excess[1, 1])
        power = field.transition @ power
    return np.array(values)


def norm_product(correlation: np.ndarray, dimension: float) -> np.ndarray:
    """Return `E|g||h| / (E|g| E|h|) - 1`, which is `2F1(-1/2, -1/2; d/2; r^2) - 1`, pairwise.

    g and h are Gaussian vectors whose coordinates correlate by r. For an infinite dimension its
    limit times d, `r^2 / 2`. From 16 dimensions on, Gauss's series: its terms shrink geometrically,
    and SciPy's function fails near r = 1 there.
    """
    squared = np.clip(correlation, -1.0, 1.0) ** 2
    if np.isinf(dimension):
        return squared / 2
    if dimension < 16:
        return hyp2f1(-0.5, -0.5, dimension / 2, squared) - 1
    k = np.arange(40).reshape(-1, *[1] * squared.ndim)
    return np.cumprod((k - 0.5) ** 2 / ((dimension / 2 + k) * (k + 1)) * squared, axis=0).sum(0)


def ratio(batch: int, dimension: int, settings: Settings) -> Interval:
    """Return `sd(b_t) sqrt B` over its linearised constant, with an interval from independent
    batches.
    """
    squares = study.momentum_fluctuations(*study.fluctuating(settings, batch, dimension))
    scale = batch / fluctuation(U, dimension) ** 2
    value, low, high, n = mean_interval(scale * squares, 1 - _SHARE / 8)
    return Interval(value**0.5, max(low, 0.0) ** 0.5, high**0.5, n)


def _farthest(ratios: Mapping[str, Interval], seed: int) -> Measurement:
    """Return the largest `|ratio - 1|` with an interval, false alarm 1e-6 over up to 8 sizes (of a
    ratio near 1).

    The tolerance that it needs is in the detail: the interval's half-width counts twice, as an
    estimate's error and on its own.
    """
    ends = [
        (abs(r.value - 1), max(r.low - 1, 1 - r.high, 0.0), max(1 - r.low, r.high - 1))
        for r in ratios.values()
    ]
    worst, low, high = (max(column) for column in zip(*ends, strict=True))
    half, n = max(((r.high - r.low) / (2 * r.value), r.n) for r in ratios.values())
    error, bias = half / stats.t.isf(_SHARE / 16, n - 1), _LINEARISATION + half
    planned = plan_margin(error, effect=0.05, share=_SHARE / 8 / SUITE_FALSE_ALARM, bias=bias)
    detail = {name: r.value for name, r in ratios.items()} | planned.detail()
    count = sum(r.n for r in ratios.values())
    return Measurement(value=worst, low=low, high=high, n=count, seeds=(seed,), detail=detail)


def largest_error_of_the_fluctuation_over_batch_sizes(settings: Settings) -> Measurement:
    """Measure how far `sd(b_t) sqrt B` is from the linearised constant, over the batch sizes, d =
    2, u = 0.05.
    """
    return _farthest(
        {f"B = {batch}": ratio(batch, 2, settings) for batch in settings.batches}, settings.seed
    )


def largest_error_of_one_sample_s_fluctuation(settings: Settings) -> Measurement:
    """Measure how far `sd(b_t) sqrt d` of one sample is from its limit for large d, over the
    dimensions, u = 0.05.
    """
    limit, ratios = fluctuation(U, np.inf), {}
    for d in settings.dimensions:
        scale = fluctuation(U, d) * d**0.5 / limit
        value, low, high, n = ratio(1, d, settings)
        ratios[f"d = {d}"] = Interval(scale * value, scale * low, scale * high, n)
    return _farthest(ratios, settings.seed)


def order_of_the_variance_s_bias(settings: Settings) -> Measurement:
    """Measure the order in 1/B of `E_2B lam Var x - E_B lam Var x`, u = 0.05, d = 2; interval by
    jackknife.
    """
    sizes = settings.coupled_batches
    means = study.variances_by_batch_size(sizes, settings.coupled_steps, settings.seed)
    batches = np.array(sizes[:-1])

    def order(rows: np.ndarray) -> float:
        return -float(np.polyfit(np.log(batches), np.log(np.diff(rows.mean(0))), 1)[0])

    left_out = [order(np.delete(means, i, axis=0)) for i in range(len(means))]
    estimate = jackknife_interval(order(means), left_out, 1 - _SHARE)
    half, error = (
        (estimate.high - estimate.low) / 2,
        float(np.sqrt((estimate.n - 1) * np.var(left_out))),
    )
    planned = plan_margin(error, effect=0.25, bias=_NEXT_ORDER + half)
    bias = (2 * batches * np.diff(means.mean(0))).tolist()
    detail = {f"B E, B = {batch}": each for batch, each in zip(batches, bias, strict=True)}
    return of_interval(estimate, settings.seed, 1, "", **detail, **planned.detail())
