"""What is put into a process: the call that was named fails, no other; the clock jumps; the data set is there."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ams.data import files, registry
from ams_suite.tools.faults.injection import CONTENT, TOY, Call, Injection, main
from tests.verdicts.toy import REPOSITORY
from verdicts.records import provenance
from verdicts.records.files import write_whole


@pytest.fixture
def put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Put an injection into this process, for this test alone."""
    for module, name in ((os, "fsync"), (os, "replace"), (io, "open"), (provenance, "datetime"), (time, "time")):
        monkeypatch.setattr(module, name, getattr(module, name))

    def made(**fields) -> Path:
        counter = tmp_path / "counter"
        Injection(below=str(tmp_path / "results"), counter=str(counter), **fields).put_in()
        return counter

    return made


@pytest.mark.parametrize(("call", "count"), [(Call.WRITE, 3), (Call.SYNC, 3), (Call.RENAME, 3), (Call.SYNC_FOLDER, 3)])
def test_calls_below_the_folder_are_counted(put, tmp_path: Path, call: Call, count: int) -> None:
    counter = put(call=call)
    for name in "abc":
        write_whole(tmp_path / "results" / name, "text")
        write_whole(tmp_path / "elsewhere" / name, "text")
    assert counter.stat().st_size == count


@pytest.mark.parametrize("call", Call)
@pytest.mark.parametrize("lasting", [False, True])
def test_the_named_call_fails_and_with_lasting_all_after_it(put, tmp_path: Path, call: Call, lasting: bool) -> None:
    (tmp_path / "results").mkdir()
    put(call=call, number=2, error="EIO", lasting=lasting)
    ends = []
    for name in "abcd":
        try:
            write_whole(tmp_path / "results" / name, "text")
            ends.append("well")
        except OSError as error:
            ends.append(error.strerror)
    assert ends == ["well", "Input/output error", *(["Input/output error"] * 2 if lasting else ["well"] * 2)]
    kept = {path.name for path in (tmp_path / "results").iterdir()}
    assert kept == (set("abcd") if call is Call.SYNC_FOLDER else {"a"} if lasting else set("acd"))


def test_a_write_that_fails_has_written_half(put, tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    put(call=Call.WRITE, number=1)
    with pytest.raises(OSError, match="No space"), (tmp_path / "results/file").open("wb", buffering=0) as stream:
        stream.write(b"12345678")
    assert (tmp_path / "results/file").read_bytes() == b"1234"


@pytest.mark.parametrize("mode", ["w", "wb", "a", "r+", "xb"])
def test_a_file_opened_in_any_mode_is_as_without_it(put, tmp_path: Path, mode: str) -> None:
    (tmp_path / "results").mkdir()
    path = tmp_path / "results/file"
    if mode == "r+":
        path.write_text("")
    put()
    with path.open(mode) as stream:
        stream.write(b"b\xc3\xa4" if "b" in mode else "bä")
    assert path.read_text(encoding="utf-8") == "bä"


def test_the_clock_jumps_at_a_reading(put) -> None:
    put(seconds=3600.0, reading=2)
    one, then, two, later = provenance.now(), time.time(), provenance.now(), time.time()
    assert 3599 < (provenance.datetime.fromisoformat(two) - provenance.datetime.fromisoformat(one)).seconds < 3601
    assert 3599 < later - then < 3601


def test_the_data_set_is_registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "ENTRIES", dict(registry.ENTRIES))
    monkeypatch.setattr(files, "ENTRIES", registry.ENTRIES)
    Injection(registered=True).put_in()
    write_whole(tmp_path / TOY / "0.bin", CONTENT)
    monkeypatch.setenv("AMS_DATA", str(tmp_path))
    assert files.read(TOY)[2] == CONTENT and TOY in registry.registered()


def test_as_a_command_it_runs_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["{}", "schema"]) == 0 and json.loads(capsys.readouterr().out)["title"] == "Ledger"


def test_a_process_is_killed_at_its_call(tmp_path: Path) -> None:
    killed = Injection(number=1, error="KILL", below=str(tmp_path), counter=str(tmp_path.with_name("counter")))
    words = ["-m", "ams_suite.tools.faults.injection", killed.model_dump_json(), "compare"]
    ledger = tmp_path.with_name("ledger.json")
    ledger.write_text('{"claims": []}')
    command = [sys.executable, *words, str(ledger), str(ledger), "--out", str(tmp_path / "table.csv")]
    done = subprocess.run(command, cwd=REPOSITORY, env=os.environ | {"PYTHONPATH": "src:."}, check=False)
    assert done.returncode == -signal.SIGKILL
    assert [path.read_bytes() for path in tmp_path.glob(".*.partial")] != [] and not (tmp_path / "table.csv").exists()
