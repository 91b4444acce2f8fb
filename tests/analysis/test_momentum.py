"""Constant momentum: each claim's verdict, and the break that flips it."""

import pytest
import sympy as sp

from ams.ledger.claims import Verdict
from ams.samplers import momentum_rule
from analysis import momentum
from tests.claims import claims, quick_settings, verdict_of


@pytest.fixture(autouse=True)
def _fresh_symbols():
    momentum.symbols.cache_clear()
    yield
    momentum.symbols.cache_clear()


@pytest.mark.parametrize("identifier", ["G1", "G3", "G5"])
def test_claims_come_out_as_expected(identifier):
    assert verdict_of(identifier) is claims()[identifier].expected


def replace_factor(monkeypatch, factor):
    """Give the sampler another drift factor A/a, everywhere that the claims look."""
    broken = lambda damping, **more: momentum_rule(damping, factor=factor, **more)  # noqa: E731
    monkeypatch.setattr(momentum, "momentum_rule", broken)


def test_a_dropped_factor_breaks_g1(monkeypatch):
    """Falsifier of G1: the step moves by a m instead of a (1+b)^2 m."""
    replace_factor(monkeypatch, lambda beta: sp.Integer(1) if isinstance(beta, sp.Expr) else 1.0)
    for part in ("transition", "invariants", "jury", "boundary"):
        assert verdict_of("G1", only=part) is Verdict.REFUTED


def test_a_law_that_is_not_the_step_breaks_g1(monkeypatch):
    true = momentum.law_transition
    monkeypatch.setattr(momentum, "law_transition", lambda u, beta: true(u, beta * (1 + 1e-9)))
    assert verdict_of("G1", only="law") is Verdict.REFUTED


def test_a_wrong_factor_breaks_g3(monkeypatch):
    """Falsifier of G3: the drift factor is 1 + b; algebra, solved and reached laws and particles all see it."""
    replace_factor(monkeypatch, lambda beta: 1 + beta)
    for part in ("covariance", "reached", "particles"):
        assert verdict_of("G3", only=part) is Verdict.REFUTED


def test_a_wrong_closed_form_breaks_g3(monkeypatch):
    true = momentum.variance_ratio
    monkeypatch.setattr(momentum, "variance_ratio", lambda u, beta: true(u, beta) * (1 + 1e-8))
    assert verdict_of("G3", only="solved") is Verdict.REFUTED


def test_corrected_noise_breaks_g5(monkeypatch):
    """Falsifier of G5: with the noise scaled like the drift, sqrt(2 a c), the limit is the target itself."""
    monkeypatch.setattr(momentum, "momentum", heated(momentum.momentum))
    assert verdict_of("G5", only="limit") is Verdict.REFUTED
    assert verdict_of("G5", only="mixture") is Verdict.REFUTED


def heated(momentum_of_rule):
    """Return momentum steps whose rule's noise is sqrt(2 A) instead of sqrt(2 a)."""

    def build(rule):
        def hot(state, s, z, level, algebra):
            chosen = rule(state, s, z, level, algebra)
            return chosen._replace(noise=algebra.sqrt(2 * chosen.drift))

        return momentum_of_rule(hot)

    return build


def test_an_uncooled_limit_breaks_g5(monkeypatch):
    """W2, KL and the dimension's growth come from the frozen law: at b = 0 they vanish."""
    true = momentum.frozen
    monkeypatch.setattr(momentum, "frozen", lambda law, size, beta: true(law, size, 0.0))
    for part in ("w2", "kl"):
        assert verdict_of("G5", only=part) is Verdict.REFUTED


def test_the_mixture_check_sees_the_target_itself(monkeypatch):
    """The smallest break that the Monte Carlo part must see: particles of pi instead of pi^c."""
    monkeypatch.setattr(momentum, "constant", lambda beta: lambda state, s, algebra: (0.0, None))
    assert verdict_of("G5", only="mixture") is Verdict.REFUTED


def test_figures_are_written(tmp_path):
    settings = quick_settings("momentum").model_copy(update={"mixture_particles": 500})
    drawn = momentum.figures(settings, tmp_path)
    assert [figure.file.name for figure in drawn] == ["stability.svg", "variance.svg", "cooled_mixture.svg"]
    assert all(figure.file.stat().st_size > 10_000 for figure in drawn)
