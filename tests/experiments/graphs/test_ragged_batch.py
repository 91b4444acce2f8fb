"""The ragged algebras are the particles' on padded graphs; a graph's noise is its own."""

import torch
from hypothesis import given, settings, strategies as st

from ams.samplers import Particles
from ams.samplers.noise_sources import seeded_per_sample
from experiments.graphs.graph_layout import Layout
from experiments.graphs.ragged_batch import Ownership, RaggedBatches, generated_per_graph
from experiments.graphs.samplers import Denoised
from tests.experiments.graphs.random_networks import batch

SIZES = st.lists(st.integers(1, 7), min_size=1, max_size=6)
few = settings(deadline=None, max_examples=20)


@given(first=SIZES, second=SIZES, seed=st.integers(0, 99))
@few
def test_batches_side_by_side_are_batches_alone(first: list[int], second: list[int], seed: int) -> None:
    layout, x, a = batch([*first, *second], seed)
    own = torch.tensor([number >= len(first) for number in layout.order]).long()
    padded_parts = Denoised(x, a).padded(layout, max(layout.sizes))
    for vector, padded, ownership in zip((x, a), padded_parts, Ownership.both(layout), strict=True):
        column = RaggedBatches(ownership, own).norm(vector)
        alone = torch.tensor([Particles().norm(part) for part in padded.split([len(first), len(second)])])
        assert column.ndim == vector.ndim
        torch.testing.assert_close(column.flatten(), alone.to(column.dtype)[own][ownership.graph])


@given(sizes=st.lists(st.integers(1, 7), min_size=2, max_size=6), seed=st.integers(0, 99))
@few
def test_a_graphs_noise_does_not_know_its_batch(sizes: list[int], seed: int) -> None:
    def drawn(first: int, some: list[int]) -> torch.Tensor:
        layout, streams = Layout.of(some), seeded_per_sample(seed, first, len(some))
        noise = generated_per_graph([streams[i] for i in layout.order], Ownership.both(layout)[1])
        like = torch.empty(layout.pairs)
        return layout.pad_pairs(noise(like) + noise(like), 7)

    parts = [drawn(0, sizes[:1]), drawn(1, sizes[1:])]
    assert torch.equal(drawn(0, sizes), torch.cat(parts))
