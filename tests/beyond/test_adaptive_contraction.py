"""Contraction of adaptive momentum: each claim's verdict, the change that flips it, and the sums behind the bounds."""

import math

import numpy as np
import pytest
import sympy as sp

from ams.samplers import momentum_rule, unit_factor
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


@pytest.mark.parametrize("sign", [lambda n: 1, lambda n: -1, lambda n: (-1) ** n, lambda n: (-1) ** (n // 7)])
def test_what_changed_coefficients_leave_is_within_the_responses(sign):
    """Exact second moments of a kick, and random starts, with the coefficient at an end of its range at each step."""
    loop, delta = adaptive.log_spaced(1e-3, 10.0), 0.03
    b, rate, lam, growth = loop.beta, loop.rate, np.array(loop.precisions), loop.growth(delta) / loop.rate
    free, forced, d = loop._free(growth, delta), loop._forced(growth, delta), delta * sign(0)
    own, sums = np.ones((len(lam), 2)), np.zeros(3)
    position = loop.step * lam[:, None] * ((1 + b + d) ** 2 * own + (2 * (1 + b) + d) * loop.matrix[:, 1])
    kick = np.stack([position, own], axis=1)
    left, start = kick @ loop.covariance @ kick.mT, np.random.default_rng(0).standard_normal((len(lam), 2, 30))
    start, moved = start / np.linalg.norm(start, axis=0), left[:, 0, 0]
    for n in range(1, 3000):
        score, momentum, move = (math.sqrt(each.sum()) for each in (left[:, 0, 0], left[:, 1, 1], moved))
        sums += np.array([score, momentum, move + loop.ratio * momentum]) / rate**n
        step, drift = loop.transition(b + delta * sign(n)), loop.step * lam * (1 + b + delta * sign(n)) ** 2
        left, start = step @ left @ step.mT, step @ start
        score, momentum, move = np.linalg.norm([*start.swapaxes(0, 1), drift[:, None] * start[:, 1]], axis=1)
        assert (np.stack([score, momentum, move + loop.ratio * momentum], 1) <= free * rate**n).all()
        moved = drift**2 * left[:, 1, 1]
    assert (sums <= forced).all() and (forced <= 2 * sums).all()


@pytest.mark.parametrize("line", ["momentum_rule", "transition"])
def test_a_change_in_any_line_is_left_over(monkeypatch, line):
    changed = {
        "momentum_rule": lambda rule: momentum_rule(rule, factor=unit_factor),
        "transition": lambda *_: sp.eye(2),
    }
    monkeypatch.setattr(adaptive, line, changed[line])
    assert adaptive.terms_left_of_the_difference().value > 0


def test_a_search_finds_no_larger_gain_near_the_farthest_spectra():
    generator, known = np.random.default_rng(1), adaptive.largest_gain(Settings(spectra=1)).value
    for decades, count in adaptive.FARTHEST * 10:
        moved = np.append(0.0, decades[1:] + generator.uniform(-0.3, 0.3, len(decades) - 1))
        others = tuple(np.array(count) * generator.uniform(0.5, 2.0, len(count)))
        assert Loop(adaptive.MOST, tuple(10**-moved), 0.0, others).gain < known + 0.02


def test_bounds_of_a_batch_have_no_rate():
    with pytest.raises(ValueError, match="bounds of a batch have no rate"):
        adaptive.log_spaced(1e-4, 10.0).within(0.01, 0.01)


def test_a_check_without_bounds_is_no_evidence():
    with pytest.raises(ArithmeticError, match="the theorem shows nothing"):
        adaptive.largest_share_in_batches(Settings(batch=16, steps=10))


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
