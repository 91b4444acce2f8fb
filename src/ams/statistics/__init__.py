"""What random numbers permit to conclude: intervals, orders of convergence, tests that know what they can see."""

from ams.statistics.bootstrap import FEWEST_UNITS, bootstrap_interval
from ams.statistics.fit import goodness_of_fit
from ams.statistics.intervals import (
    Interval,
    jackknife_interval,
    mean_interval,
    proportion_interval,
    ratio_interval,
)
from ams.statistics.orders import NotAsymptotic, Order, asymptotic_order, convergence_order
from ams.statistics.power_analysis import (
    SUITE_FALSE_ALARM,
    Margin,
    MeanTest,
    RangeTest,
    Undetectable,
    plan_count_test,
    plan_fit_test,
    plan_known_mean_test,
    plan_margin,
    plan_mean_test,
    plan_squares_test,
)

__all__ = [
    "FEWEST_UNITS",
    "SUITE_FALSE_ALARM",
    "Interval",
    "Margin",
    "MeanTest",
    "NotAsymptotic",
    "Order",
    "RangeTest",
    "Undetectable",
    "asymptotic_order",
    "bootstrap_interval",
    "convergence_order",
    "goodness_of_fit",
    "jackknife_interval",
    "mean_interval",
    "plan_count_test",
    "plan_fit_test",
    "plan_known_mean_test",
    "plan_margin",
    "plan_mean_test",
    "plan_squares_test",
    "proportion_interval",
    "ratio_interval",
]
