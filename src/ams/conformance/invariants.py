"""What must hold exactly for a sampler, whatever its target: each check returns a finding with its size.

*deterministic*: equal start and draws give equal ends, however PyTorch's and NumPy's global generators stand. *rows
independent*: a sample alone ends as it does in a batch. *rotation*: a rotated start, target and draws give the rotated
end. *levels fall*: the noise levels passed to the network never rise. *evaluations*: the network is called as often as
the library states. *float32*, *bfloat16*: the end is finite, and in float32 within `SINGLE` of float64's, in units of
the data's scale, when started from the library's own start.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ams.conformance.convergence import ratio
from ams.conformance.draws import Draws
from ams.conformance.model import Recorded, exact
from ams.conformance.nonlinear import TwoModes
from ams.conformance.sampler import Path, Sampler, trajectory
from ams.targets import GaussianMixture

STEPS = 20
ROWS = 4
TIGHT = 1e-9
SINGLE = 1e-3


class Finding(NamedTuple):
    """One check: whether it holds, its size, the size that is allowed, and a sentence. `holds` None is: not judged."""

    holds: bool | None
    value: float
    allowed: float
    why: str


def invariants(sampler: Sampler, steps: int = STEPS, seed: int = 0) -> dict[str, Finding]:
    """Return the findings of all checks, by name, on the two-mode mixture."""
    target = TwoModes(sampler.data_std)
    network, generator = target.network(), torch.Generator().manual_seed(seed)
    x = sampler.prior(steps) * torch.randn(ROWS, 2, dtype=torch.float64, generator=generator)
    first = Draws()
    trajectory(sampler, network, x, steps, first)
    values = torch.randn(max(first.count, 1), ROWS, 2, dtype=torch.float64, generator=generator)

    def run(
        x: Tensor,
        network: Recorded = network,
        rows: slice = slice(None),
        turn: Tensor | None = None,
        dtype: torch.dtype | None = None,
    ) -> Path:
        def variable(k: int, shape: torch.Size) -> Tensor:
            value = values[k, rows] if turn is None else values[k, rows] @ turn
            return value.reshape(shape)

        counting = Draws()  # of each run, since the times of a Brownian path depend on the type
        trajectory(sampler, network, x, steps, counting, dtype)
        return trajectory(sampler, network, x, steps, counting.again(variable), dtype)

    reference = run(x)
    unit = float(reference.end.abs().max().clamp_min(sampler.data_std))
    found: dict[str, Finding] = {"finite": _finite(reference.end, "float64")}
    torch.manual_seed(seed + 1)
    np.random.seed(seed + 1)  # noqa: NPY002 - what a library may draw from
    found["deterministic"] = _equal(run(x).end - reference.end, unit, "a second run with the same start and draws")
    alone = torch.cat([run(x[i : i + 1], rows=slice(i, i + 1)).end for i in range(ROWS)])
    why = f"a sample alone, against the same in a batch{sampler.coupling and f' ({sampler.coupling})'}"
    found["rows independent"] = _equal(alone - reference.end, unit, why)
    turn = torch.tensor([[0.8, 0.6], [-0.6, 0.8]], dtype=torch.float64)
    turned = run(x @ turn, network=_rotated(target, turn), turn=turn)
    found["rotation"] = _equal(turned.end - reference.end @ turn, unit, "everything rotated, against the rotated end")
    found["levels fall"] = _falling(reference)
    if sampler.evaluations is not None:
        stated, made = sampler.evaluations(steps), len(reference.calls)
        found["evaluations"] = Finding(made == stated, made, stated, f"{made} calls in {steps} steps, {stated} stated")
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        found[name] = _rounded(run(x, dtype=dtype).end, reference.end, sampler.data_std, name, judged=name == "float32")
    return found


def _rotated(target: TwoModes, turn: Tensor) -> Recorded:
    """Return the exact network of the rotated mixture."""
    diagonal = torch.full((2,), 0.8 * target.scale / 2**0.5, dtype=torch.float64) @ turn
    variance = (0.4 * target.scale) ** 2
    return exact(
        GaussianMixture(target.weights, torch.stack([-diagonal, diagonal]), [variance, variance]), 0.2 * diagonal
    )


def _finite(end: Tensor, name: str) -> Finding:
    wrong = int((~end.isfinite()).sum())
    return Finding(not wrong, wrong, 0, f"entries of the end that are not finite: {wrong}")


def _equal(difference: Tensor, unit: float, what: str) -> Finding:
    size = float(difference.abs().max()) / unit
    return Finding(size <= TIGHT, size, TIGHT, f"{what}: a difference of {size:.1e}")


def _falling(path: Path) -> Finding:
    levels = [ratio(call.level) for call in path.calls]
    rises = sum(after > before * (1 + 1e-9) for before, after in pairwise(levels))
    return Finding(not rises or None, rises, 0, f"times that the noise level rises in a run: {rises}")


def _rounded(end: Tensor, reference: Tensor, scale: float, name: str, judged: bool) -> Finding:
    if not bool(end.isfinite().all()):
        return Finding(False, float("inf"), SINGLE, f"in {name} an entry of the end is not finite")
    size = float((end - reference).abs().max()) / scale
    return Finding(
        size <= SINGLE if judged else True,
        size,
        SINGLE if judged else float("inf"),
        f"in {name} the end moves by {size:.1e} of the data's scale",
    )
