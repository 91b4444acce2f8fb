"""Momentum, constant and adaptive: each claim's verdict, and the change that flips it."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy as sp
import torch
from pytest import MonkeyPatch
from torch import Tensor

from ams.laws.gaussian import GaussianLaw
from ams.laws.stationary import Stationary, solved
from ams.samplers import adaptive, momentum_rule, with_corrected_noise
from analysis.adaptive import convergence, general_covariance, linearisation, study
from analysis.momentum import closed_forms, stationary, study as constant, transition
from tests.claims import claims, expected, measured, quick_settings, refuted, upheld, verdict_of

SMALL = quick_settings("momentum").model_copy(update={"points": 20})
CONSTANT = ("G1", "G2", "G3", "G4", "G5", "G7")
ADAPTIVE = ("A1", "A2", "A3", "A5", "A6", "P1a", "P1b", "P1c")


@pytest.mark.parametrize("identifier", [*CONSTANT, *ADAPTIVE])
def test_claims_come_out_as_expected(identifier: str) -> None:
    assert verdict_of(identifier, settings=SMALL if identifier in CONSTANT else None) is expected(
        identifier
    )


def replace_factor(monkeypatch: MonkeyPatch, factor: Callable[[Any], Any]) -> None:
    """Give the sampler another drift factor A/a, everywhere that the claims look."""
    for module in (constant, transition):
        monkeypatch.setattr(
            module, "momentum_rule", lambda beta_of, **more: momentum_rule(beta_of, factor=factor)
        )


def test_a_dropped_factor_breaks_g1_and_g2(monkeypatch: MonkeyPatch, fresh_cells: None) -> None:
    """Falsifier of G1 and G2: the step moves by a m, not a (1+b)^2 m. The best b is another, its
    gain 2 and not 8.
    """
    replace_factor(monkeypatch, lambda beta: beta**0)
    assert refuted("G1", "transition", "invariants", "jury", "boundary", settings=SMALL)
    assert refuted("G2", "regimes", "law", "best", settings=SMALL)


def test_a_lesser_factor_breaks_g3_and_g4(monkeypatch: MonkeyPatch, fresh_cells: None) -> None:
    """Falsifier of G3 and G4: the drift factor is 1 + b. Algebra, reached distributions and
    particles see it.
    """
    replace_factor(monkeypatch, lambda beta: 1 + beta)
    assert refuted("G3", "covariance", "reached", "particles", settings=SMALL)
    assert refuted("G4", "series", "remainder")


def test_a_doubled_drift_breaks_g2_langevin(monkeypatch: MonkeyPatch, fresh_cells: None) -> None:
    replace_factor(monkeypatch, lambda beta: 2)
    assert refuted("G2", "langevin", settings=SMALL)


def test_corrected_noise_breaks_g5(monkeypatch: MonkeyPatch, fresh_cells: None) -> None:
    """Falsifier of G5: with the noise scaled like the drift, sqrt(2 a c), the limit is the
    target itself.
    """
    monkeypatch.setattr(
        constant, "momentum_rule", lambda beta_of: with_corrected_noise(momentum_rule(beta_of))
    )
    assert refuted("G5", "limit", "flux", "mixture", settings=SMALL)


def test_the_largest_step_doubles_the_variance_and_gains_a_factor_of_1_68() -> None:
    """Langevin loses 1 / kappa a step; `best_loss` is the largest `c u` over b times that."""
    beta = np.linspace(0.0, 0.99, 100)
    step = closed_forms.largest_step(beta)
    np.testing.assert_allclose(closed_forms.variance_ratio(step, beta), 2.0, rtol=1e-10)
    gains = [kappa * closed_forms.best_loss(kappa) for kappa in (1e4, 1e6)]
    np.testing.assert_allclose(gains, ((1 + beta) ** 2 * step).max(), rtol=1e-3)
    assert gains[-1] == pytest.approx(1.68, abs=0.005)


def test_uncorrected_noise_breaks_g7(monkeypatch: MonkeyPatch, fresh_cells: None) -> None:
    """Falsifier of G7: with the authors' noise, sqrt(2a), the limit is 1/c, and no formula of G7
    holds.
    """
    for module in (constant, stationary):
        monkeypatch.setattr(module, "with_corrected_noise", lambda rule: rule)
    assert refuted("G7", "variance", "loses", "reached", settings=SMALL)


def test_a_kept_factor_breaks_g7(monkeypatch: MonkeyPatch) -> None:
    """The corrected step's `u = a c lam`: with `u = a lam` the rate and the solved variances are
    others.
    """
    true = stationary.solved_variance
    monkeypatch.setattr(stationary, "C", sp.Integer(1))
    monkeypatch.setattr(stationary, "solved_variance", lambda u, beta, factor: true(u, beta))
    assert refuted("G7", "rate", settings=SMALL)
    with pytest.raises(ValueError, match="no stationary distribution"):
        verdict_of("G7", only="solved")


def corrected(u: float, dimension: float = 1.0) -> Stationary:
    """Adaptive momentum with its noise scaled like its drift: its step is that of `u` without
    the drift's factor.
    """
    rule = momentum_rule(adaptive(1e-6), factor=lambda beta: 1.0)
    return solved(GaussianLaw([1.0]), rule, u, 1 - 1e-6, lambda beta: 1.0)


def test_a_ratio_without_its_factor_breaks_a2(monkeypatch: MonkeyPatch) -> None:
    """Falsifier of A2: the ratio without its factor (1 + b), as if the score's change were
    measured a move late.
    """
    true = study.stationary_ratio
    monkeypatch.setattr(study, "stationary_ratio", lambda u, beta: true(u, beta) / (1 + beta))
    assert refuted("A2", "solved", "reached", "unbiased")


def test_another_drift_factor_breaks_a3_and_a6(monkeypatch: MonkeyPatch, fresh_cells: None) -> None:
    """Falsifier of A3 and A6: the step moves by a (1 + b) m. A2's derivation sees it as well."""
    broken = lambda beta_of: momentum_rule(beta_of, factor=lambda beta: 1 + beta)  # noqa: E731
    monkeypatch.setattr(constant, "momentum_rule", broken)
    assert (
        refuted("A2", "ratio")
        and refuted("A3", "damping", "variance")
        and refuted("A6", "identity")
    )


