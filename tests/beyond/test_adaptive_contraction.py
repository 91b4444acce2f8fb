"""Contraction of adaptive momentum: each claim's verdict, the change that flips it, and the sums behind the bounds."""

import numpy as np
import pytest

from beyond.contraction import adaptive
from beyond.contraction.loop import NOTHING, Loop, fluctuation, summed
from beyond.contraction.settings import Settings
from tests.claims import verdict_of


def test_sums_over_time_are_bounded_within_two_per_cent():
    generator = np.random.default_rng(0)
    matrix, rows = generator.uniform(-0.6, 0.6, (5, 2, 2)), generator.standard_normal((3, 5, 1, 2))
    matrix[0] = np.diag([0.999, 0.5])
    exact, covariance = np.zeros(3), np.tile(np.eye(2), (5, 1, 1))
    bound = summed(matrix, covariance, rows)
    for _ in range(30_000):
        exact += np.sqrt((rows @ covariance @ rows.mT).sum(axis=(1, 2, 3)))
        covariance = matrix @ covariance @ matrix.mT
    assert (exact <= bound * (1 + 1e-8)).all() and (bound <= 1.02 * exact).all()


def test_a_search_finds_no_larger_gain_near_the_farthest_spectra():
    generator, known = (
        np.random.default_rng(1),
        max(Loop(0.005, tuple(10 ** -np.array(d))).gain for d in adaptive.FARTHEST),
    )
    for _ in range(40):
        decades = np.append(0.0, generator.uniform(0.5, 4.0, generator.integers(1, 5)))
        assert Loop(0.005, tuple(10**-decades), 0.0).gain < known + 0.02


def test_gains_above_one_give_no_bounds():
    assert adaptive.log_spaced(0.1, 10.0, 0.0).gain > 1
    assert adaptive.log_spaced(0.1, 10.0, 0.0).bounds == NOTHING
    assert adaptive.log_spaced(1e-3, 10.0, 0.0).of_batches(fluctuation(16, 10, 16, 0.1)) == NOTHING


def test_a_direction_that_oscillates_is_refused():
    with pytest.raises(ValueError, match="a direction oscillates"):
        Loop(0.9, (1.0,))


def test_a_smaller_slope_breaks_h2(monkeypatch):
    monkeypatch.setattr(Loop, "_slope", lambda loop, moved: 0.03)
    assert verdict_of("H2") == "refuted"


def test_a_growth_without_its_first_order_breaks_h2(monkeypatch):
    whole = Loop.growth
    monkeypatch.setattr(
        Loop, "growth", lambda loop, delta: whole(loop, 0.0) + (whole(loop, delta) - whole(loop, 0.0)) / 2
    )
    assert adaptive.largest_share_of_the_growth(Settings(spectra=5)).value > 1.1


def test_fluctuations_of_a_larger_batch_break_h2a(monkeypatch):
    monkeypatch.setattr(adaptive, "fluctuation", lambda batch, *rest: fluctuation(100 * batch, *rest))
    assert verdict_of("H2a") == "refuted"
