"""Monte Carlo tests that are planned before anything is drawn.

A test is told its share of one false-alarm budget for the whole suite, and the effect that it must see; it knows the
smallest effect that it does see, with probability `power`, and refuses to be planned where that is the larger of the
two: a test that cannot fail is none. Printed, it says both.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from scipy import optimize, stats

from ams.statistics.fit import FEWEST_EXPECTED
from ams.statistics.values import Values, finite

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

    def __str__(self) -> str:
        return _told(self.n, self.false_alarm, self.power, f"a mean off by {self.smallest:.2g} standard deviations")

    def rejects(self, values: Values, expected: float = 0.0) -> bool:
        """Return whether the mean of `values` differs from `expected`. ValueError unless there are n of them.

        A value that is not finite raises ValueError too: it is a failure, not an observation.
        """
        observed = finite(values, fewest=2)
        if len(observed) != self.n:
            raise ValueError(f"the test was planned for {self.n} observations, got {len(observed)}")
        error = float(observed.std(ddof=1)) / math.sqrt(self.n)
        return abs(float(observed.mean()) - expected) > self.critical * error


class RangeTest(NamedTuple):
    """Rejects a statistic outside of `[low, high]`, its quantiles under what is tested; `sees` tells the effect.

    `smallest` is what it sees with probability `power`, in the unit that `sees` names.
    """

    n: int
    false_alarm: float
    power: float
    low: float
    high: float
    smallest: float
    sees: str

    def __str__(self) -> str:
        return _told(self.n, self.false_alarm, self.power, f"{self.sees} {self.smallest:.2g}")

    def rejects(self, statistic: float) -> bool:
        """Return whether the statistic is outside of the range; one that is not a number is."""
        return not self.low <= statistic <= self.high


class Margin(NamedTuple):
    """The tolerance that a check by Monte Carlo needs, and the smallest effect that it then sees (`plan_margin`)."""

    standard_error: float
    needed: float
    smallest: float

    def __str__(self) -> str:
        return f"standard error {self.standard_error:.2g}, tolerance {self.needed:.2g}: sees {self.smallest:.2g}"

    def detail(self) -> dict[str, float]:
        """Return what a record tells of it."""
        names = ("standard error", "tolerance needed", "smallest effect seen")
        return dict(zip(names, self, strict=True))


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


def plan_known_mean_test(n: int, effect: float, share: float, power: float = 0.999) -> RangeTest:
    """Plan a test of `sqrt(n)` times the mean of `n` standard normal numbers; it must see a shift of `effect`.

    Raises Undetectable where it sees only larger ones.
    """
    critical = float(stats.norm.isf(share * SUITE_FALSE_ALARM / 2))
    smallest = (critical + float(stats.norm.isf(1 - power))) / math.sqrt(n)
    return _planned(n, share, power, (-critical, critical), smallest, effect, "a mean off by, in standard deviations,")


def plan_squares_test(n: int, effect: float, share: float, power: float = 0.999) -> RangeTest:
    """Plan a test of the sum of squares of `n` standard normal numbers, chi-squared with `n` degrees of freedom.

    It must see a variance that is larger or smaller by the part `effect`. Raises Undetectable where it sees only
    larger effects.
    """
    low, high = stats.chi2(n).interval(1 - share * SUITE_FALSE_ALARM)
    smallest = max(high / stats.chi2.isf(power, n) - 1, 1 - low / stats.chi2.isf(1 - power, n))
    return _planned(n, share, power, (low, high), float(smallest), effect, "a variance off by the part")


def plan_count_test(n: int, rate: float, effect: float, share: float, power: float = 0.999) -> RangeTest:
    """Plan a test of how often something of probability `rate` comes up in `n` trials, by the exact binomial.

    It must see a probability that is off by `effect` (where that stays within [0, 1], on either side). Raises
    Undetectable where it sees only larger ones.
    """
    half = share * SUITE_FALSE_ALARM / 2
    low, high = float(stats.binom.isf(1 - half, n, rate)), float(stats.binom.isf(half, n, rate))

    def missed(shift: float) -> float:
        sides = [p for p in (rate - shift, rate + shift) if -1e-12 <= p <= 1 + 1e-12]
        return max(_inside(low, high, n, min(max(p, 0.0), 1.0)) for p in sides)

    smallest = _smallest(missed, max(rate, 1 - rate), power)
    return _planned(n, share, power, (low, high), smallest, effect, "a probability off by")


def plan_fit_test(n: int, probabilities: Values, effect: float, share: float, power: float = 0.999) -> RangeTest:
    """Plan Pearson's chi-square test of `n` counts; its statistic is their p-value, `goodness_of_fit`.

    It must see probabilities q with `sqrt(sum (q - p)^2 / p) = effect`, Cohen's w. Raises Undetectable where it sees
    only larger ones; ValueError where a cell expects fewer than five counts and would be pooled with another.
    """
    p, false_alarm = finite(probabilities, fewest=2), share * SUITE_FALSE_ALARM
    if n * p.min() < FEWEST_EXPECTED:
        raise ValueError(f"goodness of fit: a cell expects {n * p.min():.3g} of {n} counts, too few to plan with")
    freedom = len(p) - 1
    high = float(stats.chi2.isf(false_alarm, freedom))

    def missed(w: float) -> float:
        return float(stats.ncx2.cdf(high, freedom, n * w**2))

    smallest = _smallest(missed, 10 * math.sqrt((high + freedom) / n), power)
    return _planned(n, share, power, (false_alarm, 1.0), smallest, effect, "a distance w of probabilities of")


def plan_margin(
    standard_error: float, effect: float, share: float = 0.01, bias: float = 0.0, power: float = 0.999
) -> Margin:
    """Return the tolerance on a normal estimate that spends `share`, and what is then seen: `effect` at least.

    The estimate itself is compared, not an interval around it: one that must lie within the tolerance as a whole
    would need twice the room. `bias` is how far the expectation may be off without being wrong (the step's own error,
    say). Raises Undetectable where only larger effects are seen.
    """
    needed = bias + float(stats.norm.isf(share * SUITE_FALSE_ALARM / 2)) * standard_error
    smallest = needed + float(stats.norm.isf(1 - power)) * standard_error
    if not smallest <= effect:
        raise Undetectable(f"a standard error of {standard_error:.3g} sees {smallest:.3g}, not {effect:.3g}")
    return Margin(standard_error, needed, smallest)


def _planned(
    n: int, share: float, power: float, ends: tuple[float, float], smallest: float, effect: float, sees: str
) -> RangeTest:
    """Return the test; Undetectable where the smallest effect that it sees is more than `effect`."""
    if not smallest <= effect:
        raise Undetectable(f"{n} observations see {sees} {smallest:.3g}, not {effect:.3g}")
    return RangeTest(n, share * SUITE_FALSE_ALARM, power, *ends, smallest, sees)


def _told(n: int, false_alarm: float, power: float, smallest: str) -> str:
    return f"n = {n}, false alarm {false_alarm:.2g}: sees {smallest} (probability {power:g})"


def _inside(low: float, high: float, n: int, p: float) -> float:
    return float(stats.binom.cdf(high, n, p) - stats.binom.cdf(low - 1, n, p))


def _smallest(missed: Callable[[float], float], most: float, power: float) -> float:
    """Return the effect that is missed with probability `1 - power`; infinite where the largest one still is."""
    if missed(most) > 1 - power:
        return math.inf
    return float(optimize.brentq(lambda effect: missed(effect) - (1 - power), 0.0, most, xtol=1e-9))


def _noncentrality(critical: float, freedom: int, power: float) -> float:
    """Return the shift, in standard errors, at which a t exceeds `critical` with probability `power`."""
    spread = critical / math.sqrt(freedom)  # of critical times the estimated deviation, at most
    far = critical + 10 * (1 + spread) * float(stats.norm.isf((1 - power) / 2))
    return float(optimize.brentq(lambda shift: stats.nct.sf(critical, freedom, shift) - power, 0.0, far))
