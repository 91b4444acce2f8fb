"""Where files are looked for, and that no byte passes unchecked; a server of this process stands in for the public."""

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pytest import MonkeyPatch

from ams.data import File, fetch, files, read, registered
from ams.data.registry import ENTRIES, Entry
from ams.errors import DataUnavailable, UserError

CONTENT = b"0123456789" * 1000
Register = Callable[..., None]


class Answer(BaseHTTPRequestHandler):
    """Serve CONTENT, damaged or endless or slow on request."""

    def do_GET(self) -> None:
        if self.path == "/missing":
            return self.send_error(404)
        self.send_response(200)
        self.end_headers()
        if self.path == "/slow":
            return time.sleep(1.0)
        self.wfile.write({"/damaged": CONTENT[::-1], "/endless": CONTENT * 50}.get(self.path, CONTENT))

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as running:
        threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: MonkeyPatch) -> Path:
    """Point the mirror and the cache at folders of this test."""
    monkeypatch.setenv("AMS_DATA", str(tmp_path / "mirror"))
    monkeypatch.setenv("AMS_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("AMS_OFFLINE", raising=False)
    return tmp_path


@pytest.fixture
def register(monkeypatch: MonkeyPatch) -> Register:
    """Return a function that registers a data set `toy` that CONTENT holds, in one file an address."""

    def make(*addresses: str | None) -> None:
        digest = hashlib.sha256(CONTENT).hexdigest()
        held = tuple(File(f"toy/{i}.bin", digest, len(CONTENT), address) for i, address in enumerate(addresses))
        toy = Entry(title="a toy", contents="", files=held, licence="CC0", origin="nowhere", obtain="ask its author")
        monkeypatch.setattr(files, "ENTRIES", {"toy": toy})

    return make


def put(path: Path, content: bytes = CONTENT) -> Path:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_the_mirror_comes_before_the_cache_and_the_public(place: Path, server: str, register: Register) -> None:
    register(server)
    assert fetch("toy") == place / "cache/toy/0.bin"  # downloaded
    assert (place / "cache/toy/0.bin").read_bytes() == CONTENT
    register("http://127.0.0.1:9/nobody")
    assert fetch("toy") == place / "cache/toy/0.bin"  # kept
    mirrored = put(place / "mirror/toy/0.bin")
    assert fetch("toy") == mirrored


def test_any_of_its_files_holds_a_data_set(place: Path, register: Register) -> None:
    register(None, None)
    second = put(place / "mirror/toy/1.bin")
    path, file, content = read("toy")
    assert (path, file.path, content) == (second, "toy/1.bin", CONTENT)


def test_a_link_out_of_the_mirror_is_followed_and_its_bytes_are_checked(place: Path, register: Register) -> None:
    register(None)
    (place / "mirror/toy").mkdir(parents=True)
    (place / "mirror/toy/0.bin").symlink_to(put(place / "store/object"))
    assert read("toy")[2] == CONTENT
    put(place / "store/object", b"secret" * 2000)
    with pytest.raises(UserError, match="12000 bytes, expected 10000") as refusal:
        read("toy")
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("special", ["/dev/zero", "pipe", "folder"])
def test_what_is_no_file_is_passed_over(place: Path, special: str, register: Register) -> None:
    register(None)
    path = place / "mirror/toy/0.bin"
    path.parent.mkdir(parents=True)
    makers = {"pipe": lambda: os.mkfifo(path), "folder": path.mkdir}
    makers.get(special, lambda: path.symlink_to(special))()
    with pytest.raises(DataUnavailable):
        read("toy")


def test_no_more_is_read_than_is_registered(place: Path, register: Register) -> None:
    register(None)
    put(place / "mirror/toy/0.bin", b"").open("wb").truncate(2**40)
    with pytest.raises(UserError, match=f"{2**40} bytes, expected 10000"):
        read("toy")


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT[::-1]], ids=["truncated", "edited"])
@pytest.mark.parametrize("folder", ["mirror", "cache"])
def test_a_file_that_differs_is_refused_in_one_line(place: Path, folder: str, content: bytes, register: Register):
    register("http://127.0.0.1:9/nobody")
    path = put(place / folder / "toy/0.bin", content)
    with pytest.raises(UserError, match="not the registered file; replace it by the original or delete it") as refusal:
        fetch("toy")
    assert str(path) in str(refusal.value) and "expected" in str(refusal.value) and "\n" not in str(refusal.value)


