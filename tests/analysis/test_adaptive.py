"""Adaptive momentum: each claim's verdict, and the break that flips it."""

import math

import numpy as np
import pytest
import sympy as sp

from ams.laws.gaussian import GaussianLaw
from ams.laws.stationary import Stationary, frozen, solved
from ams.samplers import adaptive as damping
from ams.samplers import momentum_rule
from analysis.adaptive import batches, convergence, expansion, fixed_point, linearisation, snr, spectra
from analysis.adaptive import figures as adaptive_figures
from analysis.momentum import transition
from analysis.momentum.stationary import symbolic_variance
from tests.claims import claims, quick_settings, verdict_of
from verdicts.claims.schema import Verdict


@pytest.fixture(autouse=True)
def _fresh_caches():
    caches = (
        *(transition.symbols, symbolic_variance, expansion.damping_series),
        *(spectra.random_spectra, batches.ratio, batches.coupled),
    )
    yield
    for cache in caches:
        cache.cache_clear()


@pytest.mark.parametrize("identifier", ["A1", "A2", "A3", "A4", "A5", "A6", "P1a", "P1b", "P1c"])
def test_claims_come_out_as_expected(identifier):
    assert verdict_of(identifier) is claims()[identifier].expected


def one(beta):
    return 1.0


def test_a_stale_norm_breaks_a2(monkeypatch):
    """Falsifier of A2: the ratio without its factor (1 + b), as if the score's change were measured a move late."""
    true = fixed_point.stationary_ratio
    monkeypatch.setattr(fixed_point, "stationary_ratio", lambda u, beta: true(u, beta) / (1 + beta))
    for part in ("solved", "reached", "unbiased"):
        assert verdict_of("A2", only=part) is Verdict.REFUTED


def test_a_damping_that_feels_the_dimension_breaks_a2(monkeypatch):
    true = fixed_point.law_of

    def felt(u, dimension=1.0):
        found = true(u, dimension)
        return found._replace(beta=found.beta * (1 - 1e-6 * dimension), variance=found.variance * 0.9)

    monkeypatch.setattr(fixed_point, "law_of", felt)
    for part in ("dimension", "printed", "particles"):
        assert verdict_of("A2", only=part) is Verdict.REFUTED


@pytest.fixture
def another_step(monkeypatch):
    """The sampler with the drift factor 1 + b, wherever the algebra looks."""
    for cache in (transition.symbols, symbolic_variance, expansion.damping_series):
        cache.cache_clear()
    monkeypatch.setattr(
        transition, "momentum_rule", lambda damping: momentum_rule(damping, factor=lambda beta: 1 + beta)
    )


def test_another_step_breaks_the_derivations(another_step):
    """Falsifier of A3 and A6; A2's derivation sees it as well."""
    for identifier, part in (("A2", "ratio"), ("A3", "damping"), ("A3", "variance"), ("A6", "identity")):
        assert verdict_of(identifier, only=part) is Verdict.REFUTED


def test_a_corrected_noise_breaks_a3(monkeypatch):
    """With its noise scaled like its drift, small steps tend to the target, and a smaller one is the better one."""
    rule = momentum_rule(damping(1e-6), factor=one)
    law = GaussianLaw([1.0])
    monkeypatch.setattr(expansion, "law_of", lambda u: solved(law, rule, u, 1 - 1e-6, one))
    monkeypatch.setattr(expansion, "variance_ratio", lambda u, beta: 1 + (1 - beta) ** 0.5)
    assert verdict_of("A3", only="order") is Verdict.REFUTED
    monkeypatch.setattr(expansion, "variance_ratio", lambda u, beta: 2 - u)
    assert verdict_of("A3", only="worse") is Verdict.REFUTED
    monkeypatch.setattr(expansion, "root_equation", lambda u: sp.Symbol("q", real=True) ** 2 - sp.Rational(1, 4))
    assert verdict_of("A3", only="unbiased") is Verdict.REFUTED


