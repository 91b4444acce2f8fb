"""Momentum that does not cool: each claim's verdict, and the break that flips it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from ams.laws.gaussian import GaussianLaw
from ams.laws.stationary import frozen
from ams.samplers import (
    annealed_baoab,
    bao,
    exponential_euler,
    fixed,
    langevin,
    momentum_rule,
    obabo,
    one_step_per_level,
    sghmc,
)
from ams.schedules import geometric_sigmas, ve_levels
from ams.targets import GaussianMixture
from analysis.kinetic_langevin import baselines as entrants
from analysis.kinetic_langevin import drift_calibration as cooling
from analysis.kinetic_langevin import equivalent_forms as forms
from analysis.kinetic_langevin import family, rates
from analysis.kinetic_langevin import invariance_and_order as passage
from analysis.kinetic_langevin import nfe_comparison as contest
from analysis.kinetic_langevin import other_integrators as relatives
from analysis.kinetic_langevin import score_error_robustness as repairs
from analysis.kinetic_langevin.baselines import ENTRANTS, MEMORY
from tests.claims import claims, quick_settings, verdict_of
from verdicts.claims.schema import Verdict

CLAIMS = [identifier for identifier, claim in claims().items() if claim.group == "uncooled"]
SMALL = {"targets": 3, "budget": 226}


def forget() -> None:
    remembered = (contest.held_out, contest.evaluations, contest.reached, cooling.factors)
    cached = (forms.symbols, passage.covariance_after, *remembered)
    for each in cached:
        each.cache_clear()


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    """Nothing cached outlives a break."""
    forget()
    yield
    forget()


def small(**more: object) -> uncooled.Settings:
    return quick_settings("uncooled").model_copy(update={**SMALL, **more})


def refuted(identifier: str, *parts: str, settings: uncooled.Settings | None = None) -> None:
    for part in parts:
        assert verdict_of(identifier, only=f".{part}", settings=settings) is Verdict.REFUTED, part


@pytest.mark.parametrize("identifier", CLAIMS)
def test_claims_come_out_as_expected(identifier: str) -> None:
    settings = {"K8d": small(), "K9d": small(budget=80), "K9e": small(targets=24, budget=640)}.get(identifier)
    only = ".regret" if identifier == "K9d" else ""
    assert verdict_of(identifier, only, settings) is claims()[identifier].expected


def test_the_tapered_pace_arrives() -> None:
    """The other part of K9d, which needs the whole budget."""
    assert verdict_of("K9d", ".arrives", small(budget=640)) is Verdict.HOLDS


def test_another_order_breaks_k1(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kick, drift, refresh: the same flows, a whole drift before the refresh."""
    monkeypatch.setattr(forms, "baoab", bao)
    refuted("K1", "identity", "rounding", "transition", "marginal", "midkick")
    monkeypatch.setattr(forms, "baoab", obabo)
    refuted("K1", "law")


def test_another_order_breaks_k2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "baoab", bao)
    refuted("K2", "critical", "attained", "bound", "law")


def test_a_better_rate_than_the_bound_breaks_k2(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were the bound 1 % slower, the search would beat it; and the gain would not be the root."""
    true = rates.best_rate
    monkeypatch.setattr(rates, "best_rate", lambda k: 1.0 - 0.99 * (1.0 - true(k)))
    refuted("K2", "searched", "gain")


def test_a_dropped_factor_breaks_k2a(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stationary law of the drift factor 1 instead of (1 + b)^2."""
    monkeypatch.setattr(rates, "frozen", lambda law, u, b: frozen(law, u, b, lambda beta: 1.0))
    refuted("K2a", "released", "printed")


def test_exchanged_methods_break_k3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relatives, "bao", sghmc)
    refuted("K3", "variance", "law", "cools")
    forms.symbols.cache_clear()
    monkeypatch.setattr(relatives, "exponential_euler", obabo)
    monkeypatch.setattr(relatives, "obabo", exponential_euler)
    refuted("K3", "exponential", "obabo")


def test_another_order_breaks_k4(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relatives, "baoab", obabo)
    refuted("K4", "move", "curvature")


def test_a_doubled_drift_and_old_noise_break_k6(monkeypatch: pytest.MonkeyPatch) -> None:
    true, langevin = cooling.factored, cooling.langevin
    monkeypatch.setattr(cooling, "factored", lambda drift, noise: true(2 * drift, noise))
    monkeypatch.setattr(cooling, "langevin", lambda: langevin(factor=1.0 + 1e-6))
    refuted("K6", "lag", "factor", "exact", "law")
    kernel = cooling.corrected
    monkeypatch.setattr(cooling, "corrected", lambda u, c: lambda level: kernel(u, c)(level._replace(next=None)))
    refuted("K6", "consistent annealed sampling")


