"""CIFAR-10 as its authors publish it: `cifar-10-python.tar.gz`, five pickles to learn from and one
to test on.

A pickle holds a dict of `b"data"` (uint8, 10,000 rows of 3072: red, green, blue, each 32 rows of
32) and `b"labels"`. The archive is read in memory after its checksum was verified; an unpickler
that knows arrays alone reads it.
"""

import codecs
import io
import pickle
import tarfile
from typing import Any

import numpy as np
from jaxtyping import UInt8

from ams.data.safe_read import LARGEST, guarded, inflated, pickled

FOLDER, LEARNED, TESTED = (
    "cifar-10-batches-py",
    tuple(f"data_batch_{number}" for number in range(1, 6)),
    "test_batch",
)
Pixels = UInt8[np.ndarray, "n side side 3"]


def cifar_arrays(content: bytes, where: str) -> dict[str, np.ndarray]:
    """Return images (uint8, n x side x side x 3) and classes: `x_train`, `x_train_16`, `y_train`,
    `x_test`, `y_test`.

    `x_train_16` are the training images at 16 x 16 pixels. The checksum of `content` must be
    verified before. Raises UserError, one line that names `where`, for damage.
    """
    with (
        guarded(where, "CIFAR-10's archive"),
        tarfile.open(fileobj=io.BytesIO(inflated(content))) as archive,
    ):
        train, test = (_images(archive, names) for names in (LEARNED, (TESTED,)))
    arrays = {"x_train": train[0], "x_train_16": halved(train[0]), "y_train": train[1]}
    return arrays | {"x_test": test[0], "y_test": test[1]}


def halved(x: Pixels) -> Pixels:
    """Return images of half the side: each pixel the mean of a 2 x 2 block, halves up."""
    n, side = x.shape[:2]
    blocks = x.reshape(n, side // 2, 2, side // 2, 2, 3).sum((2, 4), dtype=np.uint16)
    return ((blocks + 2) // 4).astype(np.uint8)


def _images(archive: tarfile.TarFile, names: tuple[str, ...]) -> tuple[Pixels, np.ndarray]:
    """Return the images and classes of these pickles, one after another. Raises ValueError,
    KeyError.
    """
    parts = [_part(archive.extractfile(f"{FOLDER}/{name}").read(LARGEST)) for name in names]  # type: ignore[union-attr]
    x, y = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return np.ascontiguousarray(x.reshape(len(x), 3, 32, 32).transpose(0, 2, 3, 1)), y


def _part(content: bytes) -> tuple[np.ndarray, np.ndarray]:
    held = _ArrayUnpickler(io.BytesIO(pickled(content)), encoding="bytes").load()
    return held[b"data"], np.array(held[b"labels"], dtype=np.uint8)


class _ArrayUnpickler(pickle.Unpickler):
    """An unpickler of NumPy arrays and bytes, which knows no other names; Python 2's stand for
    today's.
    """

    def find_class(self, module_name: str, global_name: str) -> Any:
        """Return what a known name stands for. Raises ValueError for any other name."""
        if module_name.startswith("numpy") and global_name in ("ndarray", "dtype"):
            return getattr(np, global_name)
        if (
            module_name in ("numpy.core.multiarray", "numpy._core.multiarray")
            and global_name == "_reconstruct"
        ):
            return np.empty(0).__reduce__()[0]
        if (module_name, global_name) == ("_codecs", "encode"):
            return codecs.encode
        raise ValueError(f"it names {f'{module_name}.{global_name}'[:80]!r}, which no array needs")
