"""Containers: what they inflate to, where their names lead, and how faults are said."""

import gzip
import io
import os
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from ams.data.safe_read import content_of, entries, guarded, inflated
from ams.errors import UserError


def zipped(*named: tuple[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", how) as archive:
        for name, data in named:
            archive.writestr(name, data)
    return stream.getvalue()


def test_a_file_is_read_to_its_bound(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    whole.write_bytes(b"a" * 2**20)
    assert content_of(whole, 2**20) == whole.read_bytes()
    assert content_of(whole, 2**33) == whole.read_bytes()
    with pytest.raises(UserError, match="more than the 0 MiB that such a file has"):
        content_of(whole, 2**20 - 1)


def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, why in {tmp_path / "pipe": "a pipe", Path("/dev/zero"): "a device", tmp_path: "Is a directory"}.items():
        with pytest.raises(UserError, match=f"cannot be read.*{why}"):
            content_of(path, 9)


@settings(deadline=None, max_examples=30)
@given(st.dictionaries(st.text("abc/.", min_size=1), st.binary(max_size=99), max_size=4))
def test_what_was_put_in_comes_out(held: dict[str, bytes]) -> None:
    assert entries(zipped(*held.items())) == held
    assert inflated(gzip.compress(repr(held).encode())) == repr(held).encode()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="same name"):
        entries(zipped(("a", b"x"), ("a", b"y")))


def test_bombs_are_refused_by_their_own_claim() -> None:
    with pytest.raises(ValueError, match="holds 64 MiB, more than the 1 allowed"):
        entries(zipped(*((f"{i}", bytes(2**22)) for i in range(16))), 2**20)
    with pytest.raises(ValueError, match="more than the 1048576 bytes allowed"):
        inflated(gzip.compress(bytes(2**26)), 2**20)
    assert inflated(gzip.compress(bytes(2**20)), 2**20) == bytes(2**20)


@pytest.mark.parametrize("claim", [100, 2**21 + 1])
def test_a_claim_that_is_false_is_refused(claim: int) -> None:
    """2 MiB that claim 100 bytes fail their checksum after 100; more claimed than held ends early."""
    content = zipped(("a", bytes(2**21)))
    start = content.rindex(b"PK\x01\x02")
    forged = content[: start + 24] + claim.to_bytes(4, "little") + content[start + 28 :]
    with pytest.raises((ValueError, zipfile.BadZipFile, EOFError)):
        entries(forged)


@pytest.mark.parametrize("end", [b"", b"more"], ids=["short", "long"])
def test_a_gzip_stream_is_one_whole_member(end: bytes) -> None:
    content = gzip.compress(b"x" * 1000)
    with pytest.raises(ValueError, match="cut short or other bytes follow"):
        inflated(content + end if end else content[:-9])


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("two\nlines \x1b[2J"), "not a thing (two lines ?[2J); replace it by the original"),
        (KeyError("a"), "not a thing (KeyError 'a'); replace"),
        (MemoryError(), "not a thing (MemoryError); replace"),
        (ValueError(), "not a thing (ValueError); replace"),
        (ValueError("x" * 10**6), "xxx); replace"),
    ],
)
def test_any_fault_is_one_bounded_line(error: Exception, reason: str) -> None:
    with pytest.raises(UserError) as caught, guarded("here", "a thing"):
        raise error
    line = str(caught.value)
    assert line.startswith("here: ") and reason in line and line.isprintable() and len(line) < 300
