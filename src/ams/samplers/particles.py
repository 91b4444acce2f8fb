"""The algebra of samples: a vector is a tensor (batch, *shape) of any floating dtype, on any
device.

The norm of `Particles` is the batch mean of the samples' norms, as in the code published with arXiv
2405.13726; it couples the samples of a batch. `PerSample` has a norm for each sample and does not
couple them.

Steps reuse buffers, since a new allocation at image size costs half as much as the arithmetic. A
yielded state is therefore valid until the next step; clone it to keep it. An algebra serves one run
at a time: a later run overwrites the last state of the run before.
"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from ams.samplers.base import Scalar, State
from ams.samplers.scalars import ColumnScalars, FloatScalars


class Particles(FloatScalars):
    """The algebra of a coupled batch: `<v>` is the batch mean of the samples' Euclidean norms, a
    float.
    """

    def __init__(self) -> None:
        self._free: list[Tensor] = []
        self._used: list[Tensor] = []

    def empty_like(self, vector: Tensor) -> Tensor:
        """Return an uninitialised tensor like `vector`, which reuses a free buffer if there is
        one.
        """
        # a vector from outside: buffers unlike it belong to another run
        if not _holds(self._used, vector):
            self._free = [buffer for buffer in self._free if _alike(buffer, vector)]
        buffer = self._free.pop() if self._free else torch.empty_like(vector)
        self._used.append(buffer)
        return buffer

    def begin_step(self, state: State) -> State:
        """Free all buffers that are not in `state`, and return `state`."""
        used, self._used, kept = self._used, [], (*state, *state.past) if state.past else state
        for buffer in used:
            (self._used if _holds(kept, buffer) else self._free).append(buffer)
        return state

    def combine(self, *terms: tuple[Scalar, Tensor], over: Tensor | None = None) -> Tensor:
        """Return `sum_i c_i v_i`; one pass adds the first two terms if a coefficient is 1 or both
        sum to 1.

        The result takes the storage of `over`, the first term's vector, if that is a buffer of this
        algebra.
        """
        c, v = terms[0]
        out = over if over is not None and _holds(self._used, over) else self.empty_like(v)
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
        """Write `total + c v` to `out`, which may be `total`, and return it."""
        return torch.add(total, v, alpha=c, out=out)

    def norm(self, vector: Float[Tensor, " batch *shape"]) -> Scalar:
        """Return `mean_i |v_i|` over the batch, a float."""
        norms = _norms(vector)
        return norms.sum().item() / len(norms)

    def finite(self, vector: Tensor) -> bool:
        """Return whether the vector's sum is finite, which takes one pass and no allocation."""
        return math.isfinite(vector.sum().item())


class PerSample(ColumnScalars, Particles):
    """The algebra of independent samples: `<v>` is a column (batch, 1, ..., 1) of the samples'
    norms.
    """

    def _sum(self, total: Tensor, c: Scalar, v: Tensor, out: Tensor) -> Tensor:
        return torch.addcmul(total, v, torch.as_tensor(c, dtype=v.dtype, device=v.device), out=out)

    def norm(self, vector: Float[Tensor, " batch *shape"]) -> Scalar:
        """Return the norm of each sample as a column (batch, 1, ..., 1)."""
        return _norms(vector).reshape(-1, *[1] * (vector.ndim - 1))


class Batches(PerSample):
    """The algebra of independent batches of `size` in one tensor: `<v>` is a column, the mean over
    the sample's batch.

    Size 1 is the per-sample coupling, the whole tensor that of `Particles`. Columns are float64, as
    its floats are.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def norm(self, vector: Float[Tensor, " batch *shape"]) -> Scalar:
        """Return the batches' mean norms, a column (batch, 1, ..., 1)."""
        norms = super().norm(vector)
        means = norms.reshape(-1, self.size).double().mean(1).repeat_interleave(self.size)
        return means.reshape(norms.shape)

    def combine(self, *terms: tuple[Scalar, Tensor], over: Tensor | None = None) -> Tensor:
        """Return `sum_i c_i v_i`, with columns in the vectors' type."""
        typed = ((c.to(v.dtype) if isinstance(c, Tensor) else c, v) for c, v in terms)
        return super().combine(*typed, over=over)


def _holds(vectors: Sequence[object], vector: Tensor) -> bool:
    for each in vectors:  # noqa: SIM110 - twice as fast as any(...), and called several times a step
        if each is vector:
            return True
    return False


def _alike(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and one.dtype is other.dtype and one.device == other.device


def _norms(vector: Float[Tensor, " batch *shape"]) -> Float[Tensor, " batch"]:
    return torch.linalg.vector_norm(vector.flatten(1), dim=1)
