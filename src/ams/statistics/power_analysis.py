"""Power analysis: Monte Carlo tests with a planned rate of false alarms and a planned effect.

A plan gets its share of the suite's false-alarm budget and the effect that it must detect. It
computes the smallest effect that the test detects with probability `POWER`. It raises Undetectable
if that is larger than the required one.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import optimize, special, stats

from ams.statistics.intervals import Values, finite

SUITE_FALSE_ALARM = 1e-4
"""The false-alarm budget: the probability that correct code fails any Monte Carlo assertion of the
suite.
"""


POWER = 0.999
"""The probability with which a planned test detects the smallest effect that it names."""
FEWEST_EXPECTED = 5.0
"""The least expected count of a cell in a chi-square test (Cochran 1954)."""


class Undetectable(ValueError):
    """A test that could not detect the required effect."""


class MeanTest(NamedTuple):
    """A two-sided t-test of the mean of `n` observations, which rejects more than `critical`
    standard errors.

    It detects a difference of `smallest` standard deviations of an observation with probability
    `POWER`.
    """

    n: int
    false_alarm: float
    critical: float
    smallest: float

    def __str__(self) -> str:
        return _description(self, f"a mean off by {self.smallest:.2g} standard deviations")

    def rejects(self, values: Values, expected: float = 0.0) -> bool:
        """Return whether the test rejects that `values` have the mean `expected`.

        Raises ValueError for another number of values than n and for a value that is not finite.
        """
        observed = finite(values, fewest=2)
        if len(observed) != self.n:
            raise ValueError(f"the test was planned for {self.n} observations, got {len(observed)}")
        error = float(observed.std(ddof=1)) / math.sqrt(self.n)
        return abs(float(observed.mean()) - expected) > self.critical * error


class RangeTest(NamedTuple):
    """A test that rejects a statistic outside `[low, high]`, its quantiles under the null
    hypothesis.

    It detects an effect of size `smallest` with probability `POWER`; `effect` names the effect and
    its unit.
    """

    n: int
    false_alarm: float
    low: float
    high: float
    smallest: float
    effect: str

    def __str__(self) -> str:
        return _description(self, f"{self.effect} {self.smallest:.2g}")

    def rejects(self, statistic: float) -> bool:
        """Return whether the statistic is outside the range or nan."""
        return not self.low <= statistic <= self.high


class Margin(NamedTuple):
    """The tolerance `needed` by a Monte Carlo check, and the smallest effect that it detects
    (`plan_margin`).
    """

    standard_error: float
    needed: float
    smallest: float

    def __str__(self) -> str:
        return (
            f"standard error {self.standard_error:.2g}, tolerance {self.needed:.2g}: detects "
            f"{self.smallest:.2g}"
        )

    def detail(self) -> dict[str, float]:
        """Return the three numbers with names for a record."""
        return dict(
            zip(("standard error", "tolerance needed", "smallest effect seen"), self, strict=True)
        )


def plan_mean_test(n: int, effect: float, share: float = 0.01) -> MeanTest:
    """Plan a t-test on `n` observations that must detect a difference of `effect` standard
    deviations.

    `share` is the part of `SUITE_FALSE_ALARM` that the test spends. The rate holds if the mean is
    close to normal. Raises Undetectable, with an estimate of the observations needed, if the test
    detects only larger effects; ValueError for `n < 2`.
    """
    if n < 2:
        raise ValueError(f"a t-test needs at least two observations, got {n}")
    false_alarm = share * SUITE_FALSE_ALARM
    critical = float(stats.t.isf(false_alarm / 2, n - 1))
    smallest = _noncentrality(critical, n - 1) / math.sqrt(n)
    if smallest > effect:
        needed = math.ceil(n * (smallest / effect) ** 2)
        raise Undetectable(
            f"{n} observations detect {smallest:.3g} standard deviations, not "
            f"{effect:.3g}: about {needed} are needed"
        )
    return MeanTest(n, false_alarm, critical, smallest)


def plan_known_mean_test(n: int, effect: float, share: float) -> RangeTest:
    """Plan a test of `sqrt(n)` times the mean of `n` standard normal numbers that must detect a
    mean of `effect`.
    """
    critical = float(stats.norm.isf(share * SUITE_FALSE_ALARM / 2))
    smallest = (critical + float(stats.norm.isf(1 - POWER))) / math.sqrt(n)
    return _planned(
        n,
        share,
        (-critical, critical),
        smallest,
        effect,
        "a mean off by, in standard deviations,",
    )


def plan_squares_test(n: int, effect: float, share: float) -> RangeTest:
    """Plan a test of the sum of squares of `n` standard normal numbers, chi-squared with `n`
    degrees of freedom.

    It must detect a variance of `1 + effect` and of `1 - effect`.
    """
    low, high = stats.chi2(n).interval(1 - share * SUITE_FALSE_ALARM)
    smallest = max(high / stats.chi2.isf(POWER, n) - 1, 1 - low / stats.chi2.isf(1 - POWER, n))
    return _planned(n, share, (low, high), float(smallest), effect, "a variance off by the part")


def plan_count_test(n: int, rate: float, effect: float, share: float) -> RangeTest:
    """Plan a test of the number of successes of probability `rate` in `n` trials, by the exact
    binomial distribution.

    It must detect the probabilities `rate - effect` and `rate + effect`, if they are in [0, 1].
    """
    half = share * SUITE_FALSE_ALARM / 2
    low, high = float(stats.binom.isf(1 - half, n, rate)), float(stats.binom.isf(half, n, rate))

    def missed(shift: float) -> float:
        sides = (
            min(max(p, 0.0), 1.0) for p in (rate - shift, rate + shift) if -1e-12 <= p <= 1 + 1e-12
        )
        return max(
            float(stats.binom.cdf(high, n, p) - stats.binom.cdf(low - 1, n, p)) for p in sides
        )

    smallest = _smallest(missed, max(rate, 1 - rate))
    return _planned(n, share, (low, high), smallest, effect, "a probability off by")


def plan_fit_test(n: int, probabilities: Values, effect: float, share: float) -> RangeTest:
    """Plan Pearson's chi-square test of `n` counts, whose statistic is their p-value
    (`goodness_of_fit`).

    It must detect probabilities q with Cohen's w, `sqrt(sum (q - p)^2 / p)`, of `effect`. Raises
    ValueError for a cell that expects fewer than five counts and would be pooled.
    """
    p, false_alarm = finite(probabilities, fewest=2), share * SUITE_FALSE_ALARM
    if n * p.min() < FEWEST_EXPECTED:
        raise ValueError(
            f"goodness of fit: a cell expects {n * p.min():.3g} of {n} counts, too few to plan with"
        )
    freedom = len(p) - 1
    high = float(stats.chi2.isf(false_alarm, freedom))

    def missed(w: float) -> float:
        return float(stats.ncx2.cdf(high, freedom, n * w**2))

    smallest = _smallest(missed, 10 * math.sqrt((high + freedom) / n))
    return _planned(
        n, share, (false_alarm, 1.0), smallest, effect, "a distance w of probabilities of"
    )


def plan_margin(
    standard_error: float,
    effect: float,
    share: float = 0.01,
    bias: float = 0.0,
) -> Margin:
    """Return the tolerance for a normal estimate that spends `share`, and the smallest effect that
    it detects.

    The tolerance is for the estimate itself; an interval within the tolerance would need twice as
    much. `bias` is the difference that the expectation may have, such as a step's discretisation
    error.
    """
    needed = bias + float(stats.norm.isf(share * SUITE_FALSE_ALARM / 2)) * standard_error
    smallest = needed + float(stats.norm.isf(1 - POWER)) * standard_error
    if not smallest <= effect:
        raise Undetectable(
            f"a standard error of {standard_error:.3g} detects {smallest:.3g}, not {effect:.3g}"
        )
    return Margin(standard_error, needed, smallest)


def _planned(
    n: int,
    share: float,
    ends: tuple[float, float],
    smallest: float,
    effect: float,
    name: str,
) -> RangeTest:
    """Return the test. Raises Undetectable if the smallest effect that it detects is larger than
    `effect`.
    """
    if not smallest <= effect:
        raise Undetectable(f"{n} observations detect {name} {smallest:.3g}, not {effect:.3g}")
    return RangeTest(n, share * SUITE_FALSE_ALARM, *ends, smallest, name)


def _description(test: MeanTest | RangeTest, effect: str) -> str:
    return (
        f"n = {test.n}, false alarm {test.false_alarm:.2g}: detects {effect} (probability "
        f"{POWER:g})"
    )


def _smallest(missed: Callable[[float], float], most: float) -> float:
    """Return the effect that is missed with probability `1 - POWER`, infinite if `most` is missed
    more often.
    """
    if missed(most) > 1 - POWER:
        return math.inf
    return float(optimize.brentq(lambda effect: missed(effect) - (1 - POWER), 0.0, most, xtol=1e-9))


def _noncentrality(critical: float, freedom: int) -> float:
    """Return the difference, in standard errors, at which a t statistic exceeds `critical` with
    probability `POWER`.
    """
    # an upper bound of the spread of critical times the estimated deviation
    spread = critical / math.sqrt(freedom)
    far = critical + 10 * (1 + spread) * float(stats.norm.isf((1 - POWER) / 2))
    return float(
        optimize.brentq(lambda shift: stats.nct.sf(critical, freedom, shift) - POWER, 0.0, far)
    )


def goodness_of_fit(counts: Values, probabilities: Values) -> float:
    """Return the p-value of Pearson's chi-square test that `counts` have the multinomial
    `probabilities`.

    The rarest cells are pooled until each cell expects five counts. A count in a cell of
    probability 0 gives 0. Raises ValueError for different shapes, a negative entry, probabilities
    that do not sum to 1, and so few counts that all cells would be pooled into one.
    """
    observed, p = finite(counts, fewest=2), finite(probabilities, fewest=2)
    if (
        observed.shape != p.shape
        or (observed < 0).any()
        or (p < 0).any()
        or abs(p.sum() - 1) > 1e-6
    ):
        raise ValueError(
            "goodness of fit: counts and probabilities of one shape are needed, the latter of sum 1"
        )
    if observed[p == 0].any():
        return 0.0
    seen, expected = _pooled(observed[p > 0], p[p > 0] / p.sum() * observed.sum())
    if len(expected) < 2:
        raise ValueError(
            f"goodness of fit: {observed.sum():.0f} counts are too few for {len(p)} cells"
        )
    statistic = ((seen - expected) ** 2 / expected).sum()
    return float(special.chdtrc(len(expected) - 1, statistic))


def _pooled(observed: np.ndarray, expected: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return observed and expected counts with the rarest cells merged into one, as few as
    possible.
    """
    order = np.argsort(expected, kind="stable")
    observed, expected = observed[order], expected[order]
    next_cells = np.append(expected[1:], math.inf)
    enough = (np.cumsum(expected) >= FEWEST_EXPECTED) & (next_cells >= FEWEST_EXPECTED)
    merged = int(enough.argmax()) + 1 if enough.any() else len(expected)
    seen, wanted = (
        np.append(cells[:merged].sum(), cells[merged:]) for cells in (observed, expected)
    )
    return seen, wanted
