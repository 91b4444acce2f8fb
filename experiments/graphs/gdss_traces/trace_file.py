"""Golden traces of the authors' graph code: reading one, with every array checked before it is used.

`gdss_network_<set>.npz` holds the outputs of both networks of a data set on random inputs, `gdss_sampler_<case>.npz` a
run of an authors' sampler on the community_small networks: the state at each network call, the noise, the result. The
file's name gives the data set or the case. `flags` (batch, N) are 1 at real nodes; padded nodes come last.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ams.data import load_arrays
from ams.data.registry import WEIGHTS
from ams.data.safe_read import content_of
from ams.errors import UserError, unknown

LARGEST = 64 * 2**20
_NETWORK = {
    **{"flags": "B N", "ema": ""},
    **dict.fromkeys(("x", "network_x"), "B N F"),
    **dict.fromkeys(("adj_upper", "network_adj_upper"), "B P"),
}
_SAMPLER = {
    **{"flags": "B N", "call_x": "C B N F", "call_adj": "C B N N", "noise_x": "D B N F", "noise_adj": "D B N N"},
    **{"final_x": "B N F", "final_adj": "B N N", "call_network": "C"},
    **dict.fromkeys(("steps", "snr", "scale_eps", "n_steps", "sde_x", "sde_adj"), ""),
}
"""The axes of each array; axes of one name have one size."""
_WORDS = {"sde_x", "sde_adj", "call_network"}
_CASE = re.compile(
    r"gdss_sampler_(?:s4|(?P<corrector>langevin|released_adaptive|released_constant)"
    r"_(?P<predictor>euler|reverse)(?:_n\d+)?)"
)
PROCESSES = ("VP", "VE")


class NetworkTrace(NamedTuple):
    """Outputs `features_out`, `adjacency_out` of the networks of `checkpoint` at `x`, `adjacency` (batch, N, N)."""

    checkpoint: str
    averaged: bool
    sizes: list[int]
    x: Tensor
    adjacency: Tensor
    features_out: Tensor
    adjacency_out: Tensor


class SamplerTrace(NamedTuple):
    """A run: its settings, and its arrays by their names in the file. For S4 `corrector` and `predictor` are None."""

    corrector: str | None
    predictor: str | None
    processes: tuple[str, str]
    sizes: list[int]
    steps: int
    inner: int
    snr: float
    scale_eps: float
    calls: list[str]
    arrays: Mapping[str, Tensor]


def load_networks(path: Path) -> NetworkTrace:
    """Return the outputs of networks in a file. Raises UserError, one line that names the file and the array."""
    checkpoint = "gdss-" + path.stem.removeprefix("gdss_network_")
    if checkpoint not in WEIGHTS:
        raise UserError(f"{path}: {unknown('file of weights', checkpoint, WEIGHTS)}")
    arrays = _checked(path, _NETWORK)
    side, triangle = arrays["x"].shape[1], arrays["adj_upper"].shape[1]
    if 2 * triangle != side * (side - 1):
        raise UserError(f"{path}: adj_upper has {triangle} entries, graphs of {side} nodes {side * (side - 1) // 2}")
    adjacency, out = (_square(arrays[name], side) for name in ("adj_upper", "network_adj_upper"))
    averaged, sizes = bool(arrays["ema"]), _sizes(path, arrays["flags"])
    return NetworkTrace(checkpoint, averaged, sizes, arrays["x"], adjacency, arrays["network_x"], out)


def _square(upper: Tensor, side: int) -> Tensor:
    """Return symmetric matrices (batch, side, side) of zero diagonal from their upper triangles."""
    i, j = torch.triu_indices(side, side, 1)
    square = upper.new_zeros(len(upper), side, side)
    square[:, i, j] = square[:, j, i] = upper
    return square


def load_sampler(path: Path) -> SamplerTrace:
    """Return the run in a file. Raises as `load_networks`, also for a name of neither form."""
    case = _CASE.fullmatch(path.stem)
    if not case:
        raise UserError(f"{path}: not named as a golden trace of graphs: gdss_network_<set> or gdss_sampler_<case>")
    arrays = _checked(path, _SAMPLER)
    processes = str(arrays["sde_x"]), str(arrays["sde_adj"])
    if not set(processes) <= set(PROCESSES):
        raise UserError(f"{path}: sde_x, sde_adj are {', '.join(processes)}: expected of {', '.join(PROCESSES)}")
    steps, inner, snr, scale_eps = (float(arrays[name]) for name in ("steps", "n_steps", "snr", "scale_eps"))
    if not (steps.is_integer() and inner.is_integer() and min(steps, inner, snr, scale_eps) > 0 and steps <= 10**6):
        raise UserError(
            f"{path}: steps, n_steps, snr, scale_eps are {steps:g}, {inner:g}, {snr:g}, {scale_eps:g}: expected "
            "positive numbers, the first two whole"
        )
    sizes, calls = _sizes(path, arrays["flags"]), [str(name) for name in arrays["call_network"]]
    tensors = {name: array for name, array in arrays.items() if name not in _WORDS}
    return SamplerTrace(
        case["corrector"], case["predictor"], processes, sizes, int(steps), int(inner), snr, scale_eps, calls, tensors
    )


def _checked(path: Path, shapes: Mapping[str, str]) -> dict:
    """Return the arrays, numbers as tensors: all there, of the right kind, of sizes that agree, finite."""
    arrays = load_arrays(content_of(path, LARGEST), str(path), LARGEST)
    if missing := sorted(shapes.keys() - arrays.keys()):
        raise UserError(f"{path}: not a golden trace of graphs: no array {', '.join(missing)}")
    sizes: dict[str, int] = {}
    for name, shape in shapes.items():
        array, axes = arrays[name], shape.split()
        if array.dtype.kind not in ("U" if name in _WORDS else "biuf") or array.ndim != len(axes):
            raise UserError(f"{path}: {name} is {array.dtype} {array.shape}, wanted ({shape})")
        for axis, size in zip(axes, array.shape, strict=True):
            if size != (expected := sizes.setdefault(axis, max(size, 1))):
                raise UserError(f"{path}: {name} has {size} along {axis}, where {expected} is wanted")
        if name not in _WORDS and not np.isfinite(array).all():
            raise UserError(f"{path}: {name} has entries that are not finite")
    return {name: arrays[name] if name in _WORDS else torch.from_numpy(arrays[name]) for name in shapes}


def _sizes(path: Path, flags: Tensor) -> list[int]:
    """Return each graph's number of nodes. Raises UserError unless flags are 1 for those and then 0."""
    sizes = flags.sum(1)
    if not torch.equal(flags, (torch.arange(flags.shape[1]) < sizes[:, None]).to(flags.dtype)) or not bool(sizes.all()):
        raise UserError(f"{path}: flags must be 1 for a graph's nodes, then 0, with at least one node")
    return sizes.tolist()
