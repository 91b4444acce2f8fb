"""Statistics of random experiments: intervals, orders of convergence, tests with known power."""

# ruff: noqa: F401
# mypy: implicit-reexport

from ams.statistics.bootstrap import bootstrap_interval
from ams.statistics.intervals import (
    CONFIDENCE,
    Interval,
    jackknife_interval,
    mean_interval,
    proportion_interval,
    ratio_interval,
)
from ams.statistics.orders import NotAsymptotic, Order, asymptotic_order, convergence_order
from ams.statistics.power_analysis import (
    SUITE_FALSE_ALARM,
    Undetectable,
    goodness_of_fit,
    plan_count_test,
    plan_fit_test,
    plan_known_mean_test,
    plan_margin,
    plan_mean_test,
    plan_squares_test,
)
