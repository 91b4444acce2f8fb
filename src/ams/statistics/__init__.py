"""Statistics of random experiments: intervals, orders of convergence, tests with known power."""

from ams.statistics.bootstrap import FEWEST_UNITS as FEWEST_UNITS, bootstrap_interval as bootstrap_interval
from ams.statistics.fit import goodness_of_fit as goodness_of_fit
from ams.statistics.intervals import (
    Interval as Interval,
    jackknife_interval as jackknife_interval,
    mean_interval as mean_interval,
    proportion_interval as proportion_interval,
    ratio_interval as ratio_interval,
)
from ams.statistics.orders import (
    NotAsymptotic as NotAsymptotic,
    Order as Order,
    asymptotic_order as asymptotic_order,
    convergence_order as convergence_order,
)
from ams.statistics.power_analysis import (
    SUITE_FALSE_ALARM as SUITE_FALSE_ALARM,
    Margin as Margin,
    MeanTest as MeanTest,
    RangeTest as RangeTest,
    Undetectable as Undetectable,
    plan_count_test as plan_count_test,
    plan_fit_test as plan_fit_test,
    plan_known_mean_test as plan_known_mean_test,
    plan_margin as plan_margin,
    plan_mean_test as plan_mean_test,
    plan_squares_test as plan_squares_test,
)
