"""Constant momentum: each claim's verdict, and the break that flips it."""

import pytest
import sympy as sp

from ams.samplers import momentum_rule, with_corrected_noise
from analysis import momentum
from analysis.momentum import condition, corrected_noise, rates, stationary, temperature, transition
from analysis.momentum import figures as momentum_figures
from tests.claims import claims, quick_settings, verdict_of
from verdicts.claims.schema import Verdict


@pytest.fixture(autouse=True)
def _fresh_symbols():
    derived = (transition.symbols, stationary.symbolic_variance, corrected_noise.corrected_symbols)
    caches = (*derived, condition.gain_in_the_limit)
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


@pytest.mark.parametrize("identifier", ["G1", "G2", "G2c", "G3", "G4", "G5", "G6", "G7"])
def test_claims_come_out_as_expected(identifier):
    assert verdict_of(identifier) is claims()[identifier].expected


def replace_factor(monkeypatch, factor):
    """Give the sampler another drift factor A/a, everywhere that the claims look."""
    broken = lambda damping, **more: momentum_rule(damping, factor=factor, **more)  # noqa: E731
    for module in (transition, stationary):
        monkeypatch.setattr(module, "momentum_rule", broken)


def test_a_dropped_factor_breaks_g1(monkeypatch):
    """Falsifier of G1: the step moves by a m instead of a (1+b)^2 m."""
    replace_factor(monkeypatch, lambda beta: sp.Integer(1) if isinstance(beta, sp.Expr) else 1.0)
    for part in ("transition", "invariants", "jury", "boundary"):
        assert verdict_of("G1", only=part) is Verdict.REFUTED


def test_a_law_that_is_not_the_step_breaks_g1(monkeypatch):
    true = transition.law_transition
    monkeypatch.setattr(transition, "law_transition", lambda u, beta: true(u, beta * (1 + 1e-9)))
    assert verdict_of("G1", only="law") is Verdict.REFUTED


def test_a_wrong_factor_breaks_g3(monkeypatch):
    """Falsifier of G3: the drift factor is 1 + b; algebra, solved and reached laws and particles all see it."""
    replace_factor(monkeypatch, lambda beta: 1 + beta)
    for part in ("covariance", "reached", "particles"):
        assert verdict_of("G3", only=part) is Verdict.REFUTED


def test_a_wrong_closed_form_breaks_g3(monkeypatch):
    true = stationary.variance_ratio
    monkeypatch.setattr(stationary, "variance_ratio", lambda u, beta: true(u, beta) * (1 + 1e-8))
    assert verdict_of("G3", only="solved") is Verdict.REFUTED


def test_corrected_noise_breaks_g5(monkeypatch):
    """Falsifier of G5: with the noise scaled like the drift, sqrt(2 a c), the limit is the target itself."""
    for module in (transition, temperature):
        monkeypatch.setattr(module, "momentum_rule", lambda damping: with_corrected_noise(momentum_rule(damping)))
    for part in ("limit", "flux", "mixture"):
        assert verdict_of("G5", only=part) is Verdict.REFUTED


def test_an_uncooled_limit_breaks_g5(monkeypatch):
    """W2, KL and the dimension's growth come from the frozen law: at b = 0 they vanish."""
    true = temperature.frozen
    monkeypatch.setattr(temperature, "frozen", lambda law, size, beta: true(law, size, 0.0))
    for part in ("w2", "kl", "dimension"):
        assert verdict_of("G5", only=part) is Verdict.REFUTED


def test_the_mixture_check_sees_the_target_itself(monkeypatch):
    """Plain Langevin in the place of momentum: pi instead of pi^c."""
    monkeypatch.setattr(temperature, "constant", lambda beta: lambda state, s, algebra: (0.0, None))
    assert verdict_of("G5", only="mixture") is Verdict.REFUTED


def test_a_dropped_factor_breaks_g2(monkeypatch):
    """Falsifier of G2: without the factor (1+b)^2 the best momentum is another, and its gain 2, not 8."""
    replace_factor(monkeypatch, lambda beta: sp.Integer(1) if isinstance(beta, sp.Expr) else 1.0)
    for part in ("regimes", "law", "best"):
        assert verdict_of("G2", only=part) is Verdict.REFUTED


