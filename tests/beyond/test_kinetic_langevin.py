"""Kinetic Langevin: each claim's verdict, the change that flips it, and the methods that they rest on."""

from importlib import import_module
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from pytest import MonkeyPatch

from ams.laws.stationary import frozen
from ams.samplers import (
    annealed_baoab,
    critically_damped,
    exponential_multistep,
    langevin,
    one_step_per_level,
    presets,
)
from ams.samplers.presets import SigmaRange, steps_per_level
from ams.schedules import geometric_sigmas, ve_levels
from ams.targets import GaussianMixture
from beyond.kinetic_langevin import (
    augmented_diffusion,
    drift_calibration,
    family,
    invariance_and_order,
    nfe_comparison,
    one_level,
    rates,
    samplers,
    score_error_robustness,
)
from beyond.kinetic_langevin.family import Family, Kind, ScoreError
from beyond.kinetic_langevin.samplers import (
    BEST_WITHOUT,
    CRITICAL,
    CURVATURE,
    DECAYING,
    DECAYING_HALF,
    MEMORYLESS,
    MOMENTUM,
    RESTART,
    SAME_WITHOUT,
)
from beyond.kinetic_langevin.settings import Settings
from tests.claims import claims, expected, quick_settings, refuted, verdict_of
from verdicts.claims.schema import Verdict

CLAIMS = [claim.id for claim in claims().of_group("kinetic_langevin")]


def small(**more: object) -> Settings:
    settings: Settings = quick_settings("kinetic_langevin").model_copy(update={"targets": 8, "budget": 226, **more})
    return settings


SMALL = small()


@pytest.fixture(autouse=True)
def few_samplers(monkeypatch: MonkeyPatch) -> None:
    """Compare the samplers that are best or nearly so on some kind, and tune two: a run has them all."""
    few = (CRITICAL, MOMENTUM, BEST_WITHOUT, "DEIS-4", "EDM stochastic", RESTART, MEMORYLESS)
    monkeypatch.setattr(score_error_robustness, "COMPARED", few)
    monkeypatch.setattr(samplers, "TUNINGS", {name: samplers.TUNINGS[name] for name in (MOMENTUM, BEST_WITHOUT)})
    monkeypatch.setattr(nfe_comparison, "ITERATIONS", 20)
    monkeypatch.setattr(nfe_comparison, "WITHOUT", [(0.0, 0.0), (0.05, 0.0)])
    monkeypatch.setattr(nfe_comparison, "WITH", [(0.02, 0.25), (0.02, 0.5)])
    monkeypatch.setattr(nfe_comparison, "ON_THE_MIXTURE", (CRITICAL, DECAYING, "DEIS-4", MEMORYLESS))
    monkeypatch.setattr(invariance_and_order, "CONFORMING", ("DEIS-2", "CLD, exponential", "CLD, splitting", CRITICAL))


@pytest.mark.parametrize("identifier", CLAIMS)
def test_claims_come_out_as_expected(identifier: str) -> None:
    larger = {name: small(targets=24) for name in ("K8c", "K9", "K9b", "K9d", "K9e")}
    larger |= {"K12": small(targets=48), "K11": small(mixture_batch=1000)}
    larger |= {"K8g": small(targets=12), "K9g": small(budget=640)}
    part = "K9d.regret" if identifier == "K9d" else ""  # at these sizes its other parts are not decided
    assert verdict_of(identifier, part, larger.get(identifier, SMALL)) is expected(identifier)


@pytest.mark.parametrize(
    ("claim", "parts", "others"),
    [
        # kick, drift, refresh are BAOAB's flows, a whole drift before the refresh
        ("K1", "identity rounding transition marginal midkick", {"BAOAB": "kick, drift, refresh"}),
        ("K1", "law", {"BAOAB": "OBABO"}),
        ("K2", "critical attained bound law", {"BAOAB": "kick, drift, refresh"}),
        ("K3", "variance law cools", {"kick, drift, refresh": "SGHMC"}),
        ("K3", "exponential obabo", {"exponential Euler": "OBABO", "OBABO": "exponential Euler"}),
        ("K4", "move curvature", {"BAOAB": "OBABO"}),
    ],
)
def test_another_method_is_seen(monkeypatch, fresh_cells: None, claim: str, parts: str, others: dict[str, str]) -> None:
    """Falsifier of K1 to K4: another kinetic method in the place of one."""
    for name, step in {name: one_level.METHODS[other] for name, other in others.items()}.items():
        monkeypatch.setitem(one_level.METHODS, name, step)
    assert refuted(claim, *parts.split())


