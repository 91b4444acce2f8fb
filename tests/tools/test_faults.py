"""Faults injected into runs: put into a process, tried as they say, seen where a requirement is
broken, and tabled.
"""

import io
import json
import os
import time
from itertools import islice
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from tools import run
from tools.faults import __main__ as program, requirements
from tools.faults.__main__ import Faults
from tools.faults.requirements import (
    FAULTS,
    Attempt,
    Fault,
    Reference,
    Undisturbed,
    files_of,
    select,
)
from tools.faults.suite import Injection, RunResult
from verdicts.errors import UserError
from verdicts.records import provenance
from verdicts.records.files import write_whole
from verdicts.report.report_texts import Section

SEED = 2405
QUICK = ("failing-call", "damaged-file", "file-size-limit", "wrong-clock")
LINE = "✓ A1    One is one     1 = 1 ± 1e−12    0.0 s\n✗ A2    Two is at most one   2 ≤ 1   0.0 s\n"
WELL = RunResult(0, LINE, "")
SOUND = [Attempt("one", 0), Attempt("two", 3), Attempt("three", -9)]
BROKEN = [
    Attempt("one", 0),
    Attempt("two", 1, ("A1 is shown as ✗, and is ✓", "more")),
    Attempt("three", skipped="no right"),
]


