"""The corpus of reported bugs: its list, its code, and the falsifier of its claims."""

import pytest

from survey.conformance import corpus
from survey.conformance.settings import Settings
from tests.claims import verdict_of

ALL = {row["id"] for row in corpus.judging()}


def test_every_judging_row_is_restated_or_counts_as_missed() -> None:
    reasons = {name for file in corpus.CODE.glob("[!_]*.py") for name in corpus.adapters.module_of(file).NOT_ASKED}
    assert {*corpus.restated(), *reasons} == ALL and not {*corpus.restated()} & reasons


def test_a_verdict_that_turns_breaks_both_claims(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(rows="full", bugs=True)
    monkeypatch.setattr(corpus, "verdict", lambda name, fixed: {"verdict": "holds" if fixed else "refuted", "why": ""})
    assert verdict_of("F25", settings=settings) == verdict_of("F26", settings=settings) == "holds"
    assert [row[:2] for row in corpus.table().rows] == [("refuted", "holds")] * len(ALL)
    monkeypatch.setattr(corpus, "verdict", lambda name, fixed: {"verdict": "refuted" if fixed else "holds", "why": ""})
    assert verdict_of("F25", settings=settings) == verdict_of("F26", settings=settings) == "refuted"


@pytest.mark.parametrize("name", ["diffusers-dpm-single-last-order"])
def test_a_restated_bug_is_refuted_and_its_fix_is_not(name: str) -> None:
    sampler = corpus.restated()[name][0]
    assert [corpus.conform(sampler(fixed)).verdict for fixed in (False, True)] == ["refuted", "holds"]
