"""Traces of the authors' image samplers: a run's settings, its noise, and the states that it passed through.

The target of every trace is an isotropic Gaussian mixture with `weights` (K), `means` (K, d) and standard deviation
`s0`. Traces of annealed runs have `sigmas` (L) and `T` steps per noise level. Traces of predictor-corrector runs have
times `t` (N) and `n_steps` corrector steps at each of them.
"""

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from ams.errors import UserError
from ams.targets import GaussianMixture
from ams.traces.arrays import check_sizes, check_values, read_arrays

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
_POSITIVE = {"s0", "eps", "snr", "sigmas"}


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

    Raises UserError, one line with the file and the fault: an array that is missing, of another type or shape, not
    finite or not positive, or sizes that disagree.
    """
    arrays = read_arrays(path)
    annealed = "sigmas" in arrays
    shapes = _TARGET | (_ANNEALED if annealed else _CORRECTED)
    check_values(path, arrays, shapes, positive=_POSITIVE, counts=_COUNTS, all_nan={"beta"})
    if annealed:
        sizes = {"LT": len(arrays["sigmas"]) * int(arrays["T"])}
    else:
        sizes = {"N": int(arrays["N"]), "D": int(arrays["N"]) * (int(arrays["n_steps"]) + 1)}
    check_sizes(path, arrays, shapes, sizes)
    if arrays["means"].shape[1] != arrays["x0"][0].size:
        raise UserError(f"{path}: means have dimension {arrays['means'].shape[1]}, samples {arrays['x0'][0].size}")
    tensors = {name: torch.tensor(arrays[name], dtype=torch.float64) for name in shapes}
    return Trace(tensors, _target(path, tensors))


def _target(path: Path, tensors: dict[str, Tensor]) -> GaussianMixture:
    try:
        return GaussianMixture(tensors["weights"], tensors["means"], float(tensors["s0"]) ** 2)
    except (ValueError, OverflowError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise UserError(f"{path}: weights, means and s0 make no mixture: {reason}") from None
