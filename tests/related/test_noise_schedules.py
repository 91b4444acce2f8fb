"""Noise levels and the path bound: each claim's verdict, and the change that flips it."""

import pytest

from ams.schedules import karras_sigmas
from related.design_space.noise_schedules import schedules
from tests.claims import expected, quick_settings, refuted, verdict_of

SMALL = quick_settings("noise_schedules")


@pytest.mark.parametrize("identifier", ["N2", "N2b"])
def test_claims_come_out_as_expected(identifier: str) -> None:
    assert verdict_of(identifier, settings=SMALL) is expected(identifier)


def test_a_dropped_part_breaks_n2(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of N2: without the score's part the bound is none, and not the kernel's divergence."""
    monkeypatch.setattr(schedules, "score_part", lambda levels, law, error: 0.0)
    assert refuted("N2", "chain", "bound", settings=SMALL)


def test_swapped_schedules_break_n2b(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of N2b: each schedule under the other's name, and a path-optimal one that is exponential."""
    other, outcomes = {"exponential": "EDM", "EDM": "exponential", "path-optimal": "exponential"}, schedules.outcomes
    monkeypatch.setattr(schedules, "outcomes", lambda target, name, *sizes: outcomes(target, other[name], *sizes))
    assert refuted("N2b", "good", "wide", "bad", "optimal", settings=SMALL)
    monkeypatch.setattr(
        schedules, "geometric_sigmas", lambda first, last, count: karras_sigmas(first, last, count, 1.0)
    )
    assert refuted("N2b", "cause", settings=SMALL)
