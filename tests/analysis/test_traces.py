"""Trace equivalence with the authors' code: the verdict, and the changes that flip it."""

from typing import Any

from pytest import MonkeyPatch

from ams import samplers
from ams.samplers import momentum_rule
from tests.claims import refuted, verdict_of
from verdicts.claims.schema import Verdict


def test_s1_holds() -> None:
    assert verdict_of("S1") is Verdict.HOLDS


def test_a_changed_step_leaves_the_trace(monkeypatch: MonkeyPatch) -> None:
    """Falsifier of S1: the drift factor 1 + beta in the place of (1 + beta)^2."""

    def halved(*parts: Any, **more: Any) -> Any:
        return momentum_rule(*parts, **more, factor=lambda beta: 1 + beta)

    monkeypatch.setattr(samplers, "momentum_rule", halved)
    assert refuted("S1", "annealed", "corrected")
