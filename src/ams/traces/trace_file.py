"""Traces of the authors' image samplers: a run's settings, its noise, and the states that it passed through.

The target of every trace is an isotropic Gaussian mixture with `weights` (K), `means` (K, d) and standard deviation
`s0`. Traces of annealed runs have `sigmas` (L) and `T` steps per noise level. Traces of predictor-corrector runs have
times `t` (N) and `n_steps` corrector steps at each of them.

A shape is a string of axis names, such as "B N F"; "" stands for a number. Axes with the same name have the same size,
and "*" stands for one or more further axes. Every fault is a UserError, one line with the file and the array.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ams.data.arrays import load_arrays
from ams.data.safe_read import content_of
from ams.errors import UserError
from ams.targets import GaussianMixture

_LARGEST = 64 * 2**20  # bytes of a trace
_MOST_STEPS, _MOST_TERMS, _MOST = 2**16, 2**22, 2**32  # of a run, of a step's score (K B d), of both together
_TARGET = {"weights": "K", "means": "K d", "s0": ""}
_ANNEALED = {"x0": "B *", "sigmas": "L", "T": "", "eps": "", "ams_beta_last_of_level": "L"} | {
    f"{kind}_{what}": shape
    for kind in ("ald", "ams")
    for what, shape in {"traj": "LT B *", "noise": "LT B *", "denoised": "B *"}.items()
}
_CORRECTED = {
    **{"x0": "B *", "N": "", "snr": "", "n_steps": "", "eps": "", "t": "N", "beta": "N", "noise": "D B *"},
    **dict.fromkeys(("after_corrector", "after_predictor", "predictor_mean"), "N B *"),
}
_COUNTS = {"T", "N", "n_steps"}
_POSITIVE = {"s0", "eps", "snr", "sigmas"} | _COUNTS

Arrays = Mapping[str, np.ndarray]
Shapes = Mapping[str, str]


class Trace(NamedTuple):
    """A valid trace: its arrays as float64 tensors, and its target."""

    arrays: dict[str, Tensor]
    target: GaussianMixture

    def integer(self, name: str) -> int:
        """Return an entry as an integer."""
        return int(self.arrays[name])

    def number(self, name: str) -> float:
        """Return an entry as a float."""
        return float(self.arrays[name])


def load(path: Path) -> Trace:
    """Read and check a trace; beta is nan throughout for Langevin, which has none.

    Raises UserError for an array that is missing, of another type or shape, not finite or not positive, and for sizes
    that disagree.
    """
    arrays = load_arrays(content_of(path, _LARGEST), str(path), _LARGEST)
    annealed = "sigmas" in arrays
    shapes = _TARGET | (_ANNEALED if annealed else _CORRECTED)
    check_values(path, arrays, shapes)
    if annealed:
        sizes = {"LT": len(arrays["sigmas"]) * int(arrays["T"])}
    else:
        sizes = {"N": int(arrays["N"]), "D": int(arrays["N"]) * (int(arrays["n_steps"]) + 1)}
    check_sizes(path, arrays, shapes, sizes)
    if arrays["means"].shape[1] != arrays["x0"][0].size:
        raise UserError(f"{path}: means have dimension {arrays['means'].shape[1]}, samples {arrays['x0'][0].size}")
    _refuse_large(path, next(len(arrays[name]) for name in ("ald_noise", "noise") if name in arrays), arrays)
    tensors = {name: torch.from_numpy(arrays[name].astype(np.float64)) for name in shapes}
    try:
        return Trace(tensors, GaussianMixture(tensors["weights"], tensors["means"], float(tensors["s0"]) ** 2))
    except (ValueError, OverflowError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise UserError(f"{path}: weights, means and s0 make no mixture: {reason}") from None


def _refuse_large(path: Path, steps: int, arrays: Arrays) -> None:
    """Raise UserError for a run that would take hours: compressed, it may be a small file."""
    terms = arrays["x0"].size * len(arrays["weights"])
    if steps > _MOST_STEPS or terms > _MOST_TERMS or steps * terms > _MOST:
        most = f"at most {_MOST_STEPS} steps, {_MOST_TERMS} terms and {_MOST} together are replayed"
        raise UserError(f"{path}: {steps} steps, each of a score with {terms} terms (means, samples, entries): {most}")


def check_values(path: Path, arrays: Arrays, shapes: Shapes) -> None:
    """Raise UserError unless all arrays of `shapes` are there, with finite numbers and the right number of axes.

    Step sizes and the like must be above 0, and counts whole as well. `beta` may have only nan.
    """
    if missing := sorted(shapes.keys() - arrays.keys()):
        raise UserError(f"{path}: no array {', '.join(missing)}")
    for name, shape in shapes.items():
        array, axes = arrays[name], shape.split()
        if array.dtype.kind not in "biuf":
            raise UserError(f"{path}: array {name} has elements of type {array.dtype}")
        if array.ndim < len(axes) or ("*" not in axes and array.ndim > len(axes)):
            raise UserError(f"{path}: array {name} has the shape {array.shape}, wanted ({shape})")
        if not np.isfinite(array).all() and not (name == "beta" and np.isnan(array).all()):
            raise UserError(f"{path}: array {name} has values that are not finite")
        if name in _POSITIVE and not (array > 0).all():
            raise UserError(f"{path}: array {name} has values that are not positive")
        if name in _COUNTS and (array != np.floor(array)).any():
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
