"""What the registry names, by name: images as tensors with values in [0, 1], graphs, SMILES, weights.

Torch and scikit-learn, a second each to import, are imported where they are used: the plan of a run and the keys of
records need the registry alone.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from ams.data.arrays import load_arrays
from ams.data.checkpoints import load_weights
from ams.data.files import read
from ams.data.graphlists import Graph, load_graphs
from ams.data.registry import DATASETS, GRAPHS, MOLECULES, WEIGHTS, Dataset
from ams.errors import UserError, unknown

if TYPE_CHECKING:
    from torch import Tensor

_DIGITS = "8f26b2bd9d135c256808f68f14fdabddde6d9c7f869ae419704b051f0f14b3b3"  # of the pixels as uint8


class Images(NamedTuple):
    """Images `x` (float32, values in [0, 1]) and their classes `y` (int64)."""

    x: Float[Tensor, " n *shape"]
    y: Int[Tensor, " n"]


def digits() -> Images:
    """Return the 1797 digits of 8 x 8 pixels that scikit-learn carries (UCI, Alpaydin and Kaynak 1998), over 16.

    Raises UserError where the installed scikit-learn holds other pixels.
    """
    import torch
    from sklearn.datasets import load_digits

    raw = load_digits()
    pixels = raw.images.astype(np.uint8)
    found = hashlib.sha256(pixels.tobytes()).hexdigest()
    if found != _DIGITS:
        raise UserError(f"scikit-learn's digits: sha256 {found}, expected {_DIGITS}: install scikit-learn anew")
    return Images(torch.from_numpy(pixels).float() / 16, torch.from_numpy(raw.target).long())


def images(name: str) -> Images:
    """Return a registered data set, pixels over 255, shaped `(n, *shape)` as registered.

    Raises DataUnavailable where no file of it can be had; UserError for a file that differs from the registered one.
    """
    import torch

    if name not in DATASETS:
        raise unknown("set of images", name, DATASETS)
    path, file, content = read(name)
    arrays = load_arrays(content, str(path))
    if missing := sorted({file.x, file.y} - arrays.keys()):
        raise UserError(f"{path}: no array {', '.join(missing)}: not {DATASETS[name].title}")
    x, y = arrays[file.x], arrays[file.y]
    _check(str(path), x, y, DATASETS[name])
    return Images(torch.from_numpy(x).float().div_(255), torch.from_numpy(y).long())


def graphs(name: str) -> list[Graph]:
    """Return a registered list of graphs.

    Raises DataUnavailable where no file of it can be had; UserError for a file that differs from the registered one.
    """
    if name not in GRAPHS:
        raise unknown("list of graphs", name, GRAPHS)
    path, _, content = read(name)
    listed = load_graphs(content, str(path))
    found = hashlib.sha256(json.dumps(listed, separators=(",", ":")).encode()).hexdigest()
    if found != GRAPHS[name].contents:
        raise UserError(f"{path}: graphs of sha256 {found}, expected {GRAPHS[name].contents}: not {name}")
    return listed


def smiles(name: str) -> list[str]:
    """Return a registered list of molecules as SMILES, in its order. Raises as `graphs`."""
    if name not in MOLECULES:
        raise unknown("list of molecules", name, MOLECULES)
    path, _, content = read(name)
    listed = content.decode("ascii").splitlines()
    if len(listed) != MOLECULES[name].count:
        raise UserError(f"{path}: {len(listed)} molecules, expected {MOLECULES[name].count}: not {name}")
    return listed


def weights(name: str) -> Any:
    """Return what a registered file of weights holds, tensors on the CPU. Raises as `graphs`."""
    if name not in WEIGHTS:
        raise unknown("file of weights", name, WEIGHTS)
    path, _, content = read(name)
    return load_weights(content, str(path))


def _check(where: str, x: np.ndarray, y: np.ndarray, dataset: Dataset) -> None:
    """Raise UserError unless the arrays are the registered ones, whatever file they came in."""
    expected = f"uint8 {dataset.shape} and labels of {dataset.shape[:1]} below {dataset.classes}"
    shapes = (x.shape, y.shape) == (dataset.shape, dataset.shape[:1])
    if x.dtype != np.uint8 or not shapes or int(y.max()) >= dataset.classes:
        raise UserError(f"{where}: images {x.dtype} {x.shape}, labels {y.dtype} {y.shape}; expected {expected}")
    found = hashlib.sha256(x.tobytes() + y.astype(np.uint8).tobytes()).hexdigest()
    if found != dataset.contents:
        raise UserError(f"{where}: arrays of sha256 {found}, expected {dataset.contents}: not {dataset.title}")
