"""The simulated coverage: true values are what many experiments average to, and short intervals are seen."""

import networkx as nx
import pytest

from ams.metrics.mmd import Kernel
from ams.statistics import Interval, bootstrap_interval
from experiments.graphs import discrepancy
from experiments.graphs.data import community_small, to_networkx
from experiments.graphs.mmd_intervals import study
from experiments.graphs.mmd_intervals.settings import Settings
from experiments.graphs.mmd_intervals.study import design_of, disturbed, populations, simulated
from tests.claims import expected, refuted, verdict_of

SMALL = Settings(population=60, reference=16, generated=16, experiments=60)
DESIGN = design_of(SMALL)


@pytest.fixture(scope="module")
def kernel() -> Kernel:
    return populations(DESIGN)


def short(*arguments, **options) -> Interval:
    """Intervals a fifth as long."""
    whole = bootstrap_interval(*arguments, **options)
    low, high = ((4 * whole.value + end) / 5 for end in whole[1:3])
    return whole._replace(low=low, high=high)


def test_v3_holds() -> None:
    assert verdict_of("V3", settings=Settings(experiments=200)) is expected("V3")


def test_short_intervals_break_v3(fresh_cells: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of V3: intervals a fifth as long."""
    monkeypatch.setattr(discrepancy, "bootstrap_interval", short)
    assert refuted("V3", "published", "difference", settings=SMALL)


def test_other_true_values_are_not_covered(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exact MMDs of the populations are what is covered: moved by 0.3, hardly any interval holds them."""
    published, difference = study.true_values(DESIGN, kernel)
    monkeypatch.setattr(study, "true_values", lambda design, k: (published + 0.3, difference + 0.3))
    assert max(simulated(DESIGN, 20, kernel)) < 4


def test_flips_of_a_smaller_share_are_among_those_of_a_larger_one() -> None:
    graphs = community_small(10, seed=0)
    assert disturbed(graphs, 0.0, seed=0) == graphs
    near, far = disturbed(graphs, 0.05, seed=0), disturbed(graphs, 0.2, seed=0)
    for graph, one, other in zip(graphs, near, far, strict=True):
        if graph.nodes == one.nodes == other.nodes:  # none was isolated, and dropped
            changed = [set(graph.edges) ^ set(made.edges) for made in (one, other)]
            assert changed[0] <= changed[1]
    assert all(nx.density(to_networkx(graph)) > 0 for graph in far)
