"""Constant momentum: each claim's verdict, and the change that flips it."""

from collections.abc import Callable
from typing import Any

import pytest
import sympy as sp
from pytest import MonkeyPatch

from ams.samplers import momentum_rule, with_corrected_noise
from analysis.momentum import closed_forms, stationary, study, transition
from tests.claims import expected, quick_settings, refuted, verdict_of

SMALL = quick_settings("momentum").model_copy(update={"points": 20})


@pytest.mark.parametrize("identifier", ["G1", "G2", "G2c", "G3", "G4", "G5", "G6", "G7"])
def test_claims_come_out_as_expected(identifier: str) -> None:
    assert verdict_of(identifier, settings=SMALL) is expected(identifier)


def replace_factor(monkeypatch: MonkeyPatch, factor: Callable[[Any], Any]) -> None:
    """Give the sampler another drift factor A/a, everywhere that the claims look."""
    for module in (study, transition):
        monkeypatch.setattr(module, "momentum_rule", lambda beta_of, **more: momentum_rule(beta_of, factor=factor))


def test_a_dropped_factor_breaks_g1_and_g2(monkeypatch: MonkeyPatch, fresh_cells: None) -> None:
    """Falsifier of G1 and G2: the step moves by a m, not a (1+b)^2 m. The best b is another, its gain 2 and not 8."""
    replace_factor(monkeypatch, lambda beta: beta**0)
    assert refuted("G1", "transition", "invariants", "jury", "boundary", settings=SMALL)
    assert refuted("G2", "regimes", "law", "best", settings=SMALL)


def test_a_lesser_factor_breaks_g3_g4_and_g6(monkeypatch: MonkeyPatch, fresh_cells: None) -> None:
    """Falsifier of G3, G4 and G6: the drift factor is 1 + b. Algebra, reached distributions and particles see it."""
    replace_factor(monkeypatch, lambda beta: 1 + beta)
    assert refuted("G2c", "bound", "price", settings=SMALL)
    assert refuted("G3", "covariance", "reached", "particles", settings=SMALL)
    assert refuted("G4", "series", "remainder") and refuted("G6", "root")


def test_a_doubled_drift_breaks_g2_langevin(monkeypatch: MonkeyPatch, fresh_cells: None) -> None:
    replace_factor(monkeypatch, lambda beta: 2)
    assert refuted("G2", "langevin", settings=SMALL)


def test_corrected_noise_breaks_g5(monkeypatch: MonkeyPatch, fresh_cells: None) -> None:
    """Falsifier of G5: with the noise scaled like the drift, sqrt(2 a c), the limit is the target itself."""
    monkeypatch.setattr(study, "momentum_rule", lambda beta_of: with_corrected_noise(momentum_rule(beta_of)))
    assert refuted("G5", "limit", "flux", "mixture", settings=SMALL)


def test_a_distribution_without_bias_would_break_g2c(monkeypatch: MonkeyPatch) -> None:
    """Falsifier of G2c: were the variance not looked at, Polyak's square root would be usable: exponent 1/2."""
    monkeypatch.setattr(closed_forms, "best_loss", lambda kappa: 1 - closed_forms.polyak(kappa)[2] ** 0.5)
    assert refuted("G2c", "exponent", "limit", settings=SMALL)


def test_wrong_extremes_break_g2c(monkeypatch: MonkeyPatch, fresh_cells: None) -> None:
    polyak, step = closed_forms.polyak, closed_forms.largest_step
    monkeypatch.setattr(closed_forms, "polyak", lambda kappa: (*polyak(kappa)[:2], polyak(kappa)[2] * 0.99))
    for module in (closed_forms, study):
        monkeypatch.setattr(module, "largest_step", lambda beta: 1.01 * step(beta))
    monkeypatch.setattr(closed_forms, "contraction", lambda u, beta: 1 - 3 * (1 + beta) ** 2 * u)
    assert refuted("G2c", "rate", "step", "loss", "constant", settings=SMALL)


def test_uncorrected_noise_breaks_g7(monkeypatch: MonkeyPatch, fresh_cells: None) -> None:
    """Falsifier of G7: with the authors' noise, sqrt(2a), the limit is 1/c, and no formula of G7 holds."""
    for module in (study, stationary):
        monkeypatch.setattr(module, "with_corrected_noise", lambda rule: rule)
    assert refuted("G7", "variance", "loses", "reached", settings=SMALL)


def test_a_kept_factor_breaks_g7(monkeypatch: MonkeyPatch) -> None:
    """The corrected step's `u = a c lam`: with `u = a lam` the rate and the solved variances are others."""
    true = stationary.solved_variance
    monkeypatch.setattr(stationary, "C", sp.Integer(1))
    monkeypatch.setattr(stationary, "solved_variance", lambda u, beta, factor: true(u, beta))
    assert refuted("G7", "rate", settings=SMALL)
    with pytest.raises(ValueError, match="no stationary distribution"):
        verdict_of("G7", only="solved")
