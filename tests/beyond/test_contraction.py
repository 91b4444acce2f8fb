"""Contraction: each claim's verdict, and the change that flips it."""

import math

import numpy as np
import pytest

from ams.enclosures import Undecided
from ams.laws.contraction import Chain
from ams.laws.symbolic import b, symbolic_step
from ams.samplers import constant, momentum, momentum_rule
from ams.samplers.rules import unit_factor
from analysis.momentum.closed_forms import contraction
from analysis.momentum.transition import exact_transition
from beyond.contraction import checks, enclosed, smooth
from beyond.contraction.settings import Settings
from tests.claims import claims, refuted, verdict_of


@pytest.mark.parametrize("claim", [claim.id for claim in claims().of_group("contraction")])
def test_claims_hold(claim):
    assert verdict_of(claim) == "holds"


def test_the_transition_is_that_of_the_step():
    for beta, u in ((0.0, 0.5), (0.4, 0.1), (0.9, 0.01)):
        assert np.abs(Chain(beta, u, 0.1, 1.0).transition(1.0) - exact_transition(u, beta)).max() < 1e-12


def test_the_region_ends_where_the_notebook_says():
    for beta in (0.1, 0.4, 0.9):
        edge = 2 * (1 - beta) / (1 + beta) ** 3
        assert Chain(beta, 0.999 * edge, 1e-9, 1.0).rate < 1 < Chain(beta, 1.001 * edge, 1e-9, 1.0).rate
        assert all(Chain(beta, 0.999 * edge, m, 1.0).rate < 1 for m in np.linspace(0.001, 1.0, 500))


def test_no_quadratic_form_is_made_up_where_none_shrinks():
    with pytest.raises(ValueError, match="no quadratic form"):
        _ = Chain(0.9, 0.1, 1e-4, 1.0).metric


def test_no_other_form_shrinks_faster():
    """Forms on a grid, at a chain whose disc does not touch the ellipse at a vertex."""
    chain = Chain(0.4, 0.5, 0.01, 1.0)
    ends = [chain.transition(curvature) for curvature in (0.01, 1.0)]
    best = math.inf
    for skew in np.linspace(-0.99, 0.99, 67):
        for size in np.geomspace(0.05, 20.0, 121):
            root = np.linalg.cholesky([[1.0, skew * size], [skew * size, size**2]]).T
            best = min(best, max(np.linalg.norm(root @ end @ np.linalg.inv(root), 2) for end in ends))
    assert chain.rate <= best <= chain.rate + 2e-3


def test_a_changed_step_breaks_h1(monkeypatch):
    whole = Chain.transition
    monkeypatch.setattr(Chain, "transition", lambda chain, curvature: whole(chain, 1.1 * curvature))
    assert verdict_of("H1") == "refuted"


def test_a_form_without_room_for_its_rounding_is_not_proved(monkeypatch):
    monkeypatch.setattr(Chain, "_form_rate", Chain.slack_rate)
    assert verdict_of("H1", "H1.inequality", Settings(points=1000)) == "refuted"
    monkeypatch.setattr(Chain, "metric", np.diag([1.0, -1.0]))
    with pytest.raises(Undecided, match="no positive quadratic form"):
        enclosed.violation(Chain(0.4, 0.1, 0.1, 1.0))


def test_a_gaussian_in_place_of_turning_hessians_breaks_h1a(monkeypatch):
    still = lambda chain, steps: np.broadcast_to(np.eye(2) * chain.largest, (steps, 2, 2))  # noqa: E731
    monkeypatch.setattr(Chain, "turning_hessians", still)
    assert verdict_of("H1a") == "refuted"


def test_hessians_within_the_region_leave_the_bounds(monkeypatch):
    monkeypatch.setattr(checks, "chains", lambda settings, inside: [Chain(0.4, 0.1, 0.1, 1.0)])
    with pytest.raises(ArithmeticError, match="eigenvalues reach"):
        checks.least_growth_outside(Settings())


def test_a_gaussian_rate_would_break_h1b(monkeypatch):
    monkeypatch.setattr(Chain, "rate", Chain.gaussian_rate)
    assert verdict_of("H1b") == "refuted"
    assert contraction(np.array([1.0, 100.0]) * 0.01, 0.67).max() < 99 / 101


def test_a_defect_a_hundredth_as_large_breaks_h3(monkeypatch):
    whole = Chain.distance_to_tempered
    monkeypatch.setattr(Chain, "distance_to_tempered", lambda chain, dimension: whole(chain, dimension) / 100)
    assert verdict_of("H3") == "refuted"


def test_a_forgotten_defect_breaks_h3a(monkeypatch):
    whole = Chain.distance_if_smooth
    monkeypatch.setattr(Chain, "distance_if_smooth", lambda chain, *given: whole(chain, *given) / 10)
    assert refuted("H3a", "gaussian", "mixture")
    monkeypatch.setattr(Chain, "distance_if_smooth", lambda chain, *_: chain.distance_to_tempered(1))
    assert refuted("H3a", "order")
    with pytest.raises(ValueError, match="no bound of order a"):
        whole(Chain(0.9, 0.1, 0.9, 1.0), 1, 0.0)


def test_another_drift_breaks_h3as_lines(monkeypatch):
    other = momentum(momentum_rule(constant(b), factor=unit_factor))
    monkeypatch.setattr(smooth, "symbolic_step", lambda step, state: symbolic_step(other, state))
    assert refuted("H3a", "lines")


def test_a_forgotten_factor_breaks_h4(monkeypatch):
    whole = Chain.error_constant.fget
    monkeypatch.setattr(Chain, "error_constant", property(lambda chain: whole(chain) * (1 - chain.beta)))
    assert verdict_of("H4") == "refuted"
