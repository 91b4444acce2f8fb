"""Steps as samplers: a vector is a tensor (batch, *shape), of any floating type, on any device.

The batch's mean of per-sample norms couples the samples, as in the released code (`Particles`); per-sample norms
do not (`PerSample`). Vectors of a step live in an arena: a fresh allocation at image size costs half of the
arithmetic again, so buffers of vectors that died are handed out anew. Hence a yielded state is valid until the next
step; clone what is to be kept. An algebra serves one run at a time: a later run that is given the same one reuses
the buffers of the former's last state.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from ams.samplers.base import VECTORS, Scalar, State
from ams.samplers.scalars import FloatScalars


class Particles(FloatScalars):
    """The batch as one system: `<v>` is the mean over the batch of the samples' Euclidean norms, a float."""

    def __init__(self) -> None:
        self._free: list[Tensor] = []
        self._lent: list[Tensor] = []

    def empty_like(self, vector: Tensor) -> Tensor:
        """Return an uninitialised tensor like `vector`, from the arena where one is free."""
        buffer = self._free.pop() if self._free else torch.empty_like(vector)
        if (buffer.shape, buffer.dtype, buffer.device) != (vector.shape, vector.dtype, vector.device):
            buffer = torch.empty_like(vector)
        self._lent.append(buffer)
        return buffer

    def settle(self, state: State) -> State:
        """Take back the buffers that `state` does not hold; returns the same state."""
        alive = {id(getattr(state, name)) for name in VECTORS}
        self._free += [buffer for buffer in self._lent if id(buffer) not in alive]
        self._lent = [buffer for buffer in self._lent if id(buffer) in alive]
        return state

    def combine(self, *terms: tuple[Scalar, Tensor]) -> Tensor:
        """Return `sum_i c_i v_i`, accumulated in place in the order given."""
        (c, v), *rest = terms
        out = torch.mul(v, c, out=self.empty_like(v))
        for c, v in rest:
            self._accumulate(out, c, v)
        return out

    def _accumulate(self, out: Tensor, c: Scalar, v: Tensor) -> None:
        out.add_(v, alpha=c)

    def norm(self, vector: Float[Tensor, batch * shape]) -> Scalar:
        """Return `mean_i |v_i|`."""
        return _norms(vector).mean().item()

    def finite(self, vector: Tensor) -> bool:
        """Tell whether the vector is finite, by its sum: one read, no allocation."""
        return math.isfinite(vector.sum().item())


class PerSample(Particles):
    """Each sample a system of its own: `<v>` is a column (batch, 1, ..., 1) of norms."""

    def _accumulate(self, out: Tensor, c: Scalar, v: Tensor) -> None:
        out.addcmul_(v, torch.as_tensor(c, dtype=v.dtype, device=v.device))

    def norm(self, vector: Float[Tensor, batch * shape]) -> Scalar:
        """Return the samples' norms as a column."""
        return _norms(vector).reshape(-1, *[1] * (vector.ndim - 1))

    def sqrt(self, scalar: Scalar) -> Scalar:
        """Return the square root; a prescribed step is a float, a step found from norms a column."""
        return scalar**0.5

    def divide(self, numerator: Scalar, denominator: Scalar) -> Scalar:
        """Return the quotient: tensors follow IEEE."""
        return numerator / denominator

    def clip(self, scalar: Scalar, low: float, high: float) -> Scalar:
        """Return the clipped column, `high` where it is not a number."""
        return torch.nan_to_num(scalar, nan=high).clamp(low, high)


def _norms(vector: Float[Tensor, batch * shape]) -> Float[Tensor, " batch"]:
    return torch.linalg.vector_norm(vector.flatten(1), dim=1)
