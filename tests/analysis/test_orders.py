"""Orders of convergence: each claim's verdict, and the change that flips it."""

from collections.abc import Callable
from typing import Any

import pytest
from pytest import MonkeyPatch

from ams.metrics import half_line
from ams.samplers import adaptive, langevin, momentum_rule
from analysis.orders import checks, study
from tests.claims import expected, refuted, verdict_of
from verdicts.claims.schema import Verdict


@pytest.mark.parametrize("identifier", ["B6", "K5", "B5a"])
def test_claims_come_out_as_expected(identifier: str) -> None:
    assert verdict_of(identifier) is expected(identifier)


def test_orders_to_the_target_itself_break_b6(monkeypatch: MonkeyPatch) -> None:
    """Falsifier of B6: distances to pi, where the claim says that the limit is a power of it."""
    compute: Callable[..., study.Distances] = study.distances

    def to_target(*point: Any) -> study.Distances:
        w2 = compute(*point).target_w2
        return study.Distances(w2, w2, w2)

    monkeypatch.setattr(checks, "distances", to_target)
    assert refuted("B6", "constant_w2", "constant_kl", "adaptive_mixture")


def test_a_biased_langevin_breaks_b6(monkeypatch: MonkeyPatch, fresh_cells: None) -> None:
    """A drift too long by a hundredth: the distribution tends to another power of the target,
    and no order is left.
    """
    monkeypatch.setattr(study, "langevin", lambda: langevin(factor=1.01))
    for part in ("langevin_w2", "langevin_kl"):
        assert verdict_of("B6", only=part) is not Verdict.HOLDS


def test_another_factor_breaks_the_gaussian_parts_of_b6(monkeypatch: MonkeyPatch) -> None:
    """Half the momentum coefficient, and four times the variance, in the place of the fixed
    point's.
    """
    gaussian_law = checks.gaussian_law
    monkeypatch.setattr(
        checks, "gaussian_law", lambda u: gaussian_law(u)._replace(beta=gaussian_law(u).beta / 2)
    )
    for part in ("adaptive_gaussian", "coefficient"):
        assert verdict_of("B6", only=part) is not Verdict.HOLDS
    wider = lambda u: gaussian_law(u)._replace(variance=gaussian_law(u).variance * 4)  # noqa: E731
    monkeypatch.setattr(checks, "gaussian_law", wider)
    assert verdict_of("B6", only="adaptive_limit") is not Verdict.HOLDS


def test_one_draw_in_place_of_the_average_breaks_k5(
    monkeypatch: MonkeyPatch, fresh_cells: None
) -> None:
    """Falsifier of K5: Langevin's own noise in the place of the mean of two draws."""

    def one_draw(state: Any, score: Any, noise: Any, level: Any, algebra: Any) -> Any:
        after, info = langevin()(state, score, noise, level, algebra)
        return after._replace(z=state.z), info

    monkeypatch.setattr(study, "leimkuhler_matthews", one_draw)
    assert verdict_of("K5") is Verdict.REFUTED


def test_a_rule_without_its_factor_breaks_b5a(monkeypatch: MonkeyPatch, fresh_cells: None) -> None:
    """Falsifier of B5a: with the drift factor 1 in the place of (1 + beta)^2."""
    plain = lambda beta: 1.0  # noqa: E731
    rule, mean_field = momentum_rule(adaptive(1e-9), factor=plain), study.mean_field

    def untempered(target: Any, given: Any, size: float, nodes: int, resolution: float) -> Any:
        return mean_field(target, rule, size, nodes, plain, resolution)

    monkeypatch.setattr(study, "mean_field", untempered)
    assert refuted("B5a", "mass")


def test_no_order_becomes_an_interval() -> None:
    """Where nothing is asymptotic the interval spans the local orders: inconclusive, not an
    error.
    """
    steps = [2.0**-k for k in range(5)]
    order = checks.ordered((steps, [1.0, 0.9, 0.4, 0.39, 0.01]))
    assert order.interval[0] < 0.1 and order.interval[1] > 5.0


def test_the_target_has_the_mass_it_should() -> None:
    assert half_line(study.of_power(1.0)) == pytest.approx(0.30910005277926944, abs=1e-12)
