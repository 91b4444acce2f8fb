"""Reading of traces: the arrays of an .npz file, checked against a table of shapes.

A shape is a string of axis names, such as "B N F"; "" stands for a number. Axes with the same name have the same size,
and "*" stands for one or more further axes. Every fault is a UserError, one line with the file and the array.
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ams.data.arrays import load_arrays
from ams.data.safe_read import content_of
from ams.errors import UserError

LARGEST = 64 * 2**20
"""The most bytes of a trace."""

Arrays = Mapping[str, np.ndarray]
Shapes = Mapping[str, str]


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of an .npz file. Raises UserError for a file that is damaged, not readable or too large."""
    return load_arrays(content_of(path, LARGEST), str(path), LARGEST)


def check_values(
    path: Path,
    arrays: Arrays,
    shapes: Shapes,
    positive: Collection[str] = (),
    counts: Collection[str] = (),
    all_nan: Collection[str] = (),
) -> None:
    """Raise UserError unless all arrays of `shapes` are there, with finite numbers and the right number of axes.

    Those named `positive` must be above 0, and those named `counts` whole and above 0. An array of `all_nan` may have
    only nan.
    """
    if missing := sorted(shapes.keys() - arrays.keys()):
        raise UserError(f"{path}: no array {', '.join(missing)}")
    for name, shape in shapes.items():
        array, axes = arrays[name], shape.split()
        if array.dtype.kind not in "biuf":
            raise UserError(f"{path}: array {name} has elements of type {array.dtype}")
        if array.ndim < len(axes) or ("*" not in axes and array.ndim > len(axes)):
            raise UserError(f"{path}: array {name} has the shape {array.shape}, wanted ({shape})")
        if not np.isfinite(array).all() and not (name in all_nan and np.isnan(array).all()):
            raise UserError(f"{path}: array {name} has values that are not finite")
        if (name in positive or name in counts) and not (array > 0).all():
            raise UserError(f"{path}: array {name} has values that are not positive")
        if name in counts and (array != np.floor(array)).any():
            raise UserError(f"{path}: {name} is {array}, where a whole number is wanted")


def check_sizes(path: Path, arrays: Arrays, shapes: Shapes, sizes: Mapping[str, int] | None = None) -> None:
    """Raise UserError unless axes of the same name have the same size, not 0; `sizes` prescribes some of them."""
    expected: dict[str, Any] = dict(sizes or {})
    for name, shape in shapes.items():
        axes, actual = shape.split(), arrays[name].shape
        fixed = len(axes) - ("*" in axes)
        for axis, size in zip(axes, [*actual[:fixed], actual[fixed:]], strict=False):
            if size != expected.setdefault(axis, size) or size == 0:
                raise UserError(f"{path}: array {name} has {size} along {axis}, where {expected[axis]} is wanted")
