"""Graphs of different sizes as a batch for the library's steps: what a norm is, and where noise
comes from.

A ragged vector holds node features (nodes, F) or the upper triangles of symmetric matrices (pairs),
without padding. A graph's norm is the norm of its own entries. Each pair counts twice, since the
matrix holds it twice. The mean of these norms over the batch couples the graphs, as in the authors'
code (`RaggedBatch`); a column of norms, an entry for every node or pair, couples the graphs of
several small batches or none (`RaggedBatches`).
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ams.samplers import Noise, Particles, PerSample
from ams.samplers.base import Scalar
from ams.samplers.noise_sources import Allocate
from experiments.graphs.graph_layout import Layout


class Ownership(NamedTuple):
    """The graph of each row of a ragged vector, the number of graphs, and how often the matrix
    holds an entry.
    """

    graph: Tensor
    graphs: int
    multiplicity: float

    @staticmethod
    def both(layout: Layout) -> "tuple[Ownership, Ownership]":
        """Return the ownerships of node features (nodes, F) and of upper triangles (pairs)."""
        return Ownership(layout.graph_of_node, layout.graphs, 1.0), Ownership(
            layout.graph_of_pair, layout.graphs, 2.0
        )

    def norms(self, vector: Float[Tensor, " rows *features"]) -> Float[Tensor, " graphs"]:
        """Return each graph's Euclidean norm."""
        squares = vector[..., None].square().flatten(1).sum(1)
        return (
            squares.new_zeros(self.graphs)
            .index_add_(0, self.graph, squares)
            .mul_(self.multiplicity)
            .sqrt_()
        )


class RaggedBatch(Particles):
    """The batch as one system: `<v>` is the mean over the graphs of their norms, a float."""

    def __init__(self, ownership: Ownership) -> None:
        super().__init__()
        self._ownership = ownership

    def norm(self, vector: Float[Tensor, " rows *features"]) -> Scalar:
        """Return the mean of the graphs' norms."""
        return self._ownership.norms(vector).mean().item()


class RaggedBatches(PerSample):
    """Several batches side by side: `<v>` is, for every row of the vector, the mean norm in its
    graph's batch.

    `batch` holds the batch of each graph, in the layout's order; without it each graph is a batch
    of its own. Several small batches cost as much as one batch of all their graphs.
    """

    def __init__(self, ownership: Ownership, batch: Int[Tensor, " graphs"] | None = None) -> None:
        super().__init__()
        self._ownership = ownership
        self._batch = torch.arange(ownership.graphs) if batch is None else batch
        self._sizes = torch.bincount(self._batch)

    def norm(self, vector: Float[Tensor, " rows *features"]) -> Scalar:
        """Return the batches' mean norms, row by row, shaped to multiply the vector."""
        norms = self._ownership.norms(vector)
        means = norms.new_zeros(len(self._sizes)).index_add_(0, self._batch, norms) / self._sizes
        return means[self._batch][self._ownership.graph].reshape(-1, *[1] * (vector.ndim - 1))


def generated_per_graph(
    generators: Sequence[torch.Generator], ownership: Ownership, empty: Allocate = torch.empty_like
) -> Noise:
    """Return noise from one generator a graph, in the layout's order: a graph's noise does not
    depend on its batch.

    The noise raises ValueError for another number of generators than the batch has graphs.
    """
    lengths = torch.bincount(ownership.graph, minlength=ownership.graphs).tolist()

    def noise(x: Tensor) -> Tensor:
        out = empty(x)
        for rows, generator in zip(out.split(lengths), generators, strict=True):
            rows.normal_(generator=generator)
        return out

    return noise
