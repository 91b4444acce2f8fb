"""NumPy arrays from `.npy` and `.npz` files: the header is checked against the bytes before
anything is allocated.
"""

import io
import math

import numpy as np
from numpy.lib import format as npy

from ams.data.safe_read import LARGEST, entries, guarded

_KINDS = "biufcSU"  # numbers, truth values and strings of a fixed width
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def load_arrays(content: bytes, where: str, largest: int = LARGEST) -> dict[str, np.ndarray]:
    """Return the arrays of an `.npz` file by name.

    Raises UserError, one line that names `where`: for damage, more than `largest` bytes, an entry
    that is no array, an array of Python objects or one whose header claims another size than the
    file has.
    """
    with guarded(where, "a readable .npz file"):
        held = entries(content, largest)
        arrays = {name.removesuffix(".npy"): _array(name, data) for name, data in held.items()}
        if len(arrays) < len(held):
            raise ValueError("two of its entries have one name")
        return arrays


def load_array(content: bytes, where: str, largest: int = LARGEST) -> np.ndarray:
    """Return the array of an `.npy` file. Raises as `load_arrays`."""
    with guarded(where, "a readable .npy file"):
        if len(content) > largest:
            raise ValueError(
                f"holds {len(content) >> 20} MiB, more than the {largest >> 20} allowed"
            )
        return _array("it", content)


def _array(name: str, content: bytes) -> np.ndarray:
    """Return the array in the `.npy` format that `content` is. Raises ValueError."""
    if not content.startswith(npy.MAGIC_PREFIX):
        raise ValueError(f"{name[:60]} is no array")
    stream = io.BytesIO(content)
    version = npy.read_magic(stream)
    if version not in _HEADERS:
        raise ValueError(f"{name[:60]} has the format version {version}; 1 and 2 are read")
    shape, _, dtype = _HEADERS[version](stream)
    if dtype.hasobject:
        raise ValueError(f"{name[:60]}: Object arrays cannot be loaded: they are pickles")
    if dtype.kind not in _KINDS or not dtype.itemsize:
        raise ValueError(
            f"{name[:60]} has elements of type {str(dtype)[:60]}: numbers and strings are read"
        )
    claimed, there = math.prod(shape) * dtype.itemsize, len(content) - stream.tell()
    if claimed != there or any(length < 0 for length in shape):
        raise ValueError(f"{name[:60]}: the header claims {claimed} bytes, {there} are there")
    array = npy.read_array(io.BytesIO(content), allow_pickle=False)
    return array.astype(dtype.newbyteorder("="), copy=False)  # torch takes no other order
