"""Kinetic Langevin: each claim's verdict, the change that flips it, and the methods that they
rest on.
"""

from importlib import import_module
from typing import Any

import numpy as np
import pytest
from pytest import MonkeyPatch

from ams.samplers import annealed_baoab, langevin, one_step_per_level
from ams.samplers.presets import levels, step_per_level
from beyond.kinetic_langevin import drift_calibration, nfe_comparison, one_level, rates
from beyond.kinetic_langevin.nfe_comparison import SIGMAS, Family, family
from beyond.kinetic_langevin.settings import Settings
from tests.claims import claims, expected, quick_settings, refuted, verdict_of

CLAIMS = [claim.id for claim in claims().of_group("kinetic_langevin")]


def small(**more: object) -> Settings:
    settings: Settings = quick_settings("kinetic_langevin").model_copy(
        update={"targets": 8, **more}
    )
    return settings


SMALL = small()


@pytest.mark.parametrize("identifier", CLAIMS)
def test_claims_come_out_as_expected(identifier: str) -> None:
    assert verdict_of(identifier, settings=SMALL) is expected(identifier)


@pytest.mark.parametrize(
    ("claim", "parts", "others"),
    [
        # kick, drift, refresh are BAOAB's flows, a whole drift before the refresh
        ("K1", "identity rounding transition marginal midkick", {"BAOAB": "kick, drift, refresh"}),
        ("K1", "law", {"BAOAB": "OBABO"}),
        ("K2", "critical attained bound law", {"BAOAB": "kick, drift, refresh"}),
        ("K3", "variance law cools", {"kick, drift, refresh": "SGHMC"}),
        ("K3", "exponential obabo", {"exponential Euler": "OBABO", "OBABO": "exponential Euler"}),
    ],
)
def test_another_method_is_seen(
    monkeypatch, fresh_cells: None, claim: str, parts: str, others: dict[str, str]
) -> None:
    """Falsifier of K1 to K3: another kinetic method in the place of one."""
    for name, step in {name: one_level.METHODS[other] for name, other in others.items()}.items():
        monkeypatch.setitem(one_level.METHODS, name, step)
    assert refuted(claim, *parts.split())


def test_a_doubled_drift_and_old_noise_break_k6(monkeypatch: MonkeyPatch) -> None:
    factored, corrected = drift_calibration.factored, drift_calibration.corrected
    monkeypatch.setattr(
        drift_calibration, "factored", lambda drift, noise: factored(2 * drift, noise)
    )
    monkeypatch.setattr(drift_calibration, "langevin", lambda: langevin(factor=1.0 + 1e-6))
    assert refuted("K6", "lag", "factor", "exact", "law")
    old = lambda level, step, drift: corrected(level._replace(next=None), step, drift)  # noqa: E731
    monkeypatch.setattr(drift_calibration, "corrected", old)
    assert refuted("K6", "consistent")


def test_a_velocity_that_is_not_rescaled_breaks_k7(monkeypatch: MonkeyPatch) -> None:
    """Falsifier of K7: the kick as one would write it first, p ~ N(0, 1) at the start and its
    variance free of u.
    """

    def kicked(state: Any, s: Any, noise: Any, level: Any, coefficients: Any, algebra: Any) -> Any:
        half, before = (
            algebra.sqrt(u / 2) * level.sigma for u in (coefficients.u, coefficients.u_before)
        )
        if state.p is None:
            return algebra.combine((1.0, noise(state.x)), (half, s))
        return algebra.combine((1.0, state.p), (half + before, s))

    monkeypatch.setattr(import_module("ams.samplers.annealed_baoab"), "_kicked", kicked)
    assert refuted("K7", "invariant", "start", "point")


@pytest.mark.parametrize(
    ("parts", "other"),
    [("sde edm ancestral heun", "ancestral"), ("multistep", "DPM-Solver++")],
    ids=["worse", "better"],
)
def test_an_exchange_of_samplers_is_seen(monkeypatch: MonkeyPatch, parts: str, other: str) -> None:
    """Falsifier of K8: another sampler's errors in the place of annealed BAOAB's, and of
    DPM-Solver++'s.
    """
    curve, taken = nfe_comparison.curve, {"annealed BAOAB, e = 0": other}
    if other == "DPM-Solver++":
        taken = {other: "ancestral"}
    monkeypatch.setattr(
        nfe_comparison, "curve", lambda name, *sizes: curve(taken.get(name, name), *sizes)
    )
    assert refuted("K8", *parts.split(), settings=SMALL)


def test_other_damping_breaks_k10(monkeypatch: MonkeyPatch, fresh_cells: None) -> None:
    monkeypatch.setattr(rates, "critically_damped", lambda kappa: 0.5)
    plain = rates.corrector
    monkeypatch.setattr(
        rates, "corrector", lambda sigma, variance, e: plain(sigma, variance, e or 0.2)
    )
    monkeypatch.setattr(
        rates, "rate_without_momentum", lambda condition: (condition - 2) / (condition + 2)
    )
    assert refuted("K10", "damped", "memoryless", "mean", "limit", settings=small(spectra=3))


def test_a_family_is_as_many_laws() -> None:
    """Joined, each target has the distribution that it has alone."""
    targets, d = family(8, seed=7), nfe_comparison.DIRECTIONS
    program = one_step_per_level(annealed_baoab(), levels(SIGMAS, 15, 0.0))
    together = targets.divergence(program)
    for number in range(8):
        part = slice(number * d, (number + 1) * d)
        alone = Family(targets.variance[None, part], targets.mean[None, part])
        assert alone.divergence(program) == pytest.approx(together[number], rel=1e-10)


def test_evaluations_are_interpolated_on_logarithms() -> None:
    curves = np.array([[1.0, 0.5, np.inf, 1.0], [0.01, 0.01, 1e-4, 1.0], [1e-3, 1e-3, 1e-4, 1.0]])
    wanted = nfe_comparison.nfe_of_targets(1e-3 * curves, 1e-4)
    assert wanted == pytest.approx([35**0.5, 5 * 1.4 ** (np.log(5) / np.log(50)), 7.0, np.inf])
    assert nfe_comparison.nfe_of_targets(np.full((3, 1), 1e-4), 1e-4) == pytest.approx([5.0])
    assert nfe_comparison.budgets(80) == [5, 7, 10, 14, 20, 28, 40, 57, 80]


def test_a_run_that_diverges_needs_more_than_any_budget() -> None:
    wild = step_per_level(lambda hyperparameters, count: langevin(size=lambda *_: 1e9))
    errors = nfe_comparison.errors_at_budgets(wild, family(8), 57)
    assert errors.shape == (8, 8) and (errors[-1] == np.inf).all()
    assert (nfe_comparison.nfe_of_targets(errors) == np.inf).all()


def test_a_curve_ends_where_more_evaluations_change_nothing() -> None:
    """Steps that leave the start as it is keep its error."""
    still = step_per_level(lambda hyperparameters, count: lambda state, *_: (state, None))
    assert len(nfe_comparison.errors_at_budgets(still, family(8), 640)) == 3
