"""Generation: the published settings are whole, and a run is the seed's, graph by graph."""

import pytest
import torch

from ams.data.registry import WEIGHTS
from ams.errors import DataUnavailable
from experiments.graphs import samplers
from experiments.graphs.checkpoints import networks
from experiments.graphs.generation import END, PUBLISHED, generate
from experiments.graphs.ragged_batch import RaggedBatches

SIZES = [3, 9, 6]


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_settings_make_graphs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight steps: the networks fit their settings, the samples are of the sizes asked for, symmetric and finite."""
    monkeypatch.setenv("AMS_OFFLINE", "1")
    setting = PUBLISHED[name]
    assert setting.checkpoint in WEIGHTS
    try:
        both = networks(setting.checkpoint, setting.averaged)
    except DataUnavailable as absence:
        pytest.skip(str(absence))
    end, layout = generate(setting.plan(setting.pair, 8), both, setting.pair, SIZES, setting.features, seed=1)
    square = layout.pad_pairs(end.adjacency, setting.largest)
    assert square.isfinite().all() and end.features.shape == (sum(SIZES), setting.features)
    assert square.count_nonzero(dim=(1, 2)).tolist() == [n * (n - 1) for n in SIZES]


def test_a_graph_is_its_seeds_and_its_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Uncoupled, a graph comes out the same alone and in a batch, from the same seed; from another it does not."""
    monkeypatch.setenv("AMS_OFFLINE", "1")
    setting = PUBLISHED["QM9"]
    try:
        both = networks(setting.checkpoint, setting.averaged)
    except DataUnavailable as absence:
        pytest.skip(str(absence))
    adaptive = samplers.momentum_in_both(samplers.ADAPTIVE)
    plan = samplers.corrected(setting.pair, samplers.euler_maruyama, adaptive(0.1, 0.7), 10, END)

    def made(sizes: list[int], seed: int, first: int) -> torch.Tensor:
        end, layout = generate(plan, both, setting.pair, sizes, setting.features, seed, first, RaggedBatches)
        return layout.pad_pairs(end.adjacency, 9)

    whole, second, other = made(SIZES, 1, 0), made(SIZES[1:2], 1, 1), made(SIZES[1:2], 2, 1)
    torch.testing.assert_close(whole[1:2], second, rtol=1e-3, atol=1e-3)
    assert (other - second).abs().max() > 0.1
