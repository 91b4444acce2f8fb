"""A file is written whole or not at all; a text that is kept is made once, by one version of its
maker.
"""

import errno
import os
import stat

import pytest

from tests.verdicts.toy import full_disk
from verdicts.records import files
from verdicts.records.files import canonical_json, remembered, remembering, write_whole


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


CALLS: list[str] = []


@remembered("pydantic")
def doubled(text: str) -> str:
    CALLS.append(text)
    return 2 * text


@pytest.fixture
def made(tmp_path):
    """Return a function that doubles texts inside `remembering`, and returns those that were
    made for it.
    """

    def run(*texts: str) -> list[str]:
        CALLS.clear()
        with remembering(tmp_path / "memo.json"):
            assert [doubled(text) for text in texts] == [2 * text for text in texts]
        return list(CALLS)

    return run


def test_a_text_is_made_once_and_kept_while_it_is_used(made) -> None:
    assert made("a", "b", "a") == ["a", "b"] and made("a", "b") == []
    assert made("a") == [] and made("a", "b") == ["b"], "what was not used is not kept"


def test_it_is_made_anew_by_another_version_or_where_the_file_is_damaged(
    made, tmp_path, monkeypatch
) -> None:
    made("a")
    (tmp_path / "memo.json").write_bytes(
        (tmp_path / "memo.json").read_bytes().replace(b'"aa"', b'"ab"')
    )
    assert made("a") == ["a"] and made("a") == []
    monkeypatch.setattr(files, "version", lambda name: "another")
    assert made("a") == ["a"]


def test_outside_nothing_is_kept_and_no_folder_is_made_for_it(tmp_path) -> None:
    CALLS.clear()
    assert doubled("a") == doubled("a") and CALLS == ["a", "a"]
    with remembering(tmp_path / "none" / "memo.json"):
        doubled("a")
    assert not (tmp_path / "none").exists()
