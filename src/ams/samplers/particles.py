"""Steps as samplers: a vector is a tensor (batch, *shape), of any floating type, on any device.

The batch's mean of per-sample norms couples the samples, as in the released code (`Particles`); per-sample norms
do not (`PerSample`). Vectors of a step live in an arena: a fresh allocation at image size costs half of the
arithmetic again, so buffers of vectors that died are handed out anew. Hence a yielded state is valid until the next
step; clone what is to be kept. An algebra serves one run at a time: a later run that is given the same one reuses
the buffers of the former's last state.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from ams.samplers.base import Scalar, State
from ams.samplers.scalars import FloatScalars


class Particles(FloatScalars):
    """The batch as one system: `<v>` is the mean over the batch of the samples' Euclidean norms, a float."""

    def __init__(self) -> None:
        self._free: list[Tensor] = []
        self._lent: list[Tensor] = []

    def empty_like(self, vector: Tensor) -> Tensor:
        """Return an uninitialised tensor like `vector`, from the arena where one is free."""
        if not _holds(self._lent, vector):  # a vector from outside: buffers unlike it are another run's
            self._free = [buffer for buffer in self._free if _alike(buffer, vector)]
        buffer = self._free.pop() if self._free else torch.empty_like(vector)
        self._lent.append(buffer)
        return buffer

    def begin_step(self, state: State) -> State:
        """Take back the buffers that `state` does not hold; returns the same state."""
        lent, self._lent = self._lent, []
        for buffer in lent:
            (self._lent if _holds(state, buffer) else self._free).append(buffer)
        return state

    def combine(self, *terms: tuple[Scalar, Tensor], over: Tensor | None = None) -> Tensor:
        """Return `sum_i c_i v_i`, the first two terms in one pass where a coefficient is 1 or the two sum to 1.

        The result takes the storage of `over`, the first term's vector, only where that came from the arena.
        """
        c, v = terms[0]
        out = over if over is not None and _holds(self._lent, over) else self.empty_like(v)
        if len(terms) == 1:
            return torch.mul(v, c, out=out)
        k, w = terms[1]
        if type(k) is float and k == 1.0:
            total = self._sum(w, c, v, out)
        elif type(c) is float and c == 1.0:
            total = self._sum(v, k, w, out)
        elif type(c) is float and c + k == 1.0:
            total = torch.lerp(w, v, c, out=out)
        else:
            total = self._sum(torch.mul(v, c, out=out), k, w, out)
        for c, v in terms[2:]:
            total = self._sum(total, c, v, out)
        return total

    def _sum(self, total: Tensor, c: Scalar, v: Tensor, out: Tensor) -> Tensor:
        """Return `total + c v`, written to `out`, which may be `total`."""
        return torch.add(total, v, alpha=c, out=out)

    def norm(self, vector: Float[Tensor, " batch *shape"]) -> Scalar:
        """Return `mean_i |v_i|`."""
        norms = _norms(vector)
        return norms.sum().item() / len(norms)

    def finite(self, vector: Tensor) -> bool:
        """Tell whether the vector is finite, by its sum: one read, no allocation."""
        return math.isfinite(vector.sum().item())


class PerSample(Particles):
    """Each sample a system of its own: `<v>` is a column (batch, 1, ..., 1) of norms."""

    def _sum(self, total: Tensor, c: Scalar, v: Tensor, out: Tensor) -> Tensor:
        return torch.addcmul(total, v, torch.as_tensor(c, dtype=v.dtype, device=v.device), out=out)

    def norm(self, vector: Float[Tensor, " batch *shape"]) -> Scalar:
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


def _holds(vectors: Sequence[object], vector: Tensor) -> bool:
    for held in vectors:  # noqa: SIM110 - twice as fast as any(...), several times a step
        if held is vector:
            return True
    return False


def _alike(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and one.dtype is other.dtype and one.device == other.device


def _norms(vector: Float[Tensor, " batch *shape"]) -> Float[Tensor, " batch"]:
    norms: Tensor = torch.linalg.vector_norm(vector.flatten(1), dim=1)
    return norms
