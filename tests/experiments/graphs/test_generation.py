"""Generation: the published settings are whole."""

import pytest

from ams.data.registry import WEIGHTS
from experiments.graphs.generation import PUBLISHED, published_samples

SIZES = [3, 9, 6]


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_settings_make_graphs(name: str, authors_files: None) -> None:
    """Eight steps: the networks fit their settings, the samples are of the sizes asked for, symmetric and finite."""
    setting = PUBLISHED[name]
    assert setting.checkpoint in WEIGHTS
    end = published_samples(name, 8, SIZES, seed=1)
    assert end.adjacency.isfinite().all() and end.features.shape == (3, setting.largest, setting.features)
    assert end.adjacency.count_nonzero(dim=(1, 2)).tolist() == [n * (n - 1) for n in SIZES]
