"""Golden traces of the authors' graph code: reading one.

`gdss_network_<set>.npz` holds the outputs of both networks of a data set on random inputs, `gdss_sampler_<case>.npz` a
run of an authors' sampler on the community_small networks: the state at each network call, the noise, the result. The
file's name gives the data set or the case. `flags` (batch, N) are 1 at real nodes; padded nodes come last.
"""

import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ams.data import load_arrays
from ams.data.registry import WEIGHTS
from ams.data.safe_read import content_of
from ams.errors import UserError, unknown

LARGEST = 64 * 2**20
_MOST_STEPS, _MOST_PAIRS = 2**12, 2**20  # of a run, and pairs of nodes of its graphs: few bytes can ask for many
_NETWORK = ("x", "adj_upper", "flags", "network_x", "network_adj_upper", "ema")
_SAMPLER = (
    *("flags", "sde_x", "sde_adj", "steps", "n_steps", "snr", "scale_eps", "call_network", "call_x", "call_adj"),
    *("noise_x", "noise_adj", "final_x", "final_adj"),
)
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
    """Return the outputs of networks in a file.

    Raises UserError, one line that names the file, for one that is no such trace; what is raised for arrays that do not
    fit together is a LookupError, RuntimeError or ValueError.
    """
    checkpoint = "gdss-" + path.stem.removeprefix("gdss_network_")
    if checkpoint not in WEIGHTS:
        raise UserError(f"{path}: {unknown('file of weights', checkpoint, WEIGHTS)}")
    arrays = _arrays(path, _NETWORK)
    adjacency, out = (_square(arrays[name], arrays["x"].shape[1]) for name in ("adj_upper", "network_adj_upper"))
    sizes, averaged = _sizes(arrays["flags"]), bool(arrays["ema"])
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
    arrays = _arrays(path, _SAMPLER)
    if (steps := float(arrays["steps"]) * float(arrays["n_steps"])) > _MOST_STEPS:
        raise UserError(f"{path}: {steps:.0f} steps; at most {_MOST_STEPS} are replayed")
    processes = str(arrays["sde_x"]), str(arrays["sde_adj"])
    return SamplerTrace(case["corrector"], case["predictor"], processes, _sizes(arrays["flags"]), arrays)


def _arrays(path: Path, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the arrays of these names, numbers as tensors. Raises UserError for a missing one, or not finite."""
    arrays = load_arrays(content_of(path, LARGEST), str(path), LARGEST)
    for name in names:
        if name not in arrays:
            raise UserError(f"{path}: not a golden trace of graphs: no array {name}")
        if arrays[name].dtype.kind != "U" and not np.isfinite(arrays[name]).all():
            raise UserError(f"{path}: {name} has entries that are not finite")
    return {name: arrays[name] if arrays[name].dtype.kind == "U" else torch.from_numpy(arrays[name]) for name in names}


def _sizes(flags: Tensor) -> list[int]:
    """Return each graph's number of nodes. Raises ValueError for flags but 1 for those, then 0; for large graphs."""
    sizes = flags.sum(1)
    if (pairs := int(sizes.square().sum())) > _MOST_PAIRS:
        raise ValueError(f"its graphs have {pairs} pairs of nodes; at most {_MOST_PAIRS} are replayed")
    if not torch.equal(flags, (torch.arange(flags.shape[1]) < sizes[:, None]).to(flags.dtype)):
        raise ValueError("flags must be 1 for a graph's nodes, then 0")
    return sizes.tolist()
