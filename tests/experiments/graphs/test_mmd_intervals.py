"""The simulated coverage: that truths are what many experiments average to, and that short intervals are seen."""

from __future__ import annotations

import networkx as nx
import pytest

from ams.statistics import bootstrap_interval
from experiments.graphs import discrepancy
from experiments.graphs.data import community_small
from experiments.graphs.mmd_intervals import checks as coverage
from experiments.graphs.mmd_intervals.checks import (
    Settings,
    difference_coverage,
    disturbed,
    populations,
    published_coverage,
)
from tests.claims import claims, verdict_of
from tests.experiments.graphs.strategies import to_networkx
from verdicts.claims.schema import Verdict

SMALL = Settings(population=60, reference=16, generated=16, experiments=60)


@pytest.fixture(scope="module")
def kernel():
    return populations(SMALL)


def short(*arguments, **options):
    """Intervals a fifth as long."""
    found = bootstrap_interval(*arguments, **options)
    return found._replace(
        low=found.value - (found.value - found.low) / 5, high=found.value + (found.high - found.value) / 5
    )


def test_v3_holds():
    assert verdict_of("V3") is claims()["V3"].expected


def test_short_intervals_break_v3(monkeypatch):
    """Falsifier of V3: intervals a fifth as long."""
    monkeypatch.setattr(discrepancy, "bootstrap_interval", short)
    assert verdict_of("V3", only=".published", settings=SMALL) is Verdict.REFUTED
    assert verdict_of("V3", only=".difference", settings=SMALL) is Verdict.REFUTED


def test_intervals_cover_and_short_ones_do_not(kernel, monkeypatch):
    """Of 60 experiments at a coverage of 95 %, fewer than 48 hold the truth with probability 7e-6."""
    for covered in (published_coverage, difference_coverage):
        assert covered(SMALL, kernel).value >= 0.8

    monkeypatch.setattr(discrepancy, "bootstrap_interval", short)
    for covered in (published_coverage, difference_coverage):
        assert covered(SMALL, kernel).value < 0.8


def test_a_truth_that_is_off_is_not_covered(kernel, monkeypatch):
    """The exact discrepancies of the populations are what is covered: moved by 0.3, hardly any interval holds them."""
    exact = coverage.mmd_squared
    monkeypatch.setattr(coverage, "mmd_squared", lambda k, x, y, within: exact(k, x, y, within) + 0.3)
    assert published_coverage(SMALL, kernel).value < 0.2


def test_flips_of_a_smaller_share_are_among_those_of_a_larger_one():
    listed = community_small(10, seed=0)
    assert disturbed(listed, 0.0, seed=0) == listed
    near, far = disturbed(listed, 0.05, seed=0), disturbed(listed, 0.2, seed=0)
    for graph, one, other in zip(listed, near, far, strict=True):
        if graph.nodes == one.nodes == other.nodes:  # none was isolated, and dropped
            changed = [set(graph.edges) ^ set(made.edges) for made in (one, other)]
            assert changed[0] <= changed[1]
    assert all(nx.density(to_networkx(graph)) > 0 for graph in far)
