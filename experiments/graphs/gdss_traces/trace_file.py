"""Golden traces of the authors' graph code: reading one.

`gdss_network_<set>.npz` holds the outputs of both networks of a data set on random inputs, `gdss_sampler_<case>.npz` a
run of an authors' sampler on the community_small networks: the state at each network call, the noise, the result. The
file's name gives the data set or the case. `flags` (batch, N) are 1 at real nodes; padded nodes come last.
"""

import re
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ams.data import load_arrays

_CASE = re.compile(
    r"gdss_sampler_(?:s4|(?P<corrector>langevin|released_adaptive|released_constant)"
    r"_(?P<predictor>euler|reverse)(?:_n\d+)?)"
)


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
    """A run: its sampler (None, None for S4), processes, graphs, and its arrays by their names in the file."""

    corrector: str | None
    predictor: str | None
    processes: tuple[str, str]
    sizes: list[int]
    arrays: dict[str, Any]


def load_networks(path: Path) -> NetworkTrace:
    """Return the outputs of networks in a file. Raises UserError for one that is no archive of arrays."""
    arrays = _arrays(path)
    checkpoint = "gdss-" + path.stem.removeprefix("gdss_network_")
    adjacency, out = (_square(arrays[name], arrays["x"].shape[1]) for name in ("adj_upper", "network_adj_upper"))
    sizes, averaged = arrays["flags"].sum(1).tolist(), bool(arrays["ema"])
    return NetworkTrace(checkpoint, averaged, sizes, arrays["x"], adjacency, arrays["network_x"], out)


def _square(upper: Tensor, side: int) -> Tensor:
    """Return symmetric matrices (batch, side, side) of zero diagonal from their upper triangles."""
    i, j = torch.triu_indices(side, side, 1)
    square = upper.new_zeros(len(upper), side, side)
    square[:, i, j] = square[:, j, i] = upper
    return square


def load_sampler(path: Path) -> SamplerTrace:
    """Return the run in a file. Raises as `load_networks`, and ValueError for a name of no case."""
    case = _CASE.fullmatch(path.stem)
    if not case:
        raise ValueError(f"{path}: no trace of a graph sampler has this name")
    arrays = _arrays(path)
    processes, sizes = (str(arrays["sde_x"]), str(arrays["sde_adj"])), arrays["flags"].sum(1).tolist()
    return SamplerTrace(case["corrector"], case["predictor"], processes, sizes, arrays)


def _arrays(path: Path) -> dict[str, Any]:
    """Return the arrays of a file by name, numbers as tensors."""
    arrays = load_arrays(path.read_bytes(), str(path))
    return {name: held if held.dtype.kind == "U" else torch.from_numpy(held) for name, held in arrays.items()}
