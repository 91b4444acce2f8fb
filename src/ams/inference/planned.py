"""Monte Carlo tests that are planned before anything is drawn.

A test states its false-alarm rate, a share of one budget for the whole suite, and the smallest effect that it sees.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from scipy import optimize, stats

from ams.inference.values import Values, finite

SUITE_FALSE_ALARM = 1e-4
"""The probability, summed over all Monte Carlo assertions of the suite, that correct code fails one."""


class Undetectable(ValueError):
    """A test that would pass whether or not the effect it is meant for is there."""


class MeanTest(NamedTuple):
    """A two-sided t-test of a mean, planned before its `n` observations are drawn (`plan_mean_test`).

    `critical`: the standard errors beyond which it rejects; `smallest`: the effect, in standard deviations of one
    observation, that it sees with probability `power`.
    """

    n: int
    false_alarm: float
    power: float
    critical: float
    smallest: float

    def rejects(self, values: Values, expected: float = 0.0) -> bool:
        """Return whether the mean of `values` differs from `expected`. ValueError unless there are n of them.

        A value that is not finite raises ValueError too: it is a failure, not an observation.
        """
        observed = finite(values, fewest=2)
        if len(observed) != self.n:
            raise ValueError(f"the test was planned for {self.n} observations, got {len(observed)}")
        error = float(observed.std(ddof=1)) / math.sqrt(self.n)
        return abs(float(observed.mean()) - expected) > self.critical * error


def plan_mean_test(n: int, effect: float, share: float = 0.01, power: float = 0.999) -> MeanTest:
    """Plan a t-test on `n` observations that must see a shift of `effect` standard deviations.

    `share` is the part of `SUITE_FALSE_ALARM` that it spends; so small a rate is kept where the mean is close to
    normal, so for few observations only where they are. Raises Undetectable, with the effect that it would see
    and about how many observations are needed, where `effect` is smaller than that; ValueError for `n < 2`.
    """
    if n < 2:
        raise ValueError(f"a t-test needs at least two observations, got {n}")
    false_alarm = share * SUITE_FALSE_ALARM
    critical = float(stats.t.isf(false_alarm / 2, n - 1))
    smallest = _noncentrality(critical, n - 1, power) / math.sqrt(n)
    if smallest > effect:
        needed = math.ceil(n * (smallest / effect) ** 2)
        raise Undetectable(
            f"{n} observations see {smallest:.3g} standard deviations, not {effect:.3g}: about {needed} are needed"
        )
    return MeanTest(n, false_alarm, power, critical, smallest)


def _noncentrality(critical: float, freedom: int, power: float) -> float:
    """Return the shift, in standard errors, at which a t exceeds `critical` with probability `power`."""
    spread = critical / math.sqrt(freedom)  # of critical times the estimated deviation, at most
    far = critical + 10 * (1 + spread) * float(stats.norm.isf((1 - power) / 2))
    return float(optimize.brentq(lambda shift: stats.nct.sf(critical, freedom, shift) - power, 0.0, far))
