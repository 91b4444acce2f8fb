"""Adaptive momentum: each claim's verdict, and the break that flips it."""

import numpy as np
import pytest

from ams.laws.stationary import Stationary
from ams.ledger.claims import Verdict
from ams.samplers import momentum_rule
from analysis import adaptive, momentum
from tests.claims import claims, quick_settings, verdict_of


@pytest.mark.parametrize("identifier", ["A2", "P1a", "P1b", "P1c"])
def test_claims_come_out_as_expected(identifier):
    assert verdict_of(identifier) is claims()[identifier].expected


def test_a_stale_norm_breaks_a2(monkeypatch):
    """Falsifier of A2: the ratio without its factor (1 + b), as if the score's change were measured a move late."""
    true = adaptive.stationary_ratio
    monkeypatch.setattr(adaptive, "stationary_ratio", lambda u, beta: true(u, beta) / (1 + beta))
    for part in ("solved", "reached", "unbiased"):
        assert verdict_of("A2", only=part) is Verdict.REFUTED


def test_a_damping_that_feels_the_dimension_breaks_a2(monkeypatch):
    true = adaptive.law_of

    def felt(u, dimension=1.0):
        found = true(u, dimension)
        return found._replace(beta=found.beta * (1 - 1e-6 * dimension), variance=found.variance * 0.9)

    monkeypatch.setattr(adaptive, "law_of", felt)
    for part in ("dimension", "printed", "particles"):
        assert verdict_of("A2", only=part) is Verdict.REFUTED


def test_another_step_breaks_the_derivation_of_a2(monkeypatch):
    broken = lambda damping: momentum_rule(damping, factor=lambda beta: 1 + beta)  # noqa: E731
    momentum.symbols.cache_clear()
    monkeypatch.setattr(momentum, "momentum_rule", broken)
    try:
        assert verdict_of("A2", only="ratio") is Verdict.REFUTED
    finally:
        momentum.symbols.cache_clear()


def test_unstable_momentum_is_not_ergodic(monkeypatch):
    """Falsifier of P1a: beyond the stability bound the spectral radius exceeds 1."""
    true = adaptive.stability_bound
    monkeypatch.setattr(adaptive, "stability_bound", lambda beta: 1.5 * true(beta))
    assert verdict_of("P1a", only="constant") is Verdict.REFUTED


def test_two_fixed_points_would_break_p1a(monkeypatch):
    monkeypatch.setattr(adaptive, "damping_of", lambda rho: 0.5 + 0.4 * np.sin(40 * rho))
    assert verdict_of("P1a", only="unique") is Verdict.REFUTED


def test_a_law_that_remembers_its_start_would_break_p1a(monkeypatch):
    def remembering(law, step, size, spread, mean, tolerance):
        return Stationary(law.variance * (1 + 1e-6 * mean[0]), law.mean, law.variance, 0.0, 0, 0.0)

    monkeypatch.setattr(adaptive, "reached", remembering)
    assert verdict_of("P1a", only="attracting") is Verdict.REFUTED


def test_corrected_noise_would_make_p1b_hold(monkeypatch):
    """Falsifier of the refutation P1b: at the target's own variance, as with the noise corrected, the claim holds."""
    true = adaptive.bias
    monkeypatch.setattr(adaptive, "bias", lambda u, beta=None: true(u, 0.0))
    assert verdict_of("P1b") is Verdict.HOLDS


def test_langevin_alone_passes_p1c(monkeypatch):
    """Falsifier of the refutation P1c: plain Langevin in the place of adaptive momentum meets every part of it."""
    true = adaptive.bias
    monkeypatch.setattr(adaptive, "bias", lambda u, beta=None: true(u, 0.0))
    assert verdict_of("P1c") is Verdict.HOLDS


def test_figures_are_written(tmp_path):
    drawn = adaptive.figures(quick_settings("adaptive"), tmp_path)
    assert all(figure.file.stat().st_size > 10_000 for figure in drawn)
