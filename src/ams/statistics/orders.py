"""Orders of convergence: the exponent `p` of `error = C h^p (1 + o(1))`, with an interval.

A regression on logarithms gives a number even if there is no order. `asymptotic_order` therefore
checks the steps first. It fits a parabola to `log error` over `log h`, whose derivative is the
local order. The *drift* D is the change of the local order from the largest to the smallest step: 0
for an exact power, about `c q (h_max^q - h_min^q)` for errors `h^p (1 + c h^q)`. The largest steps
are left out until `|D|` is within a tolerance.

The drift also gives the bias. The local order at the smallest step is `slope - D / 2`. If the
remainder at least halves over the range, as for steps that span a factor of 8 and `q >= 1/3`, the
change beyond the smallest step is at most D. The limit then is between `slope - 3 D / 2` and
`slope`, and the interval includes both.
"""

from typing import NamedTuple

import numpy as np
from scipy import stats

from ams.statistics.intervals import (
    CONFIDENCE,
    Interval,
    Values,
    finite,
    mean_interval,
    student_quantile,
)


class NotAsymptotic(ValueError):
    """Errors whose local order drifts too much at the smallest steps; the message has the local
    orders.
    """


class Order(NamedTuple):
    """An order of convergence with its interval, from `steps`, largest first.

    `local` are the local orders between neighbours of all given steps, largest first. `drift` is
    the change of the local order over `steps`; the interval includes the bias that it implies.
    """

    value: float
    low: float
    high: float
    steps: tuple[float, ...]
    local: tuple[float, ...]
    drift: float


def convergence_order(steps: Values, errors: Values, confidence: float = CONFIDENCE) -> Interval:
    """Return the order `p` of `error = C step^p` by least squares on logarithms, with Student's
    interval.

    The interval assumes independent relative noise of equal size. For errors without noise it
    measures the departure from a power. Raises ValueError for fewer than three errors, a step or an
    error that is not positive, and equal steps.
    """
    h, error = finite(steps, fewest=3), finite(errors, fewest=3)
    if len(h) != len(error) or not (h > 0).all() or not (error > 0).all() or np.ptp(h) == 0:
        raise ValueError(
            "an order needs as many errors as steps, all positive, at steps that differ"
        )
    fit = stats.linregress(np.log(h), np.log(error))
    half = student_quantile(len(h) - 2, confidence) * float(fit.stderr)
    return Interval(float(fit.slope), float(fit.slope) - half, float(fit.slope) + half, len(h))


def asymptotic_order(steps: Values, errors: Values, drift: float = 0.05, fewest: int = 4) -> Order:
    """Return the order of `errors` over the most of the smallest steps whose local order drifts at
    most by `drift`.

    `errors` has one exact value for each step, or independent rows (replicates, steps). For exact
    values the interval measures the departure from a power; for rows it is Student's interval of
    their slopes. It is extended towards the limit by 3/2 of the drift. Errors must be well above
    rounding, which would distort the smallest ones.

    Raises NotAsymptotic if the smallest `fewest` steps drift by more. Raises ValueError for fewer
    steps, `fewest` below 4, repeated steps, and errors that are not positive or do not fit the
    steps.
    """
    if fewest < 4:
        raise ValueError(f"a drift needs at least 4 steps, not {fewest}")
    h, rows = _descending(
        finite(steps, fewest), np.atleast_2d(np.asarray(errors, dtype=np.float64))
    )
    x, y = np.log(h), np.log(rows)
    local = (np.diff(y.mean(0)) / np.diff(x)).tolist()
    for first in range(len(h) - fewest + 1):
        change = _drift(x[first:], y[:, first:].mean(0))
        if abs(change) <= drift:
            break
    else:
        orders = ", ".join(f"{order:.3g}" for order in local)
        raise NotAsymptotic(
            f"no {fewest} steps or more are asymptotic: over the smallest the "
            f"order drifts by {change:.2g}, "
            f"more than {drift:g} (local orders, largest step first: {orders})"
        )
    slope, low, high = _slope(x[first:], y[:, first:])
    bias = -1.5 * change
    return Order(
        slope,
        low + min(bias, 0.0),
        high + max(bias, 0.0),
        tuple(h[first:].tolist()),
        tuple(local),
        change,
    )


def _descending(h: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return steps and errors in descending order of the steps. Raises ValueError if they do not
    allow an order.
    """
    if rows.ndim != 2 or rows.shape[1] != len(h):
        raise ValueError(
            f"an order needs as many errors as steps: got {rows.shape[-1]} and {len(h)}"
        )
    if (
        len(np.unique(h)) < len(h)
        or not (h > 0).all()
        or not (np.isfinite(rows) & (rows > 0)).all()
    ):
        raise ValueError("an order needs positive errors at positive steps that differ")
    down = np.argsort(-h)
    return h[down], rows[:, down]


def _drift(x: np.ndarray, y: np.ndarray) -> float:
    """Return the change of the fitted parabola's derivative over the range of `x`."""
    return float(2 * np.polynomial.polynomial.polyfit(x - x.mean(), y, 2)[2] * np.ptp(x))


def _slope(x: np.ndarray, y: np.ndarray) -> tuple[float, float, float]:
    """Return the slope with its interval, from the residuals of a single row or from the slopes
    of several rows.
    """
    if len(y) == 1:
        return convergence_order(np.exp(x), np.exp(y[0]))[:3]
    centred = x - x.mean()
    return mean_interval(y @ centred / (centred @ centred))[:3]
