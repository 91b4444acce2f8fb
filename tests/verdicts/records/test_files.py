"""A file is written whole or not at all."""

import os

import pytest

from tests.verdicts.toy import full_disk
from verdicts.records.files import canonical_json, sha256_of, write_whole


def test_writes_text_and_bytes_and_makes_the_folder(tmp_path):
    write_whole(tmp_path / "a" / "b", "é")
    write_whole(tmp_path / "a" / "c", b"\x00")
    assert (tmp_path / "a" / "b").read_bytes() == "é".encode() and (tmp_path / "a" / "c").read_bytes() == b"\x00"


@pytest.mark.parametrize("mask", [0o002, 0o027])
def test_who_may_read_a_file_is_the_users_own_choice(tmp_path, mask):
    theirs = os.umask(mask)
    try:
        write_whole(tmp_path / "file", "")
    finally:
        os.umask(theirs)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o666 & ~mask


def test_a_full_disk_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_whole(path, "old")
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_readers_see_the_old_file_until_the_new_one_is_whole(tmp_path, monkeypatch):
    path, seen = tmp_path / "file", []
    write_whole(path, "old")
    monkeypatch.setattr(os, "fsync", lambda stream: seen.append(path.read_text()))
    write_whole(path, "new")
    assert set(seen) == {"old"} and path.read_text() == "new"


def test_canonical_json_has_one_form_and_refuses_nan():
    assert canonical_json({"b": 1, "a": 2.0}) == canonical_json({"a": 2.0, "b": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json([float("nan")])


def test_sha256_is_the_standard_one():
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert sha256_of("") == sha256_of(b"") == empty