def test_another_momentum_breaks_g2(monkeypatch):
    """A best momentum taken for that of a smaller step is beaten, and its gain is not drift times damping."""
    true = rates.step_at_best
    monkeypatch.setattr(rates, "step_at_best", lambda root: true(root) * (1 - root / 10))
    for part in ("best", "beaten", "gain"):
        assert verdict_of("G2", only=part) is Verdict.REFUTED


def test_noise_taken_for_drift_breaks_g2_langevin(monkeypatch):
    monkeypatch.setattr(transition, "momentum_rule", lambda damping: momentum_rule(damping, factor=lambda beta: 2))
    assert verdict_of("G2", only="langevin") is Verdict.REFUTED


def test_a_law_without_bias_would_break_g2c(monkeypatch):
    """Falsifier of G2c: were the law not looked at, Polyak's square root would be usable: exponent 1/2."""
    monkeypatch.setattr(condition, "best_loss", lambda kappa: 1 - condition.polyak(kappa)[2] ** 0.5)
    for part in ("exponent", "limit"):
        assert verdict_of("G2c", only=part) is Verdict.REFUTED


def test_wrong_extremes_break_g2c(monkeypatch):
    true_polyak, true_step = condition.polyak, condition.largest_step
    monkeypatch.setattr(condition, "polyak", lambda kappa: (*true_polyak(kappa)[:2], true_polyak(kappa)[2] * 0.99))
    monkeypatch.setattr(condition, "largest_step", lambda beta: 1.01 * true_step(beta))
    monkeypatch.setattr(condition, "contraction", lambda u, beta: 1 - 3 * (1 + beta) ** 2 * u)
    for part in ("rate", "step", "loss", "constant"):
        assert verdict_of("G2c", only=part) is Verdict.REFUTED


def test_another_step_breaks_the_algebra_of_g2c(monkeypatch):
    replace_factor(monkeypatch, lambda beta: 1 + beta)
    for part in ("bound", "price"):
        assert verdict_of("G2c", only=part) is Verdict.REFUTED


def test_a_wrong_factor_breaks_g4_and_g6(monkeypatch):
    """Falsifier of G4 and G6: the drift factor is 1 + b."""
    replace_factor(monkeypatch, lambda beta: 1 + beta)
    for identifier, part in (("G4", "series"), ("G4", "remainder"), ("G6", "root")):
        assert verdict_of(identifier, only=part) is Verdict.REFUTED


def test_another_step_is_not_unbiased(monkeypatch):
    true = stationary.unbiased_step
    for factor, parts in ((1.01, ("root", "law")), (40, ("stable",))):
        monkeypatch.setattr(stationary, "unbiased_step", lambda beta, factor=factor: factor * true(beta))
        for part in parts:
            assert verdict_of("G6", only=part) is Verdict.REFUTED


def test_uncorrected_noise_breaks_g7(monkeypatch):
    """Falsifier of G7: the released noise sqrt(2a): the limit is 1/c, and no formula of G7 holds."""
    monkeypatch.setattr(corrected_noise, "with_corrected_noise", lambda rule: rule)
    for part in ("variance", "loses", "reached"):
        assert verdict_of("G7", only=part) is Verdict.REFUTED


def test_a_kept_factor_breaks_g7(monkeypatch):
    """The corrected step's `u = a c lam`: with `u = a lam` rate and solved law are others."""
    monkeypatch.setattr(corrected_noise, "C", sp.Integer(1))
    true = corrected_noise.frozen
    monkeypatch.setattr(corrected_noise, "frozen", lambda law, size, beta, factor: true(law, size, beta))
    assert verdict_of("G7", only="rate") is Verdict.REFUTED
    with pytest.raises(ValueError, match="no stationary distribution"):
        verdict_of("G7", only="solved")


def test_figures_are_written(tmp_path):
    drawn = momentum_figures.figures(quick_settings("momentum"), tmp_path)
    assert [figure.file.name for figure in drawn] == [
        "stability.svg",
        "rates.svg",
        "condition.svg",
        "variance.svg",
        "cooled_mixture.svg",
    ]
    assert all(figure.file.stat().st_size > 10_000 for figure in drawn)
