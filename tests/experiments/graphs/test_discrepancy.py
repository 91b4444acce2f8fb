"""MMDs of graphs: zero where they must be, as published, and what is called a difference."""

import numpy as np
import pytest

from experiments.graphs.data import community_small
from experiments.graphs.discrepancy import difference, mean_kernel, published_mmd, unbiased_mmd
from experiments.graphs.mmd_intervals.study import disturbed
from experiments.graphs.statistics import DEGREE, PUBLISHED, STATISTICS
from tests.experiments.graphs.strategies import relabelled

REAL = community_small(120, seed=1)
REFERENCE, OTHERS = REAL[:40], REAL[40:]
NEAR_AND_FAR = tuple(disturbed(OTHERS, share, seed=0) for share in (0.01, 0.1))


@pytest.mark.parametrize("statistic", STATISTICS, ids=lambda one: one.name)
def test_equal_sets_have_none_and_names_of_nodes_do_not_matter(statistic):
    renamed = [relabelled(graph, seed) for seed, graph in enumerate(REFERENCE)]
    for same in (REFERENCE, renamed, REFERENCE[::-1]):
        result = published_mmd(statistic.kernel([*REFERENCE, *same]), 40, seed=0)
        assert result.value == pytest.approx(0.0, abs=1e-12) and result.low == 0.0


def test_the_published_value_is_the_biased_estimate():
    k, n = DEGREE.kernel(REAL), len(REFERENCE)
    published, unbiased = published_mmd(k, n, seed=0), unbiased_mmd(k, n, seed=0)
    assert published.value == pytest.approx(k[:n, :n].mean() + k[n:, n:].mean() - 2 * k[:n, n:].mean(), rel=1e-9)
    assert published.low <= published.value <= published.high
    assert unbiased.low <= 0.0 <= unbiased.high  # of one distribution
    assert published.high - published.value == pytest.approx(unbiased.high - unbiased.value, rel=1e-9)


def test_the_mean_kernel_gives_the_mean_of_the_discrepancies():
    parts = [unbiased_mmd(one.kernel(REAL), 40, seed=0).value for one in PUBLISHED]
    assert unbiased_mmd(mean_kernel(PUBLISHED, REAL), 40, seed=0).value == pytest.approx(np.mean(parts), abs=1e-12)


def test_a_difference_that_is_there_is_resolved_and_has_its_sign():
    near, far = (disturbed(OTHERS, share, seed=0) for share in (0.0, 0.1))
    result = difference(REFERENCE, [near[:40], near[40:]], [far[:40], far[40:]], seed=0)
    assert result.resolved and result.interval.low > 0 and result.interval.n == 40
    assert len(result.seeds) == 2 and min(result.seeds) > 0
    swapped = difference(REFERENCE, [far[:40], far[40:]], [near[:40], near[40:]], seed=0)
    assert swapped.resolved and swapped.interval.value == pytest.approx(-result.interval.value, abs=1e-12)


def test_it_is_the_difference_of_the_unbiased_estimates():
    near, far = NEAR_AND_FAR
    result = difference(REFERENCE, [near], [far], seed=0, statistics=(DEGREE,))
    apart = [unbiased_mmd(DEGREE.kernel([*REFERENCE, *listed]), 40, seed=0).value for listed in (far, near)]
    assert result.interval.value == pytest.approx(apart[0] - apart[1], abs=1e-12)
    assert result.seeds == pytest.approx((result.interval.value,), abs=1e-12)


def test_the_same_graphs_do_not_differ_and_paired_noise_helps():
    same = difference(REFERENCE, [OTHERS], [OTHERS], seed=0)
    assert same.interval.value == 0.0 and same.smallest == pytest.approx(0.0, abs=1e-12) and not same.resolved
    near, far = (disturbed(OTHERS, share, seed=0) for share in (0.03, 0.05))
    paired, shuffled = (difference(REFERENCE, [near], [other], seed=0) for other in (far, far[40:] + far[:40]))
    assert paired.smallest < shuffled.smallest


def test_a_batch_may_be_one_draw():
    near, far = NEAR_AND_FAR
    one_by_one, by_eight = (difference(REFERENCE, [near], [far], seed=0, together=size) for size in (1, 8))
    assert by_eight.interval.value == one_by_one.interval.value and by_eight.interval.n == 10


def test_part_of_a_batch_is_refused():
    with pytest.raises(ValueError, match=r"\[9\] graphs are no whole numbers of batches of 2"):
        difference(REFERENCE, [OTHERS[:9]], [OTHERS[:9]], seed=0, together=2)
