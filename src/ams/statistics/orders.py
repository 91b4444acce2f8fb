r"""RunOptions of convergence: the exponent `p` of `error = C h^p (1 + o(1))`, with an interval.

A regression on logarithms gives a number whether or not there is an order. So the steps that it may use are found
first. In `x = log h` let `log error` be fitted by a parabola; its derivative is the local order, and its change over
the steps, from the largest to the smallest, is the *drift* `D`. An exact power has `D = 0`; a remainder `h^p (1 + c
h^q)` has `D ~ c q (h_max^q - h_min^q)`. The largest steps are dropped until `|D|` is within a tolerance; where no
range of enough steps has that, there is no order to be told, and `NotAsymptotic` says so.

The drift is also the bias. On the range used the parabola's mean derivative is the line's slope, so the local order
at the smallest step is `slope - D / 2`. If the remainder at least halves over the range (steps that span a factor of
8: any `q >= 1/3`), what is left beyond the smallest step is at most `D`. The limit then lies between `slope - 3 D /
2` and `slope`, and the interval covers both, widened by the regression's own.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import stats

from ams.statistics.intervals import Interval, mean_interval
from ams.statistics.values import Values, finite


class NotAsymptotic(ValueError):
    """Errors whose local order still drifts at the smallest steps; the message gives the local orders."""


class Order(NamedTuple):
    """An order with its interval; `steps` are those that it rests on, largest first.

    `local` are the local orders between neighbours of all steps given, largest first; `drift` is the change of the
    local order over the steps used, which the interval contains as a bias.
    """

    value: float
    low: float
    high: float
    steps: tuple[float, ...]
    local: tuple[float, ...]
    drift: float


def convergence_order(steps: Values, errors: Values, confidence: float = 0.95) -> Interval:
    """Return the order `p` of `error = C step^p` by least squares on logarithms, with Student's interval.

    The interval holds for errors with independent relative noise of one size. For errors without noise it measures
    how far they are from one power: where it is wide, the steps are too large for an order. Raises ValueError for
    fewer than three errors, a step or an error that is not positive, or steps that do not differ.
    """
    h, error = finite(steps, fewest=3), finite(errors, fewest=3)
    if len(h) != len(error) or not (h > 0).all() or not (error > 0).all() or np.ptp(h) == 0:
        raise ValueError("an order needs as many errors as steps, all positive, at steps that differ")
    fit = stats.linregress(np.log(h), np.log(error))
    half = float(stats.t.isf((1 - confidence) / 2, len(h) - 2) * fit.stderr)
    return Interval(float(fit.slope), float(fit.slope) - half, float(fit.slope) + half, len(h))


def asymptotic_order(
    steps: Values, errors: Values | np.ndarray, drift: float = 0.05, fewest: int = 4, confidence: float = 0.95
) -> Order:
    """Return the order of `errors`, over the longest range of the smallest steps where it drifts by at most `drift`.

    `errors` has one entry a step (exact: the interval measures the departure from one power), or is (replicates, steps)
    with independent rows, each coupled across its steps or not (Student's interval over the rows' slopes). Both
    intervals are widened towards the limit by 3/2 of the drift found. Errors must stand well above their own floor
    (rounding, quadrature): it bends the smallest ones, which are never dropped.

    Raises NotAsymptotic where the smallest `fewest` steps still drift by more; ValueError for fewer than that (four at
    least: a parabola and one degree of freedom), steps that repeat, errors that do not fit them or are not positive.
    """
    if fewest < 4:
        raise ValueError(f"a drift is seen over at least 4 steps, not {fewest}")
    h, rows = _descending(finite(steps, fewest), np.atleast_2d(np.asarray(errors, dtype=np.float64)))
    x, y = np.log(h), np.log(rows)
    local = (np.diff(y.mean(0)) / np.diff(x)).tolist()
    drifts = [_drift(x[first:], y[:, first:].mean(0)) for first in range(len(h) - fewest + 1)]
    first = next((first for first, found in enumerate(drifts) if abs(found) <= drift), None)
    if first is None:
        told = ", ".join(f"{order:.3g}" for order in local)
        raise NotAsymptotic(
            f"no {fewest} steps or more are asymptotic: over the smallest the order drifts by {drifts[-1]:.2g}, "
            f"more than {drift:g} (local orders, largest step first: {told})"
        )
    slope, low, high = _slope(x[first:], y[:, first:], confidence)
    ahead = -1.5 * drifts[first]
    low, high = low + min(ahead, 0.0), high + max(ahead, 0.0)
    return Order(slope, low, high, tuple(h[first:].tolist()), tuple(local), drifts[first])


def _descending(h: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return steps and errors from the largest step on; ValueError where they do not allow an order."""
    if rows.ndim != 2 or rows.shape[1] != len(h):
        raise ValueError(f"an order needs as many errors as steps: got {rows.shape[-1]} and {len(h)}")
    if len(np.unique(h)) < len(h) or not (h > 0).all() or not (np.isfinite(rows) & (rows > 0)).all():
        raise ValueError("an order needs positive errors at positive steps that differ")
    down = np.argsort(-h)
    return h[down], rows[:, down]


def _drift(x: np.ndarray, y: np.ndarray) -> float:
    """Return how much the derivative of the fitted parabola falls from the largest `x` to the smallest."""
    curvature = np.polynomial.polynomial.polyfit(x - x.mean(), y, 2)[2]
    return float(2 * curvature * np.ptp(x))


def _slope(x: np.ndarray, y: np.ndarray, confidence: float) -> tuple[float, float, float]:
    """Return the slope with its interval: from the residuals of a single row, else from the rows' own slopes."""
    if len(y) == 1:
        return convergence_order(np.exp(x), np.exp(y[0]), confidence)[:3]
    centred = x - x.mean()
    return mean_interval(y @ centred / (centred @ centred), confidence)[:3]
