"""Loaders: what passes is what was registered, from whichever file; MNIST and CIFAR-10 where they can be had."""

import gzip
import hashlib
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from ams.data import DATASETS, MOLECULES, Graph, digits, graphs, images, registry, smiles, weights
from ams.errors import UserError
from tests.ams.tools import found_or_skipped

X = np.arange(5 * 4, dtype=np.uint8).reshape(5, 2, 2)
Y = np.array([0, 1, 2, 1, 0], dtype=np.uint8)


ABOUT = {"title": "a toy", "licence": "CC0", "origin": "http://x", "obtain": "ask"}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that writes a file `toy` and registers it as the only entry of a table of the registry."""

    def make(table: str, kind: type, content: bytes, contents: str, **more: object) -> None:
        (tmp_path / "toy").write_bytes(content)
        file = registry.File("toy", sha256(content), len(content), x="x_train", y="y_train")
        entries = {"toy": kind(**ABOUT, **more, contents=contents, files=(file,))}
        monkeypatch.setattr("ams.data.files.ENTRIES", entries)
        monkeypatch.setattr(f"ams.data.loaders.{table}", entries)
        monkeypatch.setenv("AMS_DATA", str(tmp_path))

    return make


@pytest.fixture
def toy(register):
    """Return a function that registers arrays as the data set `toy`, whose contents are X and Y."""

    def make(**arrays: np.ndarray) -> None:
        stream = io.BytesIO()
        np.savez(stream, **arrays)
        contents = sha256(X.tobytes() + Y.tobytes())
        register("DATASETS", registry.Dataset, stream.getvalue(), contents, shape=X.shape, classes=3)

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
def test_other_arrays_in_a_registered_container_are_refused(toy, x: np.ndarray, y: np.ndarray, match: str) -> None:
    toy(x_train=x, y_train=y)
    with pytest.raises(UserError, match=match):
        images("toy")


def test_a_registered_container_without_the_arrays_is_refused(toy) -> None:
    toy(x_train=X, other=Y)
    with pytest.raises(UserError, match="no array y_train: not a toy"):
        images("toy")


@pytest.mark.parametrize(
    ("load", "name"), [(images, "gdss-qm9"), (graphs, "mnist-test"), (weights, "grid"), (smiles, "grid")]
)
def test_a_name_of_another_kind_is_refused(load, name: str) -> None:
    with pytest.raises(UserError, match=f"unknown .* '{name}'"):
        load(name)


def test_graphs_are_those_registered(register) -> None:
    listed = b"[[3,[[0,1]]]]"
    register("GRAPHS", registry.Entry, gzip.compress(listed), sha256(listed), count=1)
    assert graphs("toy") == [Graph(3, ((0, 1),))]
    register("GRAPHS", registry.Entry, gzip.compress(b"[[2,[[0,1]]]]"), sha256(listed), count=1)
    with pytest.raises(UserError, match=r"contents of sha256 .*: not toy"):
        graphs("toy")


def test_weights_are_those_registered(register, tmp_path: Path) -> None:
    stream = io.BytesIO()
    torch.save({"w": torch.ones(2)}, stream)
    register("WEIGHTS", registry.Entry, stream.getvalue(), "")
    assert weights("toy")["w"].tolist() == [1.0, 1.0]
    (tmp_path / "toy").write_bytes(stream.getvalue()[::-1])
    with pytest.raises(UserError, match="sha256"):
        weights("toy")


def test_a_line_is_a_molecule_with_or_without_a_last_line_end(register) -> None:
    for listed in (b"CCO\nc1ccccc1\nN#N", b"CCO\nc1ccccc1\nN#N\n"):
        register("MOLECULES", registry.Entry, listed, "", count=3)
        assert smiles("toy") == ["CCO", "c1ccccc1", "N#N"]
    register("MOLECULES", registry.Entry, b"CCO\n", "", count=2)
    with pytest.raises(UserError, match="1 molecules, expected 2"):
        smiles("toy")


@pytest.mark.parametrize("name", MOLECULES)
def test_registered_molecules_are_read(name: str) -> None:
    listed = found_or_skipped(smiles, name)
    assert len(listed) == MOLECULES[name].count and all(listed)


def test_digits_are_those_of_the_installation() -> None:
    x, y = digits()
    assert x.shape == (1797, 8, 8) and x.dtype == torch.float32 and y.bincount().tolist()[:3] == [178, 182, 177]
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
    code = "import sys; from ams.data import registered; registered(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