@pytest.mark.parametrize("page", ["missing", "damaged", "endless", "slow"])
def test_a_download_that_fails_leaves_nothing_and_says_why(place, server, page, register, monkeypatch):
    register(f"{server}/{page}")
    monkeypatch.setattr(files, "_SILENCE", 0.2)
    with pytest.raises(DataUnavailable, match=f"{page} does not give it .*: ask its author"):
        fetch("toy")
    assert [path.suffix for path in place.rglob("*") if path.is_file()] == [".missing"]


def test_what_a_killed_download_has_left_is_removed_once_nobody_writes_it(place, server, register) -> None:
    register(server)
    for name, age in (("tmpkilled0", 61.0), ("tmpworking", 30.0)):
        put(place / "cache/toy" / name)
        os.utime(place / "cache/toy" / name, (time.time() - age, time.time() - age))
    fetch("toy")
    assert {path.name for path in (place / "cache/toy").iterdir()} == {"0.bin", "tmpworking"}


def test_a_download_ends_at_its_deadline(place: Path, server: str, register: Register, monkeypatch) -> None:
    register(server)
    monkeypatch.setattr(files, "_TOTAL", -1.0)
    with pytest.raises(DataUnavailable, match=r"TimeoutError: \d+ of 10000 bytes"):
        fetch("toy")


def test_an_address_that_did_not_answer_is_asked_again_after_a_day_or_where_told(
    place: Path, server: str, register: Register, monkeypatch: MonkeyPatch
) -> None:
    register("http://127.0.0.1:9/nobody")
    with pytest.raises(DataUnavailable):
        fetch("toy")
    register(server)
    with pytest.raises(DataUnavailable, match="did not give it when last asked \\(--fetch asks again\\)"):
        fetch("toy")
    (note,) = place.rglob("*.missing")
    with monkeypatch.context() as told:
        told.setenv("AMS_FETCH", "1")
        assert fetch("toy").is_file() and not note.exists()
    fetch("toy").unlink()
    assert fetch("toy").is_file()
    fetch("toy").unlink()
    note.touch()
    os.utime(note, (0, 0))
    assert fetch("toy").is_file()


def test_offline_nothing_is_asked(place: Path, server: str, register: Register, monkeypatch: MonkeyPatch) -> None:
    register(server)
    monkeypatch.setenv("AMS_OFFLINE", "1")
    with pytest.raises(DataUnavailable, match="AMS_OFFLINE=1 forbids its download: ask its author"):
        fetch("toy")
    assert not (place / "cache").exists()


def test_without_a_public_address_it_says_how_to_have_it(place: Path, register: Register, monkeypatch) -> None:
    register(None)
    monkeypatch.delenv("AMS_DATA")
    with pytest.raises(DataUnavailable, match=r"toy \(a toy\) is not under .*cache: ask its author"):
        fetch("toy")


def test_an_unknown_name_is_refused_with_those_near_it() -> None:
    with pytest.raises(UserError, match="mnist-test"):
        fetch("mnist-tset")


@pytest.mark.parametrize("name", ENTRIES)
def test_entries_are_whole(name: str) -> None:
    entry = ENTRIES[name]
    assert len(registered()[name]) == 64 and registered()[name] == entry.contents
    assert entry.licence and entry.origin.startswith("http") and entry.obtain
    for file in entry.files:
        assert len(file.sha256) == 64 and 0 < file.size < 2**28
        assert not Path(file.path).is_absolute() and ".." not in Path(file.path).parts
