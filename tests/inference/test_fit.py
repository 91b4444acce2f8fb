"""Goodness of fit: against scipy, error rates by simulation, and refusals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ams.inference import goodness_of_fit
from tests.inference.rates import consistent


def test_goodness_of_fit_is_pearsons() -> None:
    counts, p = [18, 33, 49], [0.2, 0.3, 0.5]
    assert goodness_of_fit(counts, p) == pytest.approx(stats.chisquare(counts, [20, 30, 50]).pvalue, rel=1e-12)


def test_rare_cells_are_pooled() -> None:
    counts, p = [2, 1, 50, 47], [0.03, 0.02, 0.5, 0.45]
    assert goodness_of_fit(counts, p) == pytest.approx(stats.chisquare([3, 47, 50], [5, 45, 50]).pvalue, rel=1e-12)
    # 4 alone is too few, and so is the next cell: both merge
    counts, p = [4, 6, 90], [0.04, 0.045, 0.915]
    assert goodness_of_fit(counts, p) == pytest.approx(stats.chisquare([10, 90], [8.5, 91.5]).pvalue, rel=1e-12)


def test_a_count_where_none_can_be_is_certain() -> None:
    assert goodness_of_fit([50, 50, 1], [0.5, 0.5, 0.0]) == 0.0
    assert goodness_of_fit([50, 50, 0], [0.5, 0.5, 0.0]) == 1.0


def test_goodness_of_fit_errs_as_often_as_it_says_and_sees_a_bias() -> None:
    """2,000 multinomials: a level of 8 % instead of 5 is seen; a die loaded by a half is, of 1,200 throws."""
    rng, p = np.random.default_rng(0), np.array([0.3, 0.2, 0.2, 0.15, 0.1, 0.04, 0.01])
    rejected = sum(goodness_of_fit(rng.multinomial(2000, p), p) < 0.05 for _ in range(2000))
    assert consistent(rejected, 2000, 0.05)
    loaded = rng.multinomial(1200, np.array([1.5, 0.9, 0.9, 0.9, 0.9, 0.9]) / 6)
    assert goodness_of_fit(loaded, np.full(6, 1 / 6)) < 1e-3


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: goodness_of_fit([1, 2], [1.0]), "at least 2"),
        (lambda: goodness_of_fit([1, 2, 3], [0.5, 0.5]), "one shape"),
        (lambda: goodness_of_fit([1, 2], [0.5, 0.6]), "sum 1"),
        (lambda: goodness_of_fit([1, -2], [0.5, 0.5]), "one shape"),
        (lambda: goodness_of_fit([1, 2], [0.5, 0.5]), "3 counts are too few for 2 cells"),
    ],
)
def test_counts_that_permit_no_conclusion_are_refused(call, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        call()
