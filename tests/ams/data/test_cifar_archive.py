"""CIFAR-10's public archive: a made one of the same form gives the registered images; damage is one line."""

import hashlib
import io
import pickle
import tarfile

import numpy as np
import pytest

from ams.data import DATASETS, images, registry
from ams.data.cifar_archive import FOLDER, LEARNED, TESTED, cifar_arrays, halved
from ams.errors import UserError
from tests.ams.tools import found_or_skipped


def archive_of(x: np.ndarray, y: np.ndarray, parts: dict[str, object] | None = None) -> bytes:
    """Return an archive with the images to learn from in five pickles, the first ten of them also to test on."""
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


X = np.random.default_rng(1).integers(0, 256, (50, 32, 32, 3), dtype=np.uint8)
Y = (np.arange(50) % 10).astype(np.uint8)


def test_an_archive_gives_its_images_by_rows_and_columns():
    held = cifar_arrays(archive_of(X, Y), "it")
    np.testing.assert_array_equal(held["x_train"], X)
    np.testing.assert_array_equal(held["y_train"], Y)
    np.testing.assert_array_equal(held["x_test"], X[:10])
    np.testing.assert_array_equal(held["x_train_16"], halved(X))


def test_a_pixel_of_half_the_side_is_the_mean_of_four_halves_up():
    block = np.array([[1, 2], [2, 1]], dtype=np.uint8)
    image = np.tile(block[None, :, :, None], (1, 2, 2, 3))
    assert halved(image).shape == (1, 2, 2, 3) and (halved(image) == 2).all()
    assert (halved(np.full((1, 2, 2, 3), 255, dtype=np.uint8)) == 255).all()


@pytest.mark.slow
def test_an_archive_of_the_registered_images_is_they_in_any_order(monkeypatch, tmp_path):
    """One in 20 of the mirror's images, each pixel four times, shuffled, are an archive that at 16 x 16 has those."""
    x, y = (each[::20] for each in found_or_skipped(images, "cifar10-train-16"))
    pixels, classes = (x * 255).round().numpy().astype(np.uint8), y.numpy().astype(np.uint8)
    order = np.random.default_rng(2).permutation(len(x))
    content = archive_of(pixels.repeat(2, axis=1).repeat(2, axis=2)[order], classes[order])
    (tmp_path / "a.tar.gz").write_bytes(content)
    file = registry.File("a.tar.gz", hashlib.sha256(content).hexdigest(), len(content), None, "x_train_16", "y_train")
    about = {name: getattr(DATASETS["cifar10-train-16"], name) for name in DATASETS["mnist-test"].__dataclass_fields__}
    about |= {"shape": x.shape, "contents": hashlib.sha256(pixels.tobytes() + classes.tobytes()).hexdigest()}
    made = {"cifar10-train-16": registry.Dataset(**about | {"files": (file,)})}
    monkeypatch.setattr("ams.data.files.ENTRIES", made)
    monkeypatch.setattr("ams.data.loaders.DATASETS", made)
    monkeypatch.setenv("AMS_DATA", str(tmp_path))
    again = images("cifar10-train-16")
    assert bool((again.x == x).all()) and bool((again.y == y).all())


class Hostile:
    """What a pickle could be made to run."""

    def __reduce__(self):
        return print, ("run",)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (archive_of(X, Y)[:-200], "it: not CIFAR-10's archive"),
        (archive_of(X, Y, {TESTED: {b"data": Hostile(), b"labels": []}}), "which no array needs"),
        (archive_of(X, Y, {TESTED: {b"labels": []}}), "KeyError"),
    ],
)
def test_another_archive_is_refused_in_one_line(content, match, capsys):
    with pytest.raises(UserError, match=match):
        cifar_arrays(content, "it")
    assert not capsys.readouterr().out
