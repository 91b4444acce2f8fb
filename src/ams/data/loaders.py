"""Labelled images as NumPy arrays, values in [0, 1]. No torch here: the plan of a run needs the registry alone."""

from __future__ import annotations

import hashlib
import io
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from ams.data.files import read
from ams.data.registry import DATASETS, Dataset
from ams.ledger.problems import InputProblem

_DIGITS = "8f26b2bd9d135c256808f68f14fdabddde6d9c7f869ae419704b051f0f14b3b3"  # of the pixels as uint8


class Images(NamedTuple):
    """Images `x` (float32, values in [0, 1]) and their classes `y` (int64)."""

    x: Float[np.ndarray, "n *shape"]
    y: Int[np.ndarray, " n"]


def digits() -> Images:
    """Return the 1797 digits of 8 x 8 pixels that scikit-learn carries (UCI, Alpaydin and Kaynak 1998), over 16.

    Raises InputProblem where the installed scikit-learn holds other pixels.
    """
    from sklearn.datasets import load_digits  # takes a second to import: only where it is used

    raw = load_digits()
    pixels = raw.images.astype(np.uint8)
    found = hashlib.sha256(pixels.tobytes()).hexdigest()
    if found != _DIGITS:
        raise InputProblem(f"scikit-learn's digits: sha256 {found}, expected {_DIGITS}: install scikit-learn anew")
    return Images(pixels / np.float32(16), raw.target.astype(np.int64))


def images(name: str) -> Images:
    """Return a registered data set, pixels over 255, shaped `(n, *shape)` as registered.

    Raises Unavailable where no file of it can be had; InputProblem for a file that differs from the registered one.
    """
    path, file, content = read(name)
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        x, y = arrays[file.x], arrays[file.y]
    _check(str(path), x, y, DATASETS[name])
    return Images(x / np.float32(255), y.astype(np.int64))


def _check(where: str, x: np.ndarray, y: np.ndarray, dataset: Dataset) -> None:
    """Raise InputProblem unless the arrays are the registered ones, whatever file they came in."""
    expected = f"uint8 {dataset.shape} and labels of {dataset.shape[:1]} below {dataset.classes}"
    if (x.dtype, x.shape, y.shape) != (np.uint8, dataset.shape, dataset.shape[:1]) or int(y.max()) >= dataset.classes:
        raise InputProblem(f"{where}: images {x.dtype} {x.shape}, labels {y.dtype} {y.shape}; expected {expected}")
    found = hashlib.sha256(x.tobytes() + y.astype(np.uint8).tobytes()).hexdigest()
    if found != dataset.contents:
        raise InputProblem(f"{where}: arrays of sha256 {found}, expected {dataset.contents}: not {dataset.title}")