def test_a_norm_of_the_mean_square_breaks_a1(monkeypatch):
    """Falsifier of A1: the root of the mean square in the place of the mean norm."""

    def rms(mean, variance, multiplicity):
        return float((multiplicity * (variance + mean**2)).sum() ** 0.5)

    monkeypatch.setattr(spectra, "expected_norm", rms)
    for part in ("chi", "ellipse"):
        assert verdict_of("A1", only=part) is Verdict.REFUTED


def test_a_rotation_the_wrong_way_breaks_a1(monkeypatch):
    def transposed(target, moments):
        basis = target.covariance.basis
        return true(target.__class__(target.mean, target.covariance._replace(basis=basis.mT)), moments)

    true = spectra.rotated_back
    monkeypatch.setattr(spectra, "rotated_back", transposed)
    for part in ("rotated", "particles"):
        assert verdict_of("A1", only=part) is Verdict.REFUTED


def test_a_norm_that_miscounts_breaks_a1(monkeypatch):
    """Every other of the listed directions is lost: the dampings move apart."""
    true = spectra.GaussianLaw

    def halved(variance, multiplicity=None):
        return true(variance[::2]) if multiplicity is None else true(variance, multiplicity=multiplicity)

    monkeypatch.setattr(spectra, "GaussianLaw", halved)
    assert verdict_of("A1", only="large") is Verdict.REFUTED


def test_a_curvature_breaks_a4(monkeypatch):
    """Falsifier of A4: were rho an estimate of curvature, the mean precision, its formula would fail."""
    monkeypatch.setattr(spectra, "effective", lambda precision: float(precision.mean()))
    assert verdict_of("A4", only="ratio") is Verdict.REFUTED


def test_a_momentum_that_oscillates_breaks_a4(monkeypatch):
    true = spectra.random_spectra

    def kept(settings):
        return [(precision, size, law._replace(beta=0.9999)) for precision, size, law in true(settings)]

    monkeypatch.setattr(spectra, "random_spectra", kept)
    assert verdict_of("A4", only="overdamped") is Verdict.REFUTED
    monkeypatch.setattr(
        spectra,
        "random_spectra",
        lambda settings: [(lam, a, law._replace(momentum=100 * law.momentum)) for lam, a, law in true(settings)],
    )
    assert verdict_of("A4", only="noise") is Verdict.REFUTED


def test_independent_norms_break_a5(monkeypatch):
    """Falsifier of A5: a damping that does not act back on the law strays by 5 % more than batches do."""
    true = linearisation.linearised
    unmoved = lambda u: true(u)._replace(response=np.zeros(9))  # noqa: E731
    monkeypatch.setattr(linearisation, "linearised", unmoved)
    for part in ("constant", "single"):
        assert verdict_of("A5", only=part) is Verdict.REFUTED


def test_samples_of_their_own_break_a5(monkeypatch):
    """Uncoupled samples: the damping's distance does not fall with the batch, nor does the law's bias."""
    true = batches.Batches
    monkeypatch.setattr(batches, "Batches", lambda size: true(min(size, 16)))
    assert verdict_of("A5", only="constant") is Verdict.REFUTED
    growing = lambda settings: np.outer(np.ones(64), np.arange(len(settings.coupled_batches)))  # noqa: E731
    monkeypatch.setattr(batches, "coupled", growing)
    assert verdict_of("A5", only="bias") is Verdict.REFUTED


def test_norm_products_in_closed_form():
    r = np.linspace(-1.0, 1.0, 21)
    line = np.sqrt(1 - r**2) + r * np.arcsin(r) - 1
    np.testing.assert_allclose(linearisation.norm_product(r, 1.0), line, atol=1e-12)
    for d in (3.0, 15.0, 16.0, 256.0):
        halves = math.exp(2 * (math.lgamma((d + 1) / 2) - math.lgamma(d / 2)))
        np.testing.assert_allclose(linearisation.norm_product(np.ones(1), d), d / 2 / halves - 1, atol=1e-6)
    assert linearisation.norm_product(np.ones(1), np.inf) == 0.5


