"""Adaptive momentum's mean field on the line: against the exact law on a Gaussian, and one batch of particles."""

from types import SimpleNamespace

import pytest

from ams.laws import meanfield
from ams.laws.gaussian import GaussianLaw
from ams.laws.meanfield import mean_field
from ams.laws.stationary import solved
from ams.samplers import adaptive, momentum_rule
from ams.targets import Gaussian

RULE = momentum_rule(adaptive(1e-9))


@pytest.mark.parametrize("u", [0.02, 0.1])
def test_a_gaussian_has_the_exact_fixed_point(u):
    exact = solved(GaussianLaw([0.25], 0.2), RULE, u / 4, 1 - 1e-9)
    fixed_point = mean_field(Gaussian([0.2], 0.25), RULE, u / 4, nodes=10)
    assert fixed_point.beta == pytest.approx(exact.beta, abs=1e-8)
    density = fixed_point.stationary.density
    variance = density.integral((density.nodes - 0.2) ** 2)
    assert variance == pytest.approx(exact.variance.item(), rel=1e-8)


def test_the_factor_is_the_rule_s_own():
    rule = momentum_rule(adaptive(1e-9), factor=lambda beta: 1.0)
    exact = solved(GaussianLaw([0.25]), rule, 0.01, 1 - 1e-9, factor=lambda beta: 1.0)
    fixed_point = mean_field(Gaussian([0.0], 0.25), rule, 0.01, nodes=10, factor=lambda beta: 1.0)
    assert fixed_point.beta == pytest.approx(exact.beta, abs=1e-8)


def test_a_search_that_does_not_converge_is_an_error(monkeypatch):
    lost = SimpleNamespace(converged=False, flag="lost")
    monkeypatch.setattr(meanfield, "root_scalar", lambda *_, **__: lost)
    with pytest.raises(ArithmeticError, match="no stationary momentum coefficient at step 0"):
        mean_field(Gaussian([0.0], 0.25), RULE, 0.02, nodes=3)