def test_a_dropped_factor_breaks_k2a(monkeypatch: MonkeyPatch) -> None:
    """Falsifier of K2a: the stationary distribution of the drift factor 1 instead of (1 + beta)^2."""
    monkeypatch.setattr(rates, "frozen", lambda law, u, b: frozen(law, u, b, lambda beta: 1.0))
    assert refuted("K2a", "released", "printed")


def test_a_doubled_drift_and_old_noise_break_k6(monkeypatch: MonkeyPatch) -> None:
    factored, corrected = drift_calibration.factored, drift_calibration.corrected
    monkeypatch.setattr(drift_calibration, "factored", lambda drift, noise: factored(2 * drift, noise))
    monkeypatch.setattr(drift_calibration, "langevin", lambda: langevin(factor=1.0 + 1e-6))
    assert refuted("K6", "lag", "factor", "exact", "law")
    old = lambda level, step, drift: corrected(level._replace(next=None), step, drift)  # noqa: E731
    monkeypatch.setattr(drift_calibration, "corrected", old)
    assert refuted("K6", "consistent")


@pytest.mark.parametrize(("constant", "part"), [(4.0, "few"), (1.0, "many")])
def test_a_constant_factor_breaks_k6a(monkeypatch: MonkeyPatch, constant: float, part: str) -> None:
    factors = drift_calibration.drift_factors
    monkeypatch.setattr(drift_calibration, "drift_factors", lambda nfe: factors(nfe)._replace(authors=constant))
    assert refuted("K6a", part)


def test_a_velocity_that_is_not_rescaled_breaks_k7(monkeypatch: MonkeyPatch) -> None:
    """Falsifier of K7: the kick as one would write it first, p ~ N(0, 1) at the start and its variance free of u."""

    def kicked(state: Any, s: Any, noise: Any, level: Any, coefficients: Any, algebra: Any) -> Any:
        half, before = (algebra.sqrt(u / 2) * level.sigma for u in (coefficients.u, coefficients.u_before))
        if state.p is None:
            return algebra.combine((1.0, noise(state.x)), (half, s))
        return algebra.combine((1.0, state.p), (half + before, s))

    monkeypatch.setattr(import_module("ams.samplers.annealed_baoab"), "_kicked", kicked)
    assert refuted("K7", "invariant", "start", "point")


def test_other_orders_break_k7a(monkeypatch: MonkeyPatch) -> None:
    """Falsifier of K7a: errors of the extrapolated and of the plain variant, exchanged."""
    divergence, plain = invariance_and_order.gaussian_divergence, "e = 1/2, not extrapolated"
    exchanged = {"e = 0": plain, "e = 1/2": plain, plain: "e = 1/2", "tapered": "e = 1/2"}
    monkeypatch.setattr(invariance_and_order, "gaussian_divergence", lambda name, n: divergence(exchanged[name], n))
    assert refuted("K7a", "order", "memory", "plain", "tapered")


def swapped(monkeypatch: MonkeyPatch, others: dict[str, str], cell: str = "evaluations") -> None:
    """Put the evaluations (or `divergences`) of other samplers in the place of these samplers' own."""
    compute = getattr(samplers, cell)
    monkeypatch.setattr(samplers, cell, lambda name, *arguments: compute(others.get(name, name), *arguments))


