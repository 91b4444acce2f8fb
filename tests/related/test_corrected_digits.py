"""Prediction-correction on digits: the change that flips each claim, the frozen settings, a run's evaluations."""

from collections.abc import Callable

import pytest

from ams.statistics.tuning import optima_on_edge
from related.prediction_correction.corrected_digits import study
from related.prediction_correction.corrected_digits.settings import Settings
from tests.claims import verdict_of

SMALL = Settings(batches=8, batch=64)


def made_up(ratio: float) -> Callable[..., list[float]]:
    return lambda settings, run: [(ratio if run == "alone" else 1.0) * (1 + 0.001 * n) for n in range(8)]


def test_equal_runs_break_n1i(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of N1i and N1j: two runs alike but for a percent, and runs as far apart as each asks for."""
    for ratio, verdicts in ((0.98, ("refuted", "refuted")), (1.2, ("holds", "refuted")), (2.0, ("holds", "holds"))):
        monkeypatch.setattr(study, "energies", made_up(ratio))
        assert tuple(verdict_of(name, settings=SMALL) for name in ("N1i", "N1j")) == verdicts


def test_the_frozen_settings_are_inside_what_was_tried() -> None:
    """The flow's own T1 ends where the noise is the largest that the network knows, 10."""
    t1, corrections = study.CHOSEN["corrected"]
    assert optima_on_edge(study.TRIED, {"corrected": {"T1": t1, "K": corrections}}) == []
    assert t1 in study.TRIED["T1"] and corrections in study.TRIED["K"] and study.CHOSEN["alone"][0] == max(study.ALONE)


def test_without_a_long_enough_time_the_flow_is_far_from_digits() -> None:
    short, long = (study.energy(t1, 0, 1, 64, 1) for t1 in (0.5, 3.27))
    assert long < 0.2 < short


def test_corrections_make_up_for_a_short_time() -> None:
    assert study.energy(0.8, 8, 1, 64, 1) < 0.5 * study.energy(0.8, 0, 1, 64, 1)
