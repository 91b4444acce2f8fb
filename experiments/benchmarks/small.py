"""What the tests of benchmarks share: clocks that are told what to say. Nothing is timed in a test."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from pydantic import BaseModel

from experiments.benchmarks import timing
from tests.claims import verdict_of
from verdicts.claims.schema import Verdict


def told(monkeypatch: pytest.MonkeyPatch, one: float, other: float) -> None:
    """Let the clock say, in turn, `one` and `other` seconds; the work is done all the same."""
    turns = itertools.cycle([one, other])

    def seconds(work: Callable[[], object]) -> float:
        work()
        return next(turns)

    monkeypatch.setattr(timing, "seconds", seconds)


def judged(identifier: str, check: str, settings: BaseModel, monkeypatch: pytest.MonkeyPatch, ratio: float) -> Verdict:
    """Return the verdict of one check whose pairs have this ratio of times."""
    told(monkeypatch, ratio, 1.0)
    return verdict_of(identifier, check, settings)