@pytest.mark.parametrize(
    ("claim", "parts", "others", "targets"),
    [
        ("K8", "sde edm ancestral heun", {DECAYING: "ancestral"}, 8),
        ("K8b", "half tapered best", {DECAYING_HALF: "DPM-Solver++", MOMENTUM: "DPM-Solver++"}, 8),
        ("K8c", "exact", {CURVATURE: "DPM-Solver++"}, 8),
        ("K8c", "start", {CURVATURE: MOMENTUM}, 8),
        ("K8d", "stationed", {"adaptive momentum": "DPM-Solver++"}, 8),
        ("K8e", "coarse fine", {"DEIS-4": "SA-Solver, tau 1", "SA-Solver, tau 1": "DEIS-4"}, 12),
        ("K8g", "exact", {SAME_WITHOUT: "ancestral"}, 12),
        ("K8g", "start", {MOMENTUM: RESTART}, 12),
        ("K9", "published start steady", {"ancestral": MOMENTUM, MOMENTUM: SAME_WITHOUT, CRITICAL: MEMORYLESS}, 8),
        ("K9d", "regret others arrives", {CRITICAL: "ancestral"}, 8),
        ("K9e", "high shift", {CRITICAL: BEST_WITHOUT}, 8),
    ],
)
def test_an_exchange_of_samplers_is_seen(monkeypatch, claim: str, parts: str, others: dict, targets: int) -> None:
    """Falsifier of K8 and K9, their parts b to e and K8g: other samplers' evaluations in the place of some."""
    swapped(monkeypatch, others)
    assert refuted(claim, *parts.split(), settings=small(targets=targets, budget=80 if claim == "K9d" else 226))


@pytest.mark.parametrize(
    ("claim", "others"),
    [
        # multistep methods that are no better than Heun's; no restarts, which need fewest from a bad start
        ("K8a", dict.fromkeys(("DPM-Solver++", "UniPC-3", "DEIS-3", "ER-SDE-Solver-3"), "Heun ODE")),
        ("K9f", {RESTART: "UniPC-3"}),
    ],
)
def test_an_exchange_of_samplers_upholds_what_is_refuted(monkeypatch, claim: str, others: dict[str, str]) -> None:
    """Falsifier of the refutations K8a and K9f."""
    swapped(monkeypatch, others)
    assert verdict_of(claim, settings=SMALL) is Verdict.HOLDS


def test_other_pairs_break_k8f(monkeypatch: MonkeyPatch) -> None:
    monkeypatch.setattr(nfe_comparison, "WITHOUT", [(1.0, 0.0)])
    assert refuted("K8f", "joint", settings=SMALL)


def test_exchanged_samplers_break_k11(monkeypatch: MonkeyPatch) -> None:
    others = {DECAYING: MEMORYLESS, CRITICAL: MEMORYLESS, "DEIS-4": "Euler ODE"}
    run = nfe_comparison.line_run
    monkeypatch.setattr(nfe_comparison, "line_run", lambda name, *arguments: run(others.get(name, name), *arguments))
    assert refuted("K11", "few", "held", "many", settings=small(mixture_batch=1000))


def test_time_that_momentum_does_not_add_breaks_k12(monkeypatch: MonkeyPatch) -> None:
    monkeypatch.setattr(score_error_robustness, "relaxation", lambda parameters: parameters.u)
    monkeypatch.setattr(score_error_robustness, "REVERSE", {"": exponential_multistep.noisy(10.0)})
    assert refuted("K12", "tapered", "corrector", "sde", settings=SMALL)


@pytest.mark.parametrize("retention", [exponential_multistep.noisy(0.7), exponential_multistep.ER_SDE])
def test_langevin_time_is_that_of_the_noise(retention: exponential_multistep.Retention) -> None:
    """In small steps a reverse SDE adds the noise of Langevin's steps `u = a / sigma^2`, `sqrt(2 a) z`."""
    sigmas = SigmaRange(3.0, 0.1)
    method = exponential_multistep.Method(1, retention=retention, noise=True)
    pairs = pairwise(geometric_sigmas(*sigmas, 4001).tolist())
    retained = ((v, after, exponential_multistep.weights(method, (v,), v, after)[0]) for v, after in pairs)
    added = sum((after**2 - (v * kept) ** 2) / (2 * after**2) for v, after, kept in retained)
    assert score_error_robustness.time_of_reverse_sde(retention, sigmas) == pytest.approx(added, rel=3e-3)


