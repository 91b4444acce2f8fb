"""Kills, locks, disks, folders, and what surrounds a run: no result is lost, none is wrong, none
is another.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from tests.verdicts.toy import Toy, full_disk, reproduce, with_study
from verdicts.errors import UserError
from verdicts.records import provenance, run_record
from verdicts.run import group

SLOW = "def two(settings: Settings) -> Measurement:\n    import time;"
TIME_FIELDS = frozenset({"started", "seconds", "peak_mib", "computed", "run"})
OF_A_COPY = TIME_FIELDS | {"digest", "commit", "dirty", "threads"}
"""What may differ between two runs in one repository, beside the times."""
OF_THE_RUN = re.compile(
    r"[^/]+/(run\.json|published\.json|report[^/]*\.html|paper/data\.json|notebooks/.*)"
    r"|.*\.(log|pdf|cost|lock|jobs)"
)
"""Files that tell of the last run, not of a result."""


@pytest.fixture
def toy(tmp_path):
    return Toy.make(tmp_path / "a folder, größer")


def start(toy, *arguments, **streams):
    """Start the command line as the leader of a process group of its own."""
    command, streams = (
        [sys.executable, "-m", "ams_suite", *arguments],
        {"stdout": subprocess.DEVNULL} | streams,
    )
    return subprocess.Popen(
        command, cwd=toy.root, env=toy.environment(), start_new_session=True, **streams
    )


def slow_down(toy, seconds):
    """Let the second claim take a while."""
    toy.replace_in_module(
        "alpha/checks",
        "def two(settings: Settings) -> Measurement:",
        f"{SLOW} time.sleep({seconds})",
    )


def timeless(value, fields=TIME_FIELDS):
    """Drop what may differ between two runs of the same work."""
    if isinstance(value, dict):
        return {name: timeless(item, fields) for name, item in value.items() if name not in fields}
    return [timeless(item, fields) for item in value] if isinstance(value, list) else value


def ledger(out, profile):
    return timeless(json.loads((out / profile / "ledger.json").read_text(encoding="utf-8")))


def working(process_group):
    """Return the living processes of a group (one that waits to be reaped is none)."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
            if (
                os.getpgid(process.pid) == process_group
                and process.status() != psutil.STATUS_ZOMBIE
            ):
                found.append(process)
    return found


def wait_for(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened in time"
        time.sleep(0.02)


def test_another_run_is_refused_with_whose_and_since_when(toy, monkeypatch):
    slow_down(toy, 30)
    run = start(toy, "reproduce", "--profile", "quick")
    try:
        wait_for(lambda: toy.record("A1").exists())
        with pytest.raises(
            UserError,
            match=rf"\(process {run.pid}, since 2.*reproduce --profile quick\); wait for it",
        ):
            reproduce(toy, monkeypatch, only=("B1",))
        assert reproduce(toy, monkeypatch, only=("B1",), out=Path("elsewhere"))[0] == 0
    finally:
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()


def test_an_interrupted_run_stops_its_jobs_and_says_that_nothing_is_lost(toy):
    slow_down(toy, 600)
    # Whatever these tests were started by: of a job in the background a shell lets SIGINT be
    # ignored
    heeds = {
        "stderr": subprocess.PIPE,
        "preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    }
    run = start(toy, "reproduce", "--profile", "cpu", **heeds)
    wait_for(lambda: toy.record("A1", "cpu").exists())
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=120)
    assert run.returncode == 130
    assert b"the same command goes on from there" in said
    wait_for(lambda: not working(run.pid), seconds=30)


def test_a_folder_that_cannot_be_made_points_to_out(toy, monkeypatch):
    (toy.root / "results").write_text("")
    with pytest.raises(UserError, match=r"cannot write .*give another place with --out DIR"):
        reproduce(toy, monkeypatch)


def test_a_full_disk_fails_the_claim_in_one_line_and_the_rest_goes_on(toy, monkeypatch):
    whole = group.Record.write

    def full(self, path):
        if self.id == "A1":
            full_disk()
        whole(self, path)

    monkeypatch.setattr(group.Record, "write", full)
    code, said = reproduce(toy, monkeypatch)
    assert code == 3
    assert "A1: no record could be written: [Errno 28] No space left on device" in said
    rows = toy.rows()
    assert rows["A1"]["failed"] is True
    assert "its run ended without a record" in rows["A1"]["reason"]
    assert rows["A2"]["verdict"] == "refuted"
    monkeypatch.setattr(group.Record, "write", whole)
    assert reproduce(toy, monkeypatch)[0] == 0


def test_what_was_made_while_the_clock_was_ahead_is_made_again_once(toy, monkeypatch):
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="microseconds")
    with monkeypatch.context() as ahead:
        for module in (provenance, run_record):
            ahead.setattr(module, "now", lambda: tomorrow)
        assert reproduce(toy, ahead)[0] == 0
    before = toy.record("A1").read_bytes()
    code, said = reproduce(toy, monkeypatch, verbose=True)
    assert code == 0 and "A1    One is one: it is dated in the future" in said
    assert toy.record("A1").read_bytes() != before
    before = toy.record("A1").read_bytes()
    assert reproduce(toy, monkeypatch)[0] == 0 and toy.record("A1").read_bytes() == before


WORDS = ("-m", "ams_suite", "reproduce", "--jobs", "2", "--profile")


@pytest.fixture(scope="module")
def surrounded(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    toy = with_study(tmp_path_factory.mktemp("toy"))
    for profile in ("quick", "cpu"):
        run = begun(toy, "undisturbed", profile)
        assert (run.communicate(), run.returncode)[1] == 0
    assert {"quick", "cpu", "cells"} <= {name.split("/")[0] for name in results(toy, "undisturbed")}
    return toy


def begun(toy: Toy, out: str, profile: str = "cpu") -> subprocess.Popen:
    command = [sys.executable, *WORDS, profile, "--out", out]
    return subprocess.Popen(
        command,
        cwd=toy.root,
        env=toy.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def results(toy: Toy, out: str) -> dict[str, object]:
    """Return the results below a folder, by place: JSON without what tells of time, else bytes."""
    folder, contents = toy.root / out, dict[str, object]()
    for path in (path for path in folder.rglob("*") if path.is_file()):
        name, content = path.relative_to(folder).as_posix(), path.read_bytes()
        if not OF_THE_RUN.fullmatch(name):
            known = path.suffix == ".json"
            contents[name] = timeless(json.loads(content), OF_A_COPY) if known else content
    return contents


@pytest.mark.slow
def test_two_profiles_that_share_cells_run_at_once_in_one_folder(
    surrounded: Toy, tmp_path: Path
) -> None:
    runs = [begun(surrounded, str(tmp_path), profile) for profile in ("quick", "cpu")]
    assert [(run.communicate(), run.returncode)[1] for run in runs] == [0, 0]
    assert results(surrounded, str(tmp_path)) == results(surrounded, "undisturbed")


@pytest.mark.slow
def test_after_a_kill_the_next_run_ends_as_one_that_nothing_disturbs(
    surrounded: Toy, tmp_path: Path
) -> None:
    for made in (0, 3):
        run = begun(surrounded, str(tmp_path))
        wait_for(lambda least=made: len([*tmp_path.rglob("*.json")]) > least)
        run.kill()
        run.communicate()
    for profile in ("quick", "cpu"):
        run = begun(surrounded, str(tmp_path), profile)
        assert (run.communicate(), run.returncode)[1] == 0
    assert results(surrounded, str(tmp_path)) == results(surrounded, "undisturbed")