@pytest.mark.parametrize(("constant", "part"), [(4.0, "few"), (1.0, "many")])
def test_a_constant_factor_breaks_k6a(monkeypatch: pytest.MonkeyPatch, constant: float, part: str) -> None:
    monkeypatch.setattr(cooling, "momentum_rule", lambda damping: momentum_rule(damping, factor=lambda b: constant))
    refuted("K6a", part)


def test_a_velocity_that_is_not_rescaled_breaks_k7(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kick as one would write it first: p ~ N(0, 1) to begin with, and no change of its variance with u."""

    def kicked(state, s, noise, level, chosen, algebra):
        half, before = (algebra.sqrt(u / 2) * level.sigma for u in (chosen.u, chosen.u_before))
        if state.p is None:
            return algebra.combine((1.0, noise(state.x)), (half, s))
        return algebra.combine((1.0, state.p), (half + before, s))

    monkeypatch.setattr(importlib.import_module("ams.samplers.annealed_baoab"), "_kicked", kicked)
    refuted("K7", "invariant", "start", "point")


def test_other_orders_break_k7a(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passage, "isothermal", lambda kept, extrapolate=True: isothermal(kept, None, not extrapolate))
    monkeypatch.setattr(passage, "paced", lambda pacing: annealed_baoab(fixed(0.5)))
    refuted("K7a", "order", "memory", "plain", "tapered")


def replace_entrant(monkeypatch: pytest.MonkeyPatch, name: str, by: str) -> None:
    monkeypatch.setitem(ENTRANTS, name, entrants.ENTRANTS[by])


def test_a_slower_entrant_breaks_k8(monkeypatch: pytest.MonkeyPatch) -> None:
    replace_entrant(monkeypatch, "annealed BAOAB, e = 0", "ancestral")
    refuted("K8", "sde", "edm", "ancestral", "heun", settings=small())


def test_a_slower_solver_breaks_k8a(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were the deterministic multistep solver no better than Heun's method, K8a would hold."""
    replace_entrant(monkeypatch, "DPM-Solver++", "Heun ODE")
    assert verdict_of("K8a", settings=small()) is Verdict.HOLDS


def test_memory_that_speeds_up_breaks_k8b(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("annealed BAOAB, e = 1/2", MEMORY):
        replace_entrant(monkeypatch, name, "DPM-Solver++")
    true = contest.kept_throughout
    monkeypatch.setattr(contest, "kept_throughout", lambda kept: true(0.9 - kept))
    refuted("K8b", "half", "tapered", "best", settings=small())


def test_an_informed_rule_breaks_k8c(monkeypatch: pytest.MonkeyPatch) -> None:
    replace_entrant(monkeypatch, "annealed BAOAB, e adaptive", "DPM-Solver++")
    refuted("K8c", "exact", settings=small())
    forget()
    replace_entrant(monkeypatch, "annealed BAOAB, e adaptive", MEMORY)
    refuted("K8c", "start", settings=small())


def test_any_sampler_that_arrives_breaks_k8d(monkeypatch: pytest.MonkeyPatch) -> None:
    replace_entrant(monkeypatch, "adaptive momentum", "DPM-Solver++")
    refuted("K8d", "stationed", settings=small())


def test_a_bath_without_memory_breaks_k9(monkeypatch: pytest.MonkeyPatch) -> None:
    replace_entrant(monkeypatch, "ancestral", MEMORY)
    refuted("K9", "published", settings=small())
    replace_entrant(monkeypatch, MEMORY, "annealed BAOAB, tapered, e = 0")
    forget()
    refuted("K9", "start", "steady", settings=small())


def test_a_bath_without_memory_breaks_k9e(monkeypatch: pytest.MonkeyPatch) -> None:
    replace_entrant(monkeypatch, MEMORY, "annealed BAOAB, tapered, e = 0")
    refuted("K9e", "high", "shift", settings=small(targets=8))


def test_lasting_stirring_breaks_k9a(monkeypatch: pytest.MonkeyPatch) -> None:
    replace_entrant(monkeypatch, "annealed BAOAB, e = 0", "annealed BAOAB, u = 1.9")
    refuted("K9a", "share", settings=small())
    monkeypatch.setattr(repairs, "baoab", bao)
    refuted("K9a", "bound")


def test_a_sampler_that_does_not_stir_breaks_k9b(monkeypatch: pytest.MonkeyPatch) -> None:
    TAPERED = ENTRANTS[MEMORY]
    replace_entrant(monkeypatch, MEMORY, "DPM-Solver++")
    monkeypatch.setitem(ENTRANTS, "DPM-Solver++", TAPERED)
    refuted("K9b", "steady", "ode")


def test_right_weights_break_k9c(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repairs, "GaussianMixture", lambda w, m, v: GaussianMixture([0.3, 0.7], m, v))
    refuted("K9c", "tapered", "stirred")


def test_a_slower_taper_breaks_k9d(monkeypatch: pytest.MonkeyPatch) -> None:
    replace_entrant(monkeypatch, MEMORY, "ancestral")
    refuted("K9d", "regret", "arrives", settings=small(budget=80))


def test_a_family_is_as_many_laws() -> None:
    """Joined, each target has the law that it has alone; its damage is its own."""
    settings = small()
    field = family.arena(settings, family.Kind.SHIFT, seed=7)
    levels = ve_levels(geometric_sigmas(field.first, field.last, 15))
    together = field.family.divergence(one_step_per_level(annealed_baoab(), levels), field.first, field.last)
    for number in range(settings.targets):
        part = slice(number * settings.directions, (number + 1) * settings.directions)
        law = GaussianLaw(field.family.variance[part], field.family.mean[part])
        damage = field.family.damage
        alone = family.Family(
            [law], damage._replace(**{k: getattr(damage, k)[part] for k in ("gain", "shift", "turn")})
        )
        found = alone.divergence(one_step_per_level(annealed_baoab(), levels), field.first, field.last)
        torch.testing.assert_close(found, together[number : number + 1], rtol=1e-10, atol=0.0)


@pytest.mark.parametrize(("kind", "hit"), [("high", (True, False)), ("shift", (True, False)), ("low", (False, True))])
def test_damage_is_on_its_side_of_the_turn(kind: str, hit: tuple[bool, bool]) -> None:
    settings = small()
    damaged = family.arena(settings, family.Kind(kind), seed=7).family
    right = family.arena(settings, family.Kind.EXACT, seed=7).family
    x = right.start(0.3, 2.0).x
    for sigma, expected in zip((60.0, 1e-3), hit, strict=True):
        level = ve_levels([sigma])[0]
        assert (not torch.equal(damaged.score(x, level), right.score(x, level))) is expected


def test_evaluations_are_interpolated_on_logarithms() -> None:
    grid = np.log([10.0, 20.0, 40.0])
    assert entrants._crossing(grid, np.log([1.0, 0.01, 0.001]), np.log(0.1)) == pytest.approx(200**0.5)
    assert entrants._crossing(grid, np.log([0.5, 0.01, 0.001]), np.log(0.6)) == pytest.approx(10.0)
    assert entrants._crossing(grid, np.array([np.inf, -9.0, -9.0]), -8.0) == pytest.approx(20.0)
    assert entrants._crossing(grid, np.zeros(3), -1.0) == np.inf
    assert entrants.budgets(80) == [10, 14, 20, 28, 40, 57, 80]


def test_a_run_that_diverges_needs_more_than_any_budget() -> None:
    field = family.arena(small(), family.Kind.EXACT, seed=7)
    wild = entrants.stationed(langevin(factor=1e9))
    assert (entrants.divergences(wild, field, 57) == np.inf).all()
    assert (entrants.needed(lambda budget: entrants.divergences(wild, field, budget), 1e-4, 57) == np.inf).all()


def test_tables_say_who_arrives() -> None:
    settings = small(targets=2, budget=40, compared=("exact",), paces=((4.0, 1.8),))
    evaluations, paces = uncooled.tables(settings)
    rows = dict(evaluations.rows)
    assert rows["annealed BAOAB, e = 0"] == pytest.approx(23, abs=2)
    assert rows["ancestral"] == "2 of 2 never"
    assert [row[:3] for row in paces.rows] == [(4.0, 1.8, 0.8), (4.0, 1.8, 0.0)]
    assert len(uncooled.tables(settings.model_copy(update={"paces": ()}))) == 1


def test_figures_are_written(tmp_path) -> None:
    drawn = uncooled.figures(small(budget=57, cooled=(50, 75), orders=(28, 40, 57, 80)), tmp_path)
    assert [figure.file.name for figure in drawn] == [
        "rates.svg",
        "factors.svg",
        "orders.svg",
        "contest.svg",
        "memory.svg",
    ]
    assert all(figure.file.stat().st_size > 10_000 for figure in drawn)
