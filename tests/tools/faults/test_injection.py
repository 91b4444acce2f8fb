"""What is put into a process: the call that was named fails, no other; the clock jumps; the data set is there."""

import io
import os
import time
from pathlib import Path

import pytest

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


def test_the_clock_jumps_at_a_reading(put) -> None:
    put(seconds=3600.0, reading=2)
    one, then, two, later = provenance.now(), time.time(), provenance.now(), time.time()
    assert 3599 < (provenance.datetime.fromisoformat(two) - provenance.datetime.fromisoformat(one)).seconds < 3601
    assert 3599 < later - then < 3601