def test_the_new_norm_breaks_a6(monkeypatch):
    """The step found from another momentum: the ratio of Langevin's rule, u = 2 snr^2 / (1 + snr^2)."""
    true = snr.step_of_snr
    monkeypatch.setattr(snr, "step_of_snr", lambda ratio, beta: true(ratio, 0.0 * beta))
    for part in ("solved", "reached", "bias"):
        assert verdict_of("A6", only=part) is Verdict.REFUTED


def test_unstable_momentum_is_not_ergodic(monkeypatch):
    """Falsifier of P1a: beyond the stability bound the spectral radius exceeds 1."""
    true = convergence.stability_bound
    monkeypatch.setattr(convergence, "stability_bound", lambda beta: 1.5 * true(beta))
    assert verdict_of("P1a", only="constant") is Verdict.REFUTED


def test_two_fixed_points_would_break_p1a(monkeypatch):
    monkeypatch.setattr(convergence, "critical_momentum", lambda rho: 0.5 + 0.4 * np.sin(40 * rho))
    assert verdict_of("P1a", only="unique") is Verdict.REFUTED


def test_a_law_that_remembers_its_start_would_break_p1a(monkeypatch):
    def remembering(law, step, size, spread, mean, tolerance):
        return Stationary(law.variance * (1 + 1e-6 * mean[0]), law.mean, law.variance, 0.0, 0, 0.0)

    monkeypatch.setattr(convergence, "reached", remembering)
    assert verdict_of("P1a", only="attracting") is Verdict.REFUTED


def test_a_slope_that_repels_would_break_p1a(monkeypatch):
    true = convergence.linearised
    monkeypatch.setattr(convergence, "linearised", lambda u: true(u)._replace(jacobian=1.01 * np.eye(9)))
    for part in ("local", "rate"):
        assert verdict_of("P1a", only=part) is Verdict.REFUTED


def test_a_second_root_would_break_p1a(monkeypatch):
    monkeypatch.setattr(convergence, "root_equation", lambda u: expansion.q + sp.Rational(1, 3))
    assert verdict_of("P1a", only="sturm") is Verdict.REFUTED


def test_corrected_noise_would_make_p1b_hold(monkeypatch):
    """Falsifier of the refutation P1b: with the noise scaled like the drift, sqrt(2 a c), the claim holds."""
    rule, law = momentum_rule(damping(1e-6), factor=one), GaussianLaw([1.0])
    monkeypatch.setattr(convergence, "law_of", lambda u: solved(law, rule, u, 1 - 1e-6, one))
    monkeypatch.setattr(convergence, "frozen", lambda law, u, beta: frozen(law, u * (1 + beta) ** 2, beta, one))
    assert verdict_of("P1b") is Verdict.HOLDS


def test_langevin_alone_passes_p1c(monkeypatch):
    """Falsifier of the refutation P1c: plain Langevin in the place of adaptive momentum meets every part of it."""
    true = convergence.bias
    monkeypatch.setattr(convergence, "bias", lambda u, beta=None: true(u, 0.0))
    for part in ("shrinks", "langevin"):
        assert verdict_of("P1c", only=part) is Verdict.HOLDS


def test_figures_are_written(tmp_path):
    drawn = adaptive_figures.figures(quick_settings("adaptive"), tmp_path)
    assert all(figure.file.stat().st_size > 10_000 for figure in drawn)


def test_the_tolerances_are_those_that_the_plans_need():
    """Where a plan says what tolerance its false-alarm rate needs, the claims file's is not smaller."""
    settings = quick_settings("adaptive")
    planned = {
        "A5.constant": batches.deviation_falls_as_the_root_of_the_batch,
        "A5.single": batches.one_sample_in_many_dimensions,
        "A5.bias": batches.bias_falls_with_the_batch,
    }
    for check in claims()["A5"].check:
        assert planned[check.id](settings).detail["tolerance needed"] <= check.tolerance
