"""Golden traces: reading a recorded run of a released sampler, with every array checked before it is used.

A trace is an `.npz` file of the run's settings, its noise and the states that it passed through. The target in every
file is an isotropic Gaussian mixture: `weights` (K), `means` (K, d), standard deviation `s0`; samples are flattened
to `d`. Annealed traces hold `sigmas` (L) with `T` steps a level; predictor-corrector traces `t` (N) with `n_steps`
inner steps.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

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
    _check_shapes(path, {name: arrays[name] for name in wanted}, wanted)
    tensors = {name: torch.tensor(arrays[name], dtype=torch.float64) for name in wanted}
    target = GaussianMixture(tensors["weights"], tensors["means"], float(tensors["s0"]) ** 2)
    return Trace(tensors, target)


def _arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        if path.stat().st_size > _LARGEST:
            raise MalformedTrace(f"{path}: larger than {_LARGEST >> 20} MiB, which no golden trace is")
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except FileNotFoundError:
        raise MalformedTrace(f"{path}: no such file") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, KeyError, AttributeError) as error:
        told = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise MalformedTrace(f"{path}: not a readable .npz file ({told}); fetch it again") from None


def _check_shapes(path: Path, arrays: dict[str, np.ndarray], wanted: dict[str, str]) -> None:
    """Bind the sizes named in the shape strings as they occur; "*" stands for the sample's own shape."""
    sizes = _scalars(path, arrays, wanted)
    for name, shape in wanted.items():
        array, names = arrays[name], shape.split()
        numeric = np.issubdtype(array.dtype, np.floating) or np.issubdtype(array.dtype, np.integer)
        finite = numeric and (name == "beta" or bool(np.isfinite(array).all()))
        starred = "*" in names
        fits = array.ndim > len(names) - 1 if starred else array.ndim == len(names)
        actual = (*array.shape[: len(names) - 1], array.shape[len(names) - 1 :]) if starred else array.shape
        if not (fits and finite):
            what = "shape" if numeric and not fits else "values (not finite numbers)"
            raise MalformedTrace(f"{path}: array {name} has the wrong {what}: shape {array.shape}, wanted ({shape})")
        for size_name, size in zip(names, actual, strict=True):
            expected = sizes.setdefault(size_name, size)
            if size != expected:
                raise MalformedTrace(f"{path}: array {name} has {size} along {size_name}, where {expected} is wanted")
    d, own = arrays["means"].shape[1], arrays["x0"][0].size
    if d != own:
        raise MalformedTrace(f"{path}: means have dimension {d}, samples {own}")


def _scalars(path: Path, arrays: dict[str, np.ndarray], wanted: dict[str, str]) -> dict[str, object]:
    """Return the sizes that the file's own integers prescribe."""
    for name in (name for name, shape in wanted.items() if not shape):
        if arrays[name].shape != () or not np.issubdtype(arrays[name].dtype, np.number):
            raise MalformedTrace(f"{path}: {name} must be a number, found shape {arrays[name].shape}")
    if "sigmas" in wanted:
        return {"LT": len(np.atleast_1d(arrays["sigmas"])) * int(arrays["T"])}
    n = int(arrays["N"])
    return {"N": n, "D": n * (int(arrays["n_steps"]) + 1)}
