"""The requirements see what they are there for: each is broken here, and said to be."""

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from tools.faults.requirements import Reference, files_of
from tools.faults.suite import RunResult
from verdicts.records.files import Memo

LINE = "✓ A1    One is one     1 = 1 ± 1e−12    0.0 s\n✗ A2    Two is at most one   2 ≤ 1   0.0 s\n"
WELL = RunResult(0, LINE, "")


class Suite(NamedTuple):
    """Stands for a suite: a run writes the files that it is told to."""

    profile: str = "quick"
    ends: tuple[RunResult, ...] = (WELL,)
    writes: bool = True

    def run(self, out: Path, injection=None) -> RunResult:
        if self.writes:
            results(out)
        return self.ends[0]

    def check(self, out: Path) -> RunResult:
        return self.ends[-1]


def write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def results(out: Path, seconds: float = 1.0) -> Path:
    rows = [{"id": "A1", "verdict": "holds"}, {"id": "A2", "verdict": "refuted"}]
    write(out / "quick/ledger.json", {"claims": rows, "started": seconds})
    write(out / "quick/records/A1.json", {"value": 1.0, "seconds": seconds, "digest": seconds})
    write(out / "cells/a/b.json", {"value": [1.0]})
    write(out / "quick/logs/A.log", seconds)
    return out


@pytest.fixture
def reference(tmp_path: Path) -> Reference:
    files = files_of(results(tmp_path / "undisturbed"), "quick")
    return Reference(Suite(), 0, {"A1": "holds", "A2": "refuted"}, {"A1": "✓", "A2": "✗"}, files, Memo(texts={}))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return results(tmp_path / "results", 2.0)


def test_what_is_as_without_the_fault_breaks_none(reference: Reference, out: Path) -> None:
    assert not [
        *reference.after(out, WELL, {0}),
        *reference.lost(reference.files, out),
        *reference.same(out),
        *reference.mended(out),
    ]


@pytest.mark.parametrize(
    ("done", "said"),
    [
        (WELL._replace(code=1), "exit code 1"),
        (WELL._replace(code=-9), "exit code -9"),
        (WELL._replace(err="Traceback (most recent call last)"), "a traceback"),
    ],
)
def test_a_wrong_end_or_a_wrong_word_is_seen(reference: Reference, out: Path, done: RunResult, said: str) -> None:
    assert [line for line in reference.after(out, done, {0}) if line.startswith(said)]


@pytest.mark.parametrize("name", ["quick/records/A1.json", "cells/a/b.json"])
def test_a_wrong_value_is_seen_unless_it_is_marked_as_failed(reference: Reference, out: Path, name: str) -> None:
    write(out / name, {"value": 2.0})
    assert list(reference.after(out, WELL, {0})) == [f"{name} is not as it should be"]
    assert list(reference.same(out)) == [f"{name} is another after the next run"]
    assert not list(reference.after(out, WELL, {0}, {name}))
    write(out / name, {"failed": True})
    assert not list(reference.after(out, WELL, {0}))


def test_what_was_whole_and_is_lost_is_seen(reference: Reference, out: Path) -> None:
    before = files_of(out, "quick")
    (out / "cells/a/b.json").unlink()
    assert list(reference.lost(before, out)) == ["cells/a/b.json was whole, and is lost"]
    assert list(reference.same(out)) == ["cells/a/b.json is not there after the next run"]
    before["cells/a/b.json"] = b"half"
    assert not list(reference.lost(before, out))


def test_what_is_left_over_is_seen(reference: Reference, out: Path) -> None:
    (out / "cells/a/.b.json.0.partial").touch()
    assert list(reference.mended(out)) == ["cells/a/.b.json.0.partial is left over after the next run"]


@pytest.mark.parametrize("ends", [(WELL._replace(code=3), WELL), (WELL, RunResult(1, "A1: edited", ""))])
def test_a_next_run_or_a_check_that_does_not_end_well_is_seen(
    reference: Reference, out: Path, ends: tuple[RunResult, ...]
) -> None:
    (line,) = reference._replace(suite=Suite(ends=ends)).mended(out)
    assert "the next run" in line and ("with 3" in line or "with 1: ['A1: edited']" in line)