def test_a_norm_of_the_mean_square_breaks_a1(monkeypatch: MonkeyPatch) -> None:
    """Falsifier of A1: the root of the mean square in the place of the mean norm."""

    def rms(mean: Tensor, variance: Tensor, multiplicity: Tensor) -> float:
        return float((multiplicity * (variance + mean**2)).sum() ** 0.5)

    monkeypatch.setattr(general_covariance, "expected_norm", rms)
    assert refuted("A1", "chi", "ellipse")


def test_independent_norms_break_a5(monkeypatch: MonkeyPatch) -> None:
    """Falsifier of A5: a coefficient that does not act back on the distribution fluctuates 5 %
    more than batches do.
    """
    true = linearisation.linearised
    monkeypatch.setattr(
        linearisation, "linearised", lambda u: true(u)._replace(response=np.zeros(9))
    )
    assert refuted("A5", "constant", "single")


def test_batches_have_norms_of_their_own() -> None:
    x = torch.tensor([[[3.0, 4.0], [0.0, 0.0]], [[0.0, 2.0], [0.0, 4.0]]])
    assert study.Batches().norm(x).shape == (2, 1, 1) and study.Batches().norm(
        x
    ).flatten().tolist() == [2.5, 3.0]


def test_norm_products_in_closed_form() -> None:
    r = np.linspace(-1.0, 1.0, 21)
    line = np.sqrt(1 - r**2) + r * np.arcsin(r) - 1
    np.testing.assert_allclose(linearisation.norm_product(r, 1.0), line, atol=1e-12)
    for d in (3.0, 15.0, 16.0, 256.0):
        halves = math.exp(2 * (math.lgamma((d + 1) / 2) - math.lgamma(d / 2)))
        np.testing.assert_allclose(
            linearisation.norm_product(np.ones(1), d), d / 2 / halves - 1, atol=1e-6
        )
    assert linearisation.norm_product(np.ones(1), np.inf) == 0.5


def test_unstable_momentum_is_not_ergodic(monkeypatch: MonkeyPatch) -> None:
    """Falsifier of P1a: beyond the stability bound the spectral radius exceeds 1."""
    true = convergence.stability_bound
    monkeypatch.setattr(convergence, "stability_bound", lambda beta: 1.5 * true(beta))
    assert refuted("P1a", "constant")


def test_another_rule_far_away_breaks_p1a(monkeypatch: MonkeyPatch) -> None:
    """A critical momentum without its square; a Lyapunov function beyond its steps; moves at the
    ratio 1, where beta is at its minimum.
    """
    with monkeypatch.context() as patched:
        patched.setattr(convergence, "critical_momentum", lambda w: (1 - w) / (1 + w))
        assert refuted("P1a", "large", "drift")
    first, _, form = convergence.LYAPUNOV[0]
    monkeypatch.setattr(convergence, "LYAPUNOV", ((first, sp.Rational(1, 2), form),))
    assert refuted("P1a", "drift")
    one, _, last = convergence.POINT
    monkeypatch.setattr(convergence, "POINT", (one, one + convergence.DELTA, last))
    assert refuted("P1a", "density")


def test_corrected_noise_would_make_p1b_hold(monkeypatch: MonkeyPatch) -> None:
    """Falsifier of the refutation P1b: with the noise scaled like the drift, sqrt(2 a c), the
    claim holds.
    """
    without = lambda u, beta: stationary.solved_variance(
        u * (1 + beta) ** 2, beta, lambda beta: 1.0
    )  # noqa: E731
    with upheld("P1b"):
        monkeypatch.setattr(convergence, "stationary_at", corrected)
        monkeypatch.setattr(convergence, "solved_variance", without)


def test_langevin_alone_passes_p1c(monkeypatch: MonkeyPatch) -> None:
    """Falsifier of the refutation P1c: plain Langevin in the place of adaptive momentum.

    No step ends its refutation then, so that the check of this step tells nothing.
    """
    true = convergence.bias
    with upheld("P1c", apart=["P1c.where"]):
        monkeypatch.setattr(convergence, "bias", lambda u, beta=None: true(u, 0.0))


def test_the_tolerances_are_those_that_the_plans_need() -> None:
    """Where a plan says what tolerance its false-alarm rate needs, the claims file's is not
    smaller.
    """
    (claim,) = (claim for claim in claims().claim if claim.id == "A5")
    for check in claim.check:
        assert measured(check.id).detail["tolerance needed"] <= check.tolerance
