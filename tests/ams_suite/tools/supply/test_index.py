"""What an index says: files of a release with checksums, advisories or none; and what it fails to say."""

import functools
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ams_suite.lock import CHECKSUMS, LOCK, Pin, checksums, pins
from ams_suite.tools.supply import command, index
from verdicts.errors import UserError

PIN = Pin("Tiny_Thing", "1.0")
SHA = "ab" * 32


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder, and the address of an index that serves it; a folder answers with its index.html."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=tmp_path))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield tmp_path, f"http://127.0.0.1:{server.server_port}/simple"
    server.shutdown()
    server.server_close()


def files(folder: Path, *names: str, hashes: dict[str, str] | None = None) -> None:
    place = folder / "simple/tiny-thing/index.html"
    place.parent.mkdir(parents=True)
    given = {"sha256": SHA} if hashes is None else hashes
    place.write_text(json.dumps({"files": [{"filename": name, "hashes": given} for name in names]}))


def test_files_of_the_release_that_a_platform_can_use_are_listed(served) -> None:
    folder, address = served
    kept = ["tiny_thing-1.0-cp311-cp311-manylinux2014_x86_64.whl", "tiny_thing-1.0-cp38-abi3-macosx_11_0_arm64.whl"]
    kept += ["tiny_thing-1.0-py3-none-any.whl", "tiny_thing-1.0.tar.gz"]
    left = ["tiny_thing-1.0-cp311-cp311-win_amd64.whl", "tiny_thing-1.0-cp39-cp39-manylinux2014_x86_64.whl"]
    left += ["tiny_thing-1.0.1.tar.gz", "tiny_thing-1.0.egg", "tiny_thing-1.0-cp313-cp313t-macosx_11_0_arm64.whl"]
    files(folder, *left, *reversed(kept))
    assert list(index.listing([PIN], address)) == [f"{SHA}  {name}" for name in kept]


@pytest.mark.parametrize(
    ("names", "hashes"), [((), None), (("tiny_thing-1.0.tar.gz",), {}), (("other-1.tar.gz",), None)]
)
def test_an_index_without_the_release_or_its_checksum_is_named(served, names, hashes) -> None:
    folder, address = served
    files(folder, *names, hashes=hashes)
    with pytest.raises(UserError, match=r"Tiny_Thing==1\.0: .* has no file of it, or no sha256"):
        list(index.listing([PIN], address))


def test_an_index_that_does_not_answer_or_answers_otherwise_is_named(served) -> None:
    folder, address = served
    with pytest.raises(UserError, match="has no list of its files"):
        list(index.listing([PIN], address))
    files(folder)
    (folder / "simple/tiny-thing/index.html").write_text("<html>")
    with pytest.raises(UserError, match="has no list of its files"):
        list(index.listing([PIN], address))
    with pytest.raises(UserError, match="does not answer"):
        list(index.listing([PIN], "http://127.0.0.1:9/simple"))


def test_advisories_are_read_where_the_index_has_them(served, monkeypatch) -> None:
    folder, address = served
    assert index.advisories([PIN], address) == ([], [PIN])
    place = folder / "pypi/tiny-thing/1.0/json"
    place.parent.mkdir(parents=True)
    known = {"id": "PYSEC-1", "fixed_in": ["1.1"], "summary": "A hole.\nWide."}
    place.write_text(json.dumps({"vulnerabilities": [known, known | {"withdrawn": "2026"}]}))
    said: list[str] = []
    monkeypatch.setenv("PIP_INDEX_URL", f"{address}/")
    assert command._advisories([PIN], said.append) == [
        "advisories: Tiny_Thing==1.0: PYSEC-1, mended in 1.1: A hole. Wide."
    ]
    assert said == ["advisories: 1 of the pinned releases"]
    other = PIN._replace(name="other")
    assert len(command._advisories([PIN, other], said.append)) == 1
    assert said[-1] == "advisories: 1 of the pinned releases; it knows nothing of other"
    place.write_text("{}")
    assert command._advisories([PIN], said.append) == [] and "the index gives none" in said[-1]


def test_every_pin_has_listed_files_and_every_file_a_pin() -> None:
    pinned, listed = pins(LOCK.read_text()), checksums(CHECKSUMS.read_text())
    assert command.unlisted(pinned, listed) == []
    first = next(iter(pinned))
    rest = {name: pin for name, pin in pinned.items() if name != first}
    assert all(first in line for line in command.unlisted(rest, listed)) and command.unlisted(rest, listed)
    assert len(command.unlisted(pinned | {"tiny": PIN}, listed)) == 1


def test_the_command_says_what_it_finds(tmp_path: Path, monkeypatch) -> None:
    said: list[str] = []
    assert command.supply(tmp_path / "bom.json", False, False, said.append) == 0
    assert json.loads((tmp_path / "bom.json").read_text())["bomFormat"] == "CycloneDX"
    assert any(line.startswith("numpy ") for line in said) and said[-1].endswith("0 problems")
    monkeypatch.setattr(command, "CHECKSUMS", tmp_path / "sums")
    with pytest.raises(UserError, match="sums cannot be read"):
        command.supply(None, False, False, said.append)
    (tmp_path / "sums").write_text("none\n")
    with pytest.raises(UserError, match="ams supply --pin"):
        command.supply(None, False, False, said.append)
    (tmp_path / "sums").write_text("")
    assert command.supply(None, False, False, said.append) == 1 and "lists no file of" in said[-2]


def test_pinning_writes_the_list_whole(served, tmp_path: Path, monkeypatch) -> None:
    folder, address = served
    files(folder, "tiny_thing-1.0.tar.gz")
    monkeypatch.setenv("PIP_INDEX_URL", address)
    (tmp_path / "lock").write_text("Tiny_Thing==1.0\ntorch>=2\n")
    monkeypatch.setattr(command, "LOCK", tmp_path / "lock")
    monkeypatch.setattr(command, "CHECKSUMS", tmp_path / "sums")
    assert command.supply(None, True, False, lambda line: None) == 0
    assert checksums((tmp_path / "sums").read_text()) == {"tiny_thing-1.0.tar.gz": SHA}
