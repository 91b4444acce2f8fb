"""Packed graphs as an interpretation of the library's steps: what a norm is, and where noise comes from.

A packed vector holds node features (nodes, F) or the upper triangles of symmetric matrices (pairs). A graph's norm is
that of its own entries, each pair counted twice, since the matrix holds it twice; padding, symmetry and the diagonal
need no care. The batch's mean of those norms couples the graphs, as released (`Packed`); a column of them, an entry
for every node or pair, does not (`PackedPerSample`).
"""

from __future__ import annotations

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
    """Which graph each row of a packed vector belongs to, of how many, and how often the matrix holds an entry."""

    graph: Tensor
    graphs: int
    multiplicity: float

    @staticmethod
    def of_features(layout: Layout) -> Ownership:
        """Return that of node features (nodes, F)."""
        return Ownership(layout.graph_of_node, layout.graphs, 1.0)

    @staticmethod
    def of_adjacency(layout: Layout) -> Ownership:
        """Return that of upper triangles (pairs)."""
        return Ownership(layout.graph_of_pair, layout.graphs, 2.0)

    def norms(self, vector: Float[Tensor, " rows *features"]) -> Float[Tensor, " graphs"]:
        """Return each graph's Euclidean norm."""
        squares = vector[..., None].square().flatten(1).sum(1)
        return squares.new_zeros(self.graphs).index_add_(0, self.graph, squares).mul_(self.multiplicity).sqrt_()


class Packed(Particles):
    """The batch as one system: `<v>` is the mean over the graphs of their norms, a float."""

    def __init__(self, ownership: Ownership) -> None:
        super().__init__()
        self._ownership = ownership

    def norm(self, vector: Float[Tensor, " rows *features"]) -> Scalar:
        """Return the mean of the graphs' norms."""
        return self._ownership.norms(vector).mean().item()


class PackedPerSample(PerSample):
    """Each graph a system of its own: `<v>` is a column, for every row of the vector its graph's norm."""

    def __init__(self, ownership: Ownership) -> None:
        super().__init__()
        self._ownership = ownership

    def norm(self, vector: Float[Tensor, " rows *features"]) -> Scalar:
        """Return the graphs' norms, row by row, shaped to multiply the vector."""
        return self._column(self._ownership.norms(vector), vector)

    def _column(self, of_graph: Float[Tensor, " graphs"], vector: Float[Tensor, " rows *features"]) -> Tensor:
        return of_graph[self._ownership.graph].reshape(-1, *[1] * (vector.ndim - 1))


class PackedBatches(PackedPerSample):
    """Several batches side by side: `<v>` is, for every row of the vector, the mean norm in its graph's batch.

    `batch` tells the batch of each graph, in the layout's order. What several small batches cost is what one of all
    their graphs does.
    """

    def __init__(self, ownership: Ownership, batch: Int[Tensor, " graphs"]) -> None:
        super().__init__(ownership)
        self._batch, self._sizes = batch, torch.bincount(batch)

    def norm(self, vector: Float[Tensor, " rows *features"]) -> Scalar:
        """Return the batches' mean norms, row by row, shaped to multiply the vector."""
        norms = self._ownership.norms(vector)
        means = norms.new_zeros(len(self._sizes)).index_add_(0, self._batch, norms) / self._sizes
        return self._column(means[self._batch], vector)


def generated_per_graph(
    generators: Sequence[torch.Generator], ownership: Ownership, empty: Allocate = torch.empty_like
) -> Noise:
    """Draws with one generator a graph, in the layout's order: a graph's draws do not depend on its batch.

    Raises ValueError where the number of generators is not the batch's.
    """
    if len(generators) != ownership.graphs:
        raise ValueError(f"{len(generators)} generators for a batch of {ownership.graphs}: one a graph is needed")
    lengths = torch.bincount(ownership.graph, minlength=ownership.graphs).tolist()

    def noise(x: Tensor) -> Tensor:
        out = empty(x)
        for rows, generator in zip(out.split(lengths), generators, strict=True):
            rows.normal_(generator=generator)
        return out

    return noise
