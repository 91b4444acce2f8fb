"""A file is written whole or not at all."""

import errno
import os
import stat
from contextlib import nullcontext

import pytest

from tests.verdicts.toy import full_disk
from verdicts.records.files import canonical_json, write_whole


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
    assert seen == ["old", "new"] and path.read_text() == "new", "the folder is synced last"


@pytest.mark.parametrize("error", [0, errno.EINVAL, errno.ENOTSUP, errno.EIO])
def test_a_loss_of_power_takes_no_name_from_what_was_written(tmp_path, monkeypatch, error):
    """Each folder is synced after its names; one that knows no sync will do, a disk that fails is
    told.
    """
    seen, folder = [], tmp_path / "new"

    def sync(descriptor):
        status = os.fstat(descriptor)
        seen.append(status.st_ino)
        if error and stat.S_ISDIR(status.st_mode) and folder.exists():
            raise OSError(error, os.strerror(error))

    monkeypatch.setattr(os, "fsync", sync)
    if error == errno.EIO:
        folder.mkdir()
    with pytest.raises(OSError, match="Input/output") if error == errno.EIO else nullcontext():
        write_whole(folder / "file", "whole")
    assert [(path.name, path.read_text()) for path in folder.iterdir()] == [("file", "whole")]
    synced = (
        [folder / "file", folder] if error == errno.EIO else [tmp_path, folder / "file", folder]
    )
    assert seen == [path.stat().st_ino for path in synced]


def test_canonical_json_has_one_form_and_refuses_nan():
    assert canonical_json({"b": 1, "a": 2.0}) == canonical_json({"a": 2.0, "b": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json([float("nan")])
