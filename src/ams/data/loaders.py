"""What the registry names: images as tensors with values in [0, 1], graphs, SMILES, weights.

Torch and scikit-learn take a second each to import. They are imported where they are used, since
the plan of a run and the keys of records need only the registry.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from ams.data.arrays import load_arrays
from ams.data.checkpoints import load_weights
from ams.data.cifar_archive import cifar_arrays
from ams.data.files import read
from ams.data.graphlists import Graph, load_graphs, unpickled_graphs
from ams.data.registry import DATASETS, GRAPHS, MOLECULES, WEIGHTS, Dataset, Entry, File
from ams.errors import UserError, unknown

if TYPE_CHECKING:
    from torch import Tensor

# sha256 of the pixels as uint8
_DIGITS = "8f26b2bd9d135c256808f68f14fdabddde6d9c7f869ae419704b051f0f14b3b3"


class Images(NamedTuple):
    """Images `x` (float32, values in [0, 1]) and their classes `y` (int64)."""

    x: "Float[Tensor, ' n *shape']"
    y: "Int[Tensor, ' n']"


def digits() -> Images:
    """Return the 1797 digits of 8 x 8 pixels in scikit-learn (UCI, Alpaydin and Kaynak 1998),
    divided by 16.

    Raises UserError if the installed scikit-learn has other pixels.
    """
    import torch
    from sklearn.datasets import load_digits

    raw = load_digits()
    pixels = raw.images.astype(np.uint8)
    _demand("scikit-learn's digits", pixels.tobytes(), _DIGITS, "install scikit-learn anew")
    return Images(torch.from_numpy(pixels).float() / 16, torch.from_numpy(raw.target).long())


def images(name: str) -> Images:
    """Return a registered data set `(n, *shape)`, with pixels divided by 255. Raises as
    `ams.data.fetch`.
    """
    import torch

    path, file, content = _read("set of images", name, DATASETS)
    arrays = (cifar_arrays if file.path.endswith(".tar.gz") else load_arrays)(content, str(path))
    if missing := sorted({file.x, file.y} - arrays.keys()):
        raise UserError(f"{path}: no array {', '.join(missing)}: not {DATASETS[name].title}")
    x, y = (_sorted if DATASETS[name].sort else tuple)((arrays[file.x], arrays[file.y]))
    _check_images(str(path), x, y, DATASETS[name], file)
    return Images(torch.from_numpy(x).float().div_(255), torch.from_numpy(y).long())


def graphs(name: str) -> list[Graph]:
    """Return a registered list of graphs. Raises as `ams.data.fetch`."""
    path, file, content = _read("list of graphs", name, GRAPHS)
    listed = (unpickled_graphs if file.path.endswith(".pkl") else load_graphs)(content, str(path))
    _demand(
        str(path),
        json.dumps(listed, separators=(",", ":")).encode(),
        GRAPHS[name].contents,
        f"not {name}",
    )
    return listed


def smiles(name: str) -> list[str]:
    """Return a registered list of molecules as SMILES, in the order of its file. Raises as
    `ams.data.fetch`.
    """
    path, _, content = _read("list of molecules", name, MOLECULES)
    listed = content.decode("ascii").splitlines()
    if len(listed) != MOLECULES[name].count:
        raise UserError(
            f"{path}: {len(listed)} molecules, expected {MOLECULES[name].count}: not {name}"
        )
    return listed


def weights(name: str) -> Any:
    """Return the contents of a registered file of weights, with tensors on the CPU. Raises as
    `ams.data.fetch`.
    """
    path, _, content = _read("file of weights", name, WEIGHTS)
    return load_weights(content, str(path))


def _read(kind: str, name: str, known: Mapping[str, Entry]) -> tuple[Path, File, bytes]:
    """Return place, `File` and bytes of an entry of one kind."""
    if name not in known:
        raise unknown(kind, name, known)
    return read(name)


def _demand(where: str, content: bytes, sha256: str, otherwise: str) -> None:
    """Raise UserError unless the content has this checksum."""
    actual = hashlib.sha256(content).hexdigest()
    if actual != sha256:
        raise UserError(f"{where}: contents of sha256 {actual}, expected {sha256}: {otherwise}")


def _sorted(arrays: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return images and classes in the order of class, then of the pixels' bytes."""
    x, y = arrays
    pixels = np.ascontiguousarray(x).reshape(len(x), -1)
    order = np.argsort(pixels.view(f"V{pixels.shape[1]}").ravel(), kind="stable")
    order = order[np.argsort(y[order], kind="stable")]
    return x[order], y[order]


def _check_images(where: str, x: np.ndarray, y: np.ndarray, dataset: Dataset, file: File) -> None:
    """Raise UserError unless the arrays are the registered ones, in whatever file they came."""
    expected = f"uint8 {dataset.shape} and labels of {dataset.shape[:1]} below {dataset.classes}"
    right = x.dtype == np.uint8 and (x.shape, y.shape) == (dataset.shape, dataset.shape[:1])
    if not right or int(y.max()) >= dataset.classes:
        raise UserError(
            f"{where}: images {x.dtype} {x.shape}, labels {y.dtype} {y.shape}; expected {expected}"
        )
    if dataset.contents != file.sha256:  # that of the only file was verified
        _demand(
            where,
            x.tobytes() + y.astype(np.uint8).tobytes(),
            dataset.contents,
            f"not {dataset.title}",
        )
