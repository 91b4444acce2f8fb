"""Planned tests: error rates by simulation, and refusals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ams.inference import SUITE_FALSE_ALARM, Undetectable, plan_mean_test
from tests.inference.rates import consistent


def test_a_planned_test_errs_as_often_as_it_says() -> None:
    """Planned at a false alarm of 1 % and a power of 90 %: both rates by 4,000 simulated samples, within 2.5 %."""
    plan = plan_mean_test(12, effect=2.0, share=0.01 / SUITE_FALSE_ALARM, power=0.9)
    rng = np.random.default_rng(0)
    assert plan.false_alarm == pytest.approx(0.01)
    silent = sum(plan.rejects(rng.normal(7.0, 3.0, 12), expected=7.0) for _ in range(4000))
    seen = sum(plan.rejects(rng.normal(7.0 + 3.0 * plan.smallest, 3.0, 12), expected=7.0) for _ in range(4000))
    assert consistent(silent, 4000, 0.01) and consistent(seen, 4000, 0.9)


def test_a_test_of_many_observations_is_the_normal_one() -> None:
    plan = plan_mean_test(10**6, effect=0.01)
    z = stats.norm.isf(0.01 * SUITE_FALSE_ALARM / 2)
    assert plan.critical == pytest.approx(z, rel=1e-4)
    assert plan.smallest == pytest.approx((z + stats.norm.isf(0.001)) / 1000, rel=1e-4)


def test_a_test_that_cannot_see_its_effect_is_refused_with_the_number_that_could() -> None:
    with pytest.raises(Undetectable, match=r"100 observations see 0\.85 .* not 0\.1: about 7232 are needed"):
        plan_mean_test(100, effect=0.1)
    assert plan_mean_test(7232, effect=0.1).smallest <= 0.1


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: plan_mean_test(1, 1.0), "at least two"),
        (lambda: plan_mean_test(50, 2.0).rejects([1.0, 2.0]), "planned for 50"),
    ],
)
def test_observations_that_permit_no_conclusion_are_refused(call, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        call()
