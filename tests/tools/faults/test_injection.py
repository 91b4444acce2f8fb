"""What is put into a process: the call that was named fails, no other; the clock jumps; the data set is there."""

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.verdicts.toy import REPOSITORY
from tools.faults.injection import Call, Injection
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


@pytest.mark.parametrize(("call", "count"), [(Call.WRITE, 3), (Call.SYNC, 6), (Call.RENAME, 3)])
def test_calls_below_the_folder_are_counted(put, tmp_path: Path, call: Call, count: int) -> None:
    counter = put(call=call)
    for name in "abc":
        write_whole(tmp_path / "results" / name, "text")
        write_whole(tmp_path / "elsewhere" / name, "text")
    assert counter.stat().st_size == count


@pytest.mark.parametrize("lasting", [False, True])
@pytest.mark.parametrize("call", Call)
def test_the_named_call_fails_and_with_lasting_all_after_it(put, tmp_path: Path, call: Call, lasting: bool) -> None:
    (tmp_path / "results").mkdir()
    put(call=call, number=3 if call is Call.SYNC else 2, error="EIO", lasting=lasting)  # a file's, then its folder's
    ends = []
    for name in "abcd":
        try:
            write_whole(tmp_path / "results" / name, "text")
            ends.append("well")
        except OSError as error:
            ends.append(error.strerror)
    assert ends == ["well", "Input/output error", *(["Input/output error"] * 2 if lasting else ["well"] * 2)]
    assert {path.name for path in (tmp_path / "results").iterdir()} == ({"a"} if lasting else set("acd"))


def test_the_sync_of_a_folder_fails_too(put, tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    put(call=Call.SYNC, number=2, error="EIO")
    with pytest.raises(OSError, match="Input/output error"):
        write_whole(tmp_path / "results/a", "text")
    assert (tmp_path / "results/a").read_text() == "text", "the file is whole; its folder was not synced"


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


def test_a_process_is_killed_at_its_call(tmp_path: Path) -> None:
    killed = Injection(number=1, error="KILL", below=str(tmp_path), counter=str(tmp_path.with_name("counter")))
    code = "import sys; from pathlib import Path; from tools.faults.injection import Injection\n"
    code += "from verdicts.records.files import write_whole\n"
    code += "Injection.model_validate_json(sys.argv[1]).put_in(); write_whole(Path(sys.argv[2]), 'text')"
    command = [sys.executable, "-c", code, killed.model_dump_json(), str(tmp_path / "table.csv")]
    done = subprocess.run(command, cwd=REPOSITORY, env=os.environ | {"PYTHONPATH": "src:."}, check=False)
    assert done.returncode == -signal.SIGKILL
    assert [path.read_bytes() for path in tmp_path.glob(".*.partial")] != [] and not (tmp_path / "table.csv").exists()


def test_no_file_grows_beyond_its_limit(tmp_path: Path) -> None:
    code = "import sys; from tools.faults.injection import Injection; Injection(largest_file=8).put_in()\n"
    code += "open(sys.argv[1], 'wb', buffering=0).write(bytes(16))"
    command = [sys.executable, "-c", code, str(tmp_path / "file")]
    subprocess.run(command, cwd=REPOSITORY, env=os.environ | {"PYTHONPATH": "src:."}, capture_output=True)
    assert (tmp_path / "file").stat().st_size == 8
