"""The registry: what each data set is, which files hold it, and how to have them.

One data set may be held by several files, in different containers: the checksum of each is of its bytes; the data
set's own, `contents`, is of the arrays, so a result does not depend on the container they came in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class File:
    """A file that holds a data set: NumPy arrays `x` and `y` under these names.

    `path` is relative to the mirror and to the cache, `size` in bytes; `address` is None where the file with these
    bytes has no public address.
    """

    path: str
    sha256: str
    size: int
    address: str | None = None
    x: str = "x"
    y: str = "y"


@dataclass(frozen=True)
class Dataset:
    """Labelled images, `x` uint8 of `shape`, `y` integers below `classes`.

    `contents` is the sha256 of the bytes of `x` followed by those of `y` as uint8. `files`: any one will do, in this
    order of preference. `obtain` says what a user can do who has none.
    """

    title: str
    shape: tuple[int, ...]
    classes: int
    contents: str
    files: tuple[File, ...]
    licence: str
    origin: str
    obtain: str


_KERAS_MNIST = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"


def _keras_mnist(split: str) -> File:
    """Return one split of the file with both, as Keras publishes it (and states its sha256)."""
    sha256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
    return File("keras/mnist.npz", sha256, 11_490_434, _KERAS_MNIST, x=f"x_{split}", y=f"y_{split}")


_MNIST_LICENCE = "CC BY-SA 3.0 (Yann LeCun and Corinna Cortes)"
_MNIST_ORIGIN = "http://yann.lecun.com/exdb/mnist/"
_MNIST_OBTAIN = f"run once with network access, or put {_KERAS_MNIST} at $AMS_DATA/keras/mnist.npz"

DATASETS: Mapping[str, Dataset] = {
    "mnist-train": Dataset(
        title="MNIST, 60,000 training images",
        shape=(60_000, 28, 28),
        classes=10,
        contents="edc0d1098aa497be14ace79ddd5171e5a3dcf9c4d196c015389203eb3ba1f59b",
        files=(
            File(
                "mnist/mnist_train.npz",
                "11bf48d67d8e90b9d940549ce9565b4921ad2ec150e4491e0c670aeb165169a9",
                9_851_278,
            ),
            _keras_mnist("train"),
        ),
        licence=_MNIST_LICENCE,
        origin=_MNIST_ORIGIN,
        obtain=_MNIST_OBTAIN,
    ),
    "mnist-test": Dataset(
        title="MNIST, 10,000 test images",
        shape=(10_000, 28, 28),
        classes=10,
        contents="c3f9adf9c66efb572b1f9326c3a511b45910c7173b97be66ceceeeeaef6b802b",
        files=(
            File(
                "mnist/mnist_test.npz",
                "3ba302235efdc3e7e4e84db9ce6a6d6cbc9dd1162d4e79dd0b6a606afc745423",
                1_639_219,
            ),
            _keras_mnist("test"),
        ),
        licence=_MNIST_LICENCE,
        origin=_MNIST_ORIGIN,
        obtain=_MNIST_OBTAIN,
    ),
    "cifar10-test": Dataset(
        title="CIFAR-10, 10,000 test images, sorted by class",
        shape=(10_000, 32, 32, 3),
        classes=10,
        contents="d73d532ddaf6883d8f23c83851d30286d66d864a63bd82d01389782e8062a211",
        files=(
            File(
                "cifar10/cifar10_test.npz",
                "0112b11defa0f9272a963d676deb5c9b61309d381a4e3f5d4e5ffa1020f93afa",
                28_173_884,
            ),
        ),
        licence="none stated",
        origin="https://www.cs.toronto.edu/~kriz/cifar.html",
        obtain="it has no public address in this form (the archive at its origin is in another order); "
        "have the file at $AMS_DATA/cifar10/cifar10_test.npz",
    ),
}


def registered() -> Mapping[str, str]:
    """Return the checksum of each data set's contents, by name: what a result computed from it depends on."""
    return {name: dataset.contents for name, dataset in DATASETS.items()}