def test_another_rate_of_rotation_breaks_k13(monkeypatch: MonkeyPatch) -> None:
    """Falsifier of K13: twice the noise and the rate; a step that keeps p; a solver in the place of the integrators."""
    noise_and_rate = augmented_diffusion.noise_and_rate

    def doubled(*arguments: Any) -> Any:
        sigma, rate = noise_and_rate(*arguments)
        return 2 * sigma, 2 * rate

    def lasting(state: Any, *others: Any) -> Any:
        after, info = critically_damped.cld_exponential(state, *others)
        return after if state.p is None else after._replace(p=state.p), info

    monkeypatch.setattr(augmented_diffusion, "noise_and_rate", doubled)
    assert refuted("K13", "estimate", "rotation", "reverse")
    monkeypatch.setitem(augmented_diffusion.STEPS, "CLD, exponential", lasting)
    assert refuted("K13", "point")
    swapped(monkeypatch, {"CLD, exponential": "UniPC-3"})
    assert refuted("K13", "exact", settings=SMALL)
    swapped(monkeypatch, {"CLD, exponential": RESTART})
    assert refuted("K13", "start", settings=SMALL)


def test_a_step_of_lower_order_breaks_k14(monkeypatch: MonkeyPatch, fresh_cells: None) -> None:
    """Falsifier of K14: CLD's exponential integrator without what it knows of the last denoised point."""

    def forgetful(state: Any, *others: Any) -> Any:
        after, info = critically_damped.cld_exponential(state, *others)
        return after._replace(d=None), info

    monkeypatch.setattr(presets, "cld_exponential", forgetful)
    monkeypatch.setattr(invariance_and_order, "CONFORMING", samplers.CLD)
    assert refuted("K14", "refuted", "order", "cld")


@pytest.mark.parametrize(
    ("sampler", "chosen", "part"), [(BEST_WITHOUT, {"u": 1.0}, "inside"), (MOMENTUM, {"rate": 16.0}, "tapered")]
)
def test_a_setting_on_an_edge_breaks_k9g(
    monkeypatch: MonkeyPatch, sampler: str, chosen: dict[str, float], part: str
) -> None:
    tuning = samplers.TUNINGS[sampler]
    monkeypatch.setattr(samplers, "TUNINGS", {sampler: tuning._replace(chosen=tuning.chosen | chosen)})
    assert refuted("K9g", part, settings=SMALL)


def test_other_damping_breaks_k10(monkeypatch: MonkeyPatch, fresh_cells: None) -> None:
    monkeypatch.setattr(rates, "critically_damped", lambda kappa: 0.5)
    plain = rates.corrector
    monkeypatch.setattr(rates, "corrector", lambda sigma, variance, e: plain(sigma, variance, e or 0.2))
    monkeypatch.setattr(rates, "rate_without_momentum", lambda condition: (condition - 2) / (condition + 2))
    assert refuted("K10", "damped", "memoryless", "mean", "limit", settings=small(spectra=3))


def test_lasting_refreshment_breaks_k9a(monkeypatch: MonkeyPatch) -> None:
    swapped(monkeypatch, {DECAYING: BEST_WITHOUT})
    assert refuted("K9a", "share", settings=SMALL)
    monkeypatch.setattr(score_error_robustness, "derivation", lambda name: one_level.derivation("SGHMC"))
    assert refuted("K9a", "bound")


def test_a_sampler_without_refreshment_breaks_k9b(monkeypatch: MonkeyPatch) -> None:
    swapped(monkeypatch, {MOMENTUM: "DPM-Solver++", "DPM-Solver++": MOMENTUM}, "divergences")
    assert refuted("K9b", "steady", "ode")


def test_right_weights_break_k9c(monkeypatch: MonkeyPatch) -> None:
    right = lambda weights, means, variance: GaussianMixture([0.3, 0.7], means, variance)  # noqa: E731
    monkeypatch.setattr(score_error_robustness, "GaussianMixture", right)
    assert refuted("K9c", "tapered", "stirred")


