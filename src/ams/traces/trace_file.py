"""Golden traces: reading a recorded run of a released sampler, with every array checked before it is used.

A trace is an `.npz` file of the run's settings, its noise and the states that it passed through. The target in every
file is an isotropic Gaussian mixture: `weights` (K), `means` (K, d), standard deviation `s0`; samples are flattened
to `d`. Annealed traces hold `sigmas` (L) with `T` steps a level; predictor-corrector traces `t` (N) with `n_steps`
inner steps.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ams.data.arrays import load_arrays
from ams.errors import UserError
from ams.targets import GaussianMixture

_LARGEST = 64 * 2**20
_TARGET = {"weights": "K", "means": "K d", "s0": ""}
_ANNEALED = {"x0": "B *", "sigmas": "L", "T": "", "eps": "", "ams_beta_last_of_level": "L"} | {
    f"{kind}_{what}": shape
    for kind in ("ald", "ams")
    for what, shape in {"traj": "LT B *", "noise": "LT B *", "denoised": "B *"}.items()
}
_CORRECTED = {
    "x0": "B *",
    "N": "",
    "snr": "",
    "n_steps": "",
    "eps": "",
    "t": "N",
    "beta": "N",
    "noise": "D B *",
} | dict.fromkeys(("after_corrector", "after_predictor", "predictor_mean"), "N B *")
_COUNTS = {"T", "N", "n_steps"}
_POSITIVE = _COUNTS | {"s0", "eps", "snr", "sigmas"}


class MalformedTrace(ValueError):
    """A file that is no golden trace; the message is one line: what, where, what to do."""


class Trace(NamedTuple):
    """A validated file: its arrays as float64 tensors, and its target."""

    arrays: dict[str, Tensor]
    target: GaussianMixture

    def integer(self, name: str) -> int:
        """Return an entry as an integer."""
        return int(self.arrays[name])

    def number(self, name: str) -> float:
        """Return an entry as a float."""
        return float(self.arrays[name])


def load(path: Path) -> Trace:
    """Read and check a trace: every array there, of the right rank, sizes that agree, finite. Raises MalformedTrace."""
    arrays = _arrays(path)
    wanted = _TARGET | (_ANNEALED if "sigmas" in arrays else _CORRECTED)
    missing = sorted(set(wanted) - set(arrays))
    if missing:
        raise MalformedTrace(f"{path}: not an image sampler's golden trace: no array {', '.join(missing)}")
    for name, shape in wanted.items():
        _check_values(path, name, arrays[name], shape)
    _check_sizes(path, arrays, wanted)
    tensors = {name: torch.tensor(arrays[name], dtype=torch.float64) for name in wanted}
    try:
        target = GaussianMixture(tensors["weights"], tensors["means"], float(tensors["s0"]) ** 2)
    except (ValueError, OverflowError) as error:
        raise MalformedTrace(f"{path}: weights, means and s0 make no mixture: {_first_line(error)}") from None
    return Trace(tensors, target)


def _arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        with path.open("rb") as stream:
            content = stream.read(_LARGEST + 1)
    except FileNotFoundError:
        raise MalformedTrace(f"{path}: no such file") from None
    except OSError as error:
        raise MalformedTrace(f"{path}: not a readable .npz file ({error.strerror}); fetch it again") from None
    if len(content) > _LARGEST:
        raise MalformedTrace(f"{path}: a file of more than {_LARGEST >> 20} MiB; a golden trace has less")
    try:
        return load_arrays(content, str(path), _LARGEST)
    except UserError as problem:
        raise MalformedTrace(str(problem)) from None


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _check_values(path: Path, name: str, array: object, shape: str) -> None:
    """Demand real numbers of the rank that `shape` names, finite, and positive where they must be.

    `beta` of a plain Langevin run is all nan: the release records none.
    """
    if not (isinstance(array, np.ndarray) and array.dtype.kind in "fiu"):
        raise MalformedTrace(f"{path}: array {name} has the wrong type: real numbers are wanted")
    names = shape.split()
    if array.ndim < len(names) if "*" in names else array.ndim != len(names):
        raise MalformedTrace(f"{path}: array {name} has the wrong shape: {array.shape}, wanted ({shape})")
    if not np.isfinite(array).all() and not (name == "beta" and np.isnan(array).all()):
        raise MalformedTrace(f"{path}: array {name} has the wrong values: some are not finite")
    if name in _POSITIVE and not (array > 0).all():
        raise MalformedTrace(f"{path}: array {name} has the wrong values: some are not positive")
    if name in _COUNTS and array != np.floor(array):
        raise MalformedTrace(f"{path}: {name} is {array}, where a whole number is wanted")


def _check_sizes(path: Path, arrays: dict[str, np.ndarray], wanted: dict[str, str]) -> None:
    """Bind the sizes named in the shape strings as they occur; "*" stands for the sample's own shape."""
    sizes = _prescribed_sizes(arrays, wanted)
    for name, shape in wanted.items():
        names, actual = shape.split(), arrays[name].shape
        fixed = len(names) - ("*" in names)
        for size_name, size in zip(names, [*actual[:fixed], actual[fixed:]], strict=False):
            expected = sizes.setdefault(size_name, size)
            if size != expected or size == 0:
                raise MalformedTrace(f"{path}: array {name} has {size} along {size_name}, where {expected} is wanted")
    d, own = arrays["means"].shape[1], arrays["x0"][0].size
    if d != own:
        raise MalformedTrace(f"{path}: means have dimension {d}, samples {own}")


def _prescribed_sizes(arrays: dict[str, np.ndarray], wanted: dict[str, str]) -> dict[str, object]:
    """Return the sizes that the file's own counts prescribe."""
    if "sigmas" in wanted:
        return {"LT": len(arrays["sigmas"]) * int(arrays["T"])}
    n = int(arrays["N"])
    return {"N": n, "D": n * (int(arrays["n_steps"]) + 1)}