@pytest.fixture
def put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Put an injection into this process, for this test alone."""
    for module, name in (
        (os, "fsync"),
        (os, "replace"),
        (io, "open"),
        (provenance, "datetime"),
        (time, "time"),
    ):
        monkeypatch.setattr(module, name, getattr(module, name))

    def made(**fields) -> Path:
        counter = tmp_path / "counter"
        Injection(below=str(tmp_path / "results"), counter=str(counter), **fields).put_in()
        return counter

    return made


def test_calls_below_the_folder_are_counted(put, tmp_path: Path) -> None:
    counter = put()
    for name in "abc":
        write_whole(tmp_path / "results" / name, "text")
        write_whole(tmp_path / "elsewhere" / name, "text")
    assert counter.stat().st_size == 3 * len(("write", "fsync", "rename", "fsync of the folder"))


@pytest.mark.parametrize("lasting", [False, True])
@pytest.mark.parametrize("call", [1, 2, 3], ids=["write", "fsync", "rename"])
def test_the_named_call_fails_and_with_lasting_all_after_it(
    put, tmp_path: Path, call: int, lasting: bool
) -> None:
    (tmp_path / "results").mkdir()
    put(number=4 + call, error="EIO", lasting=lasting)  # of the second file
    ends = []
    for name in "abcd":
        try:
            write_whole(tmp_path / "results" / name, "text")
            ends.append("well")
        except OSError as error:
            ends.append(error.strerror)
    assert ends == [
        "well",
        "Input/output error",
        *(["Input/output error"] * 2 if lasting else ["well"] * 2),
    ]
    assert {path.name for path in (tmp_path / "results").iterdir()} == (
        {"a"} if lasting else set("acd")
    )


def test_the_clock_jumps_at_a_reading(put) -> None:
    put(seconds=3600.0, reading=2)
    one, then, two, later = provenance.now(), time.time(), provenance.now(), time.time()
    assert (
        3599
        < (provenance.datetime.fromisoformat(two) - provenance.datetime.fromisoformat(one)).seconds
        < 3601
    )
    assert 3599 < later - then < 3601


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
    return Reference(Suite(), 0, {"A1": "holds", "A2": "refuted"}, {"A1": "✓", "A2": "✗"}, files)


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
def test_a_wrong_end_or_a_wrong_word_is_seen(
    reference: Reference, out: Path, done: RunResult, said: str
) -> None:
    assert [line for line in reference.after(out, done, {0}) if line.startswith(said)]


@pytest.mark.parametrize("name", ["quick/records/A1.json", "cells/a/b.json"])
def test_a_wrong_value_is_seen_unless_it_is_marked_as_failed(
    reference: Reference, out: Path, name: str
) -> None:
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
    assert list(reference.mended(out)) == [
        "cells/a/.b.json.0.partial is left over after the next run"
    ]


@pytest.mark.parametrize(
    "ends", [(WELL._replace(code=3), WELL), (WELL, RunResult(1, "A1: edited", ""))]
)
def test_a_next_run_or_a_check_that_does_not_end_well_is_seen(
    reference: Reference, out: Path, ends: tuple[RunResult, ...]
) -> None:
    (line,) = reference._replace(suite=Suite(ends=ends)).mended(out)
    assert "the next run" in line and ("with 3" in line or "with 1: ['A1: edited']" in line)


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    return Undisturbed(tmp_path_factory.mktemp("faults"))


def tried(suite: Undisturbed, name: str, tries: int) -> list[Attempt]:
    chosen = FAULTS[name]
    return list(islice(chosen.function(suite, Random(f"{SEED} {name}"), tries), tries))


@pytest.mark.parametrize("name", QUICK)
def test_a_fault_breaks_no_requirement(suite: Undisturbed, name: str) -> None:
    (one,) = tried(suite, name, 1)
    assert one.broken == (), one


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(FAULTS.keys() - set(QUICK)))
def test_no_other_fault_breaks_a_requirement(suite: Undisturbed, name: str) -> None:
    assert [one for one in tried(suite, name, 2) if one.broken] == []


def test_a_run_that_shows_what_is_wrong_breaks_a_requirement(suite: Undisturbed) -> None:
    """The falsifier of the whole: a suite that computes something else is noticed."""
    reference, out = suite.quick, suite.quick.suite.place()
    module = next(reference.suite.root.glob("*/common.py"))
    whole = module.read_text()
    module.write_text("ONE = 3.0\n")
    done = reference.suite.run(out)
    module.write_text(whole)
    broken = list(reference.after(out, done, {0, 1}))
    assert (
        "A1 is shown as ✗, and is ✓" in broken
        and "the ledger has A1 as refuted, and it is holds" in broken
    )
    assert "quick/records/A1.json is not as it should be" in broken


def test_a_run_is_put_under_its_fault(suite: Undisturbed) -> None:
    out = suite.quick.suite.place()
    counter = out.with_name("calls")
    killed = Injection(number=1, error="KILL", below=str(out), counter=str(counter))
    done = suite.quick.suite.run(out, killed)
    assert done.code == -9 and counter.stat().st_size >= 1
    assert list(suite.quick.mended(out)) == []


def test_a_run_leads_a_group_and_is_asked_to_end_as_by_a_terminal(suite: Undisturbed) -> None:
    run = suite.quick.suite.start(suite.quick.suite.place())
    run.signal(15)
    done = run.ended()
    assert done.code in (130, -15) and "Traceback" not in done.err
    run.signal(9)
    run.signal(9, jobs=True)  # neither is there any more


def test_a_name_chooses_a_fault_and_none_all() -> None:
    assert [each.name for each in select(("kill-group",))] == ["kill-group"] and len(
        select(())
    ) == len(FAULTS) >= 9
    with pytest.raises(UserError, match="did you mean kill-group"):
        select(("kill-grup",))


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch):
    """Let two faults be declared, whose outcomes a test may change."""
    outcomes = {"well": SOUND, "ill": BROKEN}

    def made(name: str) -> Fault:
        return Fault(name, f"It is {name}.", 2, lambda suite, moments, tries: iter(outcomes[name]))

    declared = {name: made(name) for name in outcomes}
    for module in (requirements, program):
        monkeypatch.setattr(module, "FAULTS", declared)
    return outcomes


def kept(out: Path) -> Section:
    return Section.read(out / "sections/faults.json")


def test_what_broke_a_requirement_is_told_and_is_exit_code_1(
    told, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(Faults, ["--out", str(tmp_path), "--seed", "7"]) == 1
    said = capsys.readouterr().out
    assert (
        "  ill, two: A1 is shown as ✗, and is ✓\n" in said
        and "\n1 tries broke a requirement; record: " in said
    )
    assert (
        "2 tries in 0 s, 1 broke a requirement, exit codes 0 (1), 1 (1)  two: A1 is shown as"
        in said
    )
    well, ill = kept(tmp_path).table.rows
    assert well[:7] == ("well", "It is well.", 3, 0, "0 (1), 3 (1), signal 9 (1)", "", 7)
    remark = "two: A1 is shown as ✗, and is ✓; not tried: no right"
    assert ill[:7] == ("ill", "It is ill.", 2, 1, "0 (1), 1 (1)", remark, 7)


def test_a_fault_tried_again_has_its_newest_row_and_the_others_stay(told, tmp_path: Path) -> None:
    assert run(Faults, ["--out", str(tmp_path)]) == 1
    told["ill"] = SOUND
    assert run(Faults, ["ill", "--out", str(tmp_path), "--seed", "9"]) == 0
    assert [(row[0], row[3], row[6]) for row in kept(tmp_path).table.rows] == [
        ("well", 0, 2405),
        ("ill", 0, 9),
    ]
    assert "2 kinds of faults were injected into runs, 6 tries" in kept(tmp_path).text
    (tmp_path / "sections/faults.json").write_text("damaged")
    assert run(Faults, ["ill", "--out", str(tmp_path)]) == 0
    assert [row[0] for row in kept(tmp_path).table.rows] == ["ill"]


@pytest.mark.parametrize(
    ("words", "line"),
    [("nonsense", "unknown fault 'nonsense'"), ("--tries=-1", "--tries -1: expected at least 0")],
)
def test_bad_usage_is_a_line(
    told, capsys: pytest.CaptureFixture[str], words: str, line: str
) -> None:
    assert run(Faults, words.split()) == 2
    assert line in capsys.readouterr().err
