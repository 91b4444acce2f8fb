"""What random numbers permit to conclude: intervals, orders of convergence, tests that know what they can see."""

from ams.inference.fit import goodness_of_fit
from ams.inference.intervals import Interval, mean_interval, proportion_interval
from ams.inference.orders import NotAsymptotic, Order, asymptotic_order, convergence_order
from ams.inference.planned import SUITE_FALSE_ALARM, MeanTest, Undetectable, plan_mean_test

__all__ = [
    "SUITE_FALSE_ALARM",
    "Interval",
    "MeanTest",
    "NotAsymptotic",
    "Order",
    "Undetectable",
    "asymptotic_order",
    "convergence_order",
    "goodness_of_fit",
    "mean_interval",
    "plan_mean_test",
    "proportion_interval",
]
