"""The update rule: each claim's verdict, and the change that flips it."""

from collections.abc import Callable
from typing import Any

import pytest
import sympy as sp
from pytest import MonkeyPatch

from ams import samplers
from ams.samplers import State, Step, rules
from analysis.update_rule import checks, study
from tests.claims import expected, quick_settings, refuted, verdict_of
from verdicts.claims.schema import Verdict


@pytest.mark.parametrize("identifier", ["R1", "R2", "R3", "R4", "R5", "P3"])
def test_claims_come_out_as_expected(identifier: str) -> None:
    assert verdict_of(identifier) is expected(identifier)


def test_a_stale_step_breaks_r1(monkeypatch: MonkeyPatch) -> None:
    """Falsifier of R1: the ratio lacks A_{t-1}, as if the last move had been the bare momentum."""

    def stale(delta: float = 0.0) -> Callable[[State, Any, Any], tuple[Any, Any]]:
        def coefficient(state: State, s: Any, algebra: Any) -> tuple[Any, Any]:
            change = algebra.combine((1, s), (-1, state.s))
            return 0, algebra.norm(change) / (state.effective_drift * algebra.norm(state.m))

        return coefficient

    monkeypatch.setattr(samplers, "adaptive", stale)
    assert verdict_of("R1") is Verdict.REFUTED


def test_an_asymmetric_rule_breaks_r2(monkeypatch: MonkeyPatch) -> None:
    """Falsifier of R2: the square is dropped, and with it the symmetry and the sign."""
    for module in (samplers, rules):
        monkeypatch.setattr(module, "critical_momentum", lambda rho: (1 - rho) / (1 + rho))
    assert refuted("R2", "symmetry", "lower_clip")


def test_a_corrector_with_memory_breaks_r3(monkeypatch: MonkeyPatch) -> None:
    """Falsifier of R3: the move is stored, as the paper describes."""
    monkeypatch.setattr(samplers, "memoryless", lambda step: step)
    assert refuted("R3", "bitwise")
    monkeypatch.setattr(samplers, "adaptive", lambda delta: samplers.constant(sp.Rational(1, 2)))
    assert refuted("R3", "adjacency")


def test_noise_in_the_momentum_breaks_r3(monkeypatch: MonkeyPatch) -> None:
    def kinetic(rule: Any) -> Step:
        def step(state: State, score: Any, noise: Any, level: Any, algebra: Any) -> Any:
            s, z = score(state.x, level), noise(state.x)
            m = algebra.combine((sp.Rational(9, 10), state.m), (sp.Rational(1, 10), s), (1, z))
            return state._replace(x=algebra.combine((1, state.x), (level.step, m)), m=m), None

        return step

    monkeypatch.setattr(checks, "momentum_step", kinetic)
    assert refuted("R3", "noise_outside")


def test_a_clip_that_bites_refutes_p3() -> None:
    """Falsifier of P3: with deltas up to 0.9 the clip is a hyperparameter, and each part of the
    claim sees it.
    """
    wide = quick_settings("update_rule").model_copy(update={"deltas": (1e-6, 0.9)})
    assert refuted("P3", "stationary", "far_start", settings=wide)


def test_a_clip_that_does_not_act_refutes_that_it_matters_at_smaller_steps() -> None:
    few = quick_settings("update_rule").model_copy(update={"deltas": (1e-6, 1e-5)})
    assert refuted("P3", "smaller", settings=few)


def test_a_lost_part_breaks_r4(monkeypatch: MonkeyPatch, fresh_cells: None) -> None:
    """Falsifier of R4: the corrector's drift is lost, and the parts no longer add up to the
    score's change.
    """
    true = study.remembering

    def losing(corrector: Step) -> Step:
        def lossy(*given: Any) -> Any:
            after, info = true(corrector)(*given)
            return after._replace(z=after.p), info

        return lossy

    monkeypatch.setattr(study, "remembering", losing)
    assert refuted(
        "R4", "sum", settings=quick_settings("update_rule").model_copy(update={"levels": (30,)})
    )


def test_a_present_norm_breaks_r5(monkeypatch: MonkeyPatch) -> None:
    """Falsifier of R5: sized by the updated momentum's norm, the control is plain Langevin and
    gains nothing.
    """
    true = study.corrector_run
    present = lambda name, count: true("Langevin" if name == study.LAGGED[0] else name, count)  # noqa: E731
    monkeypatch.setattr(study, "corrector_run", present)
    assert refuted("R5", "control")
    monkeypatch.setattr(checks, "snr_of_last_momentum", samplers.snr_of_momentum)
    assert refuted("R5", "disguise")