def test_targets_and_the_choice_of_the_best_are_drawn_together(monkeypatch: MonkeyPatch) -> None:
    """Two samplers that are best on every second target: neither needs more than the better one of a resample."""
    monkeypatch.setattr(score_error_robustness, "COMPARED", ("one", "other"))
    counts = {"one": np.array([10.0, 40.0] * 8), "other": np.array([40.0, 10.0] * 8)}
    monkeypatch.setattr(score_error_robustness, "evaluations", lambda settings, kind, name: counts[name])
    excess = score_error_robustness.largest_excess
    found = score_error_robustness.over_targets(small(targets=16), lambda means: np.exp(excess(means, "one")))
    assert found.value == pytest.approx(1.0) and found.interval[0] >= 1.0 and 2.0 < found.interval[1] < 4.0


def test_a_family_is_as_many_laws() -> None:
    """Joined, each target has the distribution that it has alone; its score error is its own."""
    problem = nfe_comparison.third(SMALL, Kind.SHIFT)._replace(seed=7)
    targets, d = family.family(problem), family.DIRECTIONS
    program = one_step_per_level(annealed_baoab(), ve_levels(geometric_sigmas(*problem.sigmas, 15)))
    together = targets.divergence(program, problem.sigmas)
    assert targets.error is not None and targets.error.shift is not None
    for number in range(problem.targets):
        part = slice(number * d, (number + 1) * d)
        error = ScoreError(targets.error.turn[part], shift=targets.error.shift[part])
        alone = Family(targets.variance[None, part], targets.mean[None, part], error)
        assert alone.divergence(program, problem.sigmas) == pytest.approx(together[number], rel=1e-10)


@pytest.mark.parametrize(
    ("kind", "hit"), [(Kind.HIGH, (True, False)), (Kind.SHIFT, (True, False)), (Kind.LOW, (False, True))]
)
def test_score_errors_are_on_their_side_of_the_turn(kind: Kind, hit: tuple[bool, bool]) -> None:
    wrong, right = (family.family(nfe_comparison.third(SMALL, each)) for each in (kind, Kind.EXACT))
    x = right.start(0.3, 2.0).x
    for sigma, differs in zip((60.0, 1e-3), hit, strict=True):
        level = ve_levels([sigma])[0]
        assert (not torch.equal(wrong.score(x, level), right.score(x, level))) is differs


def test_evaluations_are_interpolated_on_logarithms() -> None:
    curves = np.array([[1.0, 0.5, np.inf, 1.0], [0.01, 0.01, 1e-4, 1.0], [1e-3, 1e-3, 1e-4, 1.0]])
    wanted = samplers.nfe_of_targets(1e-3 * curves, 1e-4)
    assert wanted == pytest.approx([35**0.5, 5 * 1.4 ** (np.log(5) / np.log(50)), 7.0, np.inf])
    assert samplers.nfe_of_targets(np.full((3, 1), 1e-4), 1e-4) == pytest.approx([5.0])
    assert samplers.budgets(80) == [5, 7, 10, 14, 20, 28, 40, 57, 80]


def test_a_run_that_diverges_needs_more_than_any_budget() -> None:
    problem = nfe_comparison.third(SMALL, Kind.EXACT)
    wild = steps_per_level(lambda h, a: langevin(factor=1e9))
    errors = samplers.errors_at_budgets(wild, problem, 57, 1e-6, fewest=10)
    assert errors.shape == (8, problem.targets) and (errors[-1] == np.inf).all()
    assert (samplers.nfe_of_targets(errors, 1e-4) == np.inf).all()


def test_a_curve_ends_where_more_evaluations_change_nothing() -> None:
    """A run without noise from a bad start keeps its error."""
    errors = samplers.curve("DPM-Solver++", nfe_comparison.third(SMALL, Kind.START), 640)
    assert len(errors) < 10 and errors[-1] == pytest.approx(errors[-3], rel=1e-3)
    assert len(samplers.curve("annealed Langevin", nfe_comparison.third(SMALL, Kind.EXACT), 80)) == 9
