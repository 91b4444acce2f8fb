"""A file is written whole or not at all."""

import errno
import os
import stat

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


def synced(monkeypatch, error=None):
    """Let syncs be listed, `error` raised of those of a folder."""
    seen = []

    def sync(descriptor):
        folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        seen.append(("folder" if folder else "file", os.fstat(descriptor).st_ino))
        if folder and error:
            raise OSError(error, os.strerror(error))

    monkeypatch.setattr(os, "fsync", sync)
    return seen


def test_a_loss_of_power_takes_no_name_from_what_was_written(tmp_path, monkeypatch):
    seen = synced(monkeypatch)
    write_whole(tmp_path / "new" / "folder" / "file", "")
    made = [
        tmp_path,
        tmp_path / "new",
        tmp_path / "new" / "folder" / "file",
        tmp_path / "new" / "folder",
    ]
    assert [inode for _, inode in seen] == [path.stat().st_ino for path in made], (
        "each folder after its names"
    )
    write_whole(tmp_path / "new" / "folder" / "file", "again")
    assert [kind for kind, _ in seen[4:]] == ["file", "folder"]


@pytest.mark.parametrize("error", [errno.EINVAL, errno.ENOTSUP])
def test_a_file_system_that_knows_no_sync_of_folders_will_do(tmp_path, monkeypatch, error):
    seen = synced(monkeypatch, error)
    write_whole(tmp_path / "file", "whole")
    assert seen[-1][0] == "folder" and (tmp_path / "file").read_text() == "whole"


def test_a_disk_that_fails_at_the_folder_is_told_and_the_file_is_whole(tmp_path, monkeypatch):
    synced(monkeypatch, errno.EIO)
    with pytest.raises(OSError, match="Input/output"):
        write_whole(tmp_path / "file", "whole")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("file", "whole")]


def test_canonical_json_has_one_form_and_refuses_nan():
    assert canonical_json({"b": 1, "a": 2.0}) == canonical_json({"a": 2.0, "b": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json([float("nan")])
