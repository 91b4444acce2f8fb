"""A clock whose readings a test chooses: no test here times anything."""

import itertools
from collections.abc import Callable

import pytest
from pydantic import BaseModel

from experiments.benchmarks import timing
from tests.claims import verdict_of
from verdicts.claims.schema import Verdict


def set_clock(monkeypatch: pytest.MonkeyPatch, numerator: float, denominator: float) -> None:
    """Let the clock read these seconds in turn; the work is still done."""
    readings = itertools.cycle([numerator, denominator])

    def cpu_seconds(work: Callable[[], object]) -> float:
        work()
        return next(readings)

    monkeypatch.setattr(timing, "cpu_seconds", cpu_seconds)


def verdict_at(check: str, settings: BaseModel, monkeypatch: pytest.MonkeyPatch, ratio: float) -> Verdict:
    """Return the verdict of one check if each pair of its runs has this ratio of times."""
    set_clock(monkeypatch, ratio, 1.0)
    return verdict_of(check.split(".")[0], check, settings)
