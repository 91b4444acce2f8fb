"""Labelled images as tensors, values in [0, 1].

Torch and scikit-learn, a second each to import, are imported where they are used: the plan of a run and the keys of
records need the registry alone.
"""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from ams.data.files import read
from ams.data.registry import DATASETS, Dataset
from ams.ledger.problems import InputProblem

if TYPE_CHECKING:
    from torch import Tensor

_DIGITS = "8f26b2bd9d135c256808f68f14fdabddde6d9c7f869ae419704b051f0f14b3b3"  # of the pixels as uint8


class Images(NamedTuple):
    """Images `x` (float32, values in [0, 1]) and their classes `y` (int64)."""

    x: Float[Tensor, "n *shape"]
    y: Int[Tensor, " n"]


def digits() -> Images:
    """Return the 1797 digits of 8 x 8 pixels that scikit-learn carries (UCI, Alpaydin and Kaynak 1998), over 16.

    Raises InputProblem where the installed scikit-learn holds other pixels.
    """
    import torch
    from sklearn.datasets import load_digits

    raw = load_digits()
    pixels = raw.images.astype(np.uint8)
    found = hashlib.sha256(pixels.tobytes()).hexdigest()
    if found != _DIGITS:
        raise InputProblem(f"scikit-learn's digits: sha256 {found}, expected {_DIGITS}: install scikit-learn anew")
    return Images(torch.from_numpy(pixels).float() / 16, torch.from_numpy(raw.target).long())


def images(name: str) -> Images:
    """Return a registered data set, pixels over 255, shaped `(n, *shape)` as registered.

    Raises Unavailable where no file of it can be had; InputProblem for a file that differs from the registered one.
    """
    import torch

    path, file, content = read(name)
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        x, y = arrays[file.x], arrays[file.y]
    _check(str(path), x, y, DATASETS[name])
    return Images(torch.from_numpy(x).float().div_(255), torch.from_numpy(y).long())


def _check(where: str, x: np.ndarray, y: np.ndarray, dataset: Dataset) -> None:
    """Raise InputProblem unless the arrays are the registered ones, whatever file they came in."""
    expected = f"uint8 {dataset.shape} and labels of {dataset.shape[:1]} below {dataset.classes}"
    if (x.dtype, x.shape, y.shape) != (np.uint8, dataset.shape, dataset.shape[:1]) or int(y.max()) >= dataset.classes:
        raise InputProblem(f"{where}: images {x.dtype} {x.shape}, labels {y.dtype} {y.shape}; expected {expected}")
    found = hashlib.sha256(x.tobytes() + y.astype(np.uint8).tobytes()).hexdigest()
    if found != dataset.contents:
        raise InputProblem(f"{where}: arrays of sha256 {found}, expected {dataset.contents}: not {dataset.title}")
