"""The authors' graph code and published table: replayed traces, rows on made graphs, and what flips
the verdicts.
"""

import math
from collections.abc import Callable
from functools import partial
from itertools import combinations
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest

from ams.data import Graph
from ams.metrics.mmd import biased_within, mmd_squared
from ams.statistics import Interval
from experiments.graphs import samplers
from experiments.graphs.data import community_small, split, to_graph6
from experiments.graphs.gdss_tables import checks, study
from experiments.graphs.gdss_tables.rows import (
    SetEstimate,
    false_alarms,
    floor,
    half_range,
    means_of_parts,
    row,
)
from experiments.graphs.gdss_tables.settings import Settings
from experiments.graphs.gdss_traces import checks as traces
from experiments.graphs.statistics import DEGREE, PUBLISHED as STATISTICS
from tests.ams.traces.test_traces import changed
from tests.claims import claim_of, expected, refuted, verdict_of
from tests.experiments.graphs.made import disturbed
from verdicts.claims.measurement import InsufficientData
from verdicts.claims.schema import Verdict


@pytest.mark.parametrize("identifier", ["V1", "V2"])
def test_claims_come_out_as_expected(identifier: str, authors_files: None) -> None:
    assert verdict_of(identifier) is expected(identifier)


def test_a_changed_sampler_leaves_the_trace(
    authors_files: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Falsifier of V1: momentum that the adjacency keeps, another snr in S4, inputs off by a
    thousandth.
    """
    monkeypatch.setitem(
        traces.CORRECTORS,
        "released_adaptive",
        partial(samplers.momentum_in_both, samplers.ADAPTIVE),
    )
    assert refuted("V1", "states", "results")
    s4 = samplers.s4
    monkeypatch.setattr(samplers, "s4", lambda snr, scale_eps: s4(1.01 * snr, scale_eps))
    assert refuted("V1", "s4_states")
    monkeypatch.setattr(samplers, "s4", lambda snr, scale_eps: s4(1.2 * snr, scale_eps))
    assert refuted("V1", "s4_results")
    true = traces.load_networks
    monkeypatch.setattr(
        traces, "load_networks", lambda path: true(path)._replace(x=1.001 * true(path).x)
    )
    assert refuted("V1", "networks")


def test_other_calls_are_an_infinite_deviation(tmp_path: Path, authors_files: None) -> None:
    name = "graphs/gdss_sampler_released_adaptive_reverse_n2"
    path = changed(tmp_path, name, lambda z: z.update(call_network=z["call_network"][::-1]))
    assert math.isinf(traces.deviations(path)["states"])


def test_float64_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of V2: an exact sigma loses nothing at the end; one off by a thousandth loses
    everywhere.
    """
    monkeypatch.setattr(traces, "float32_noise", lambda process: traces.predicted_noise)
    assert refuted("V2", "last")
    monkeypatch.setattr(traces, "float32_noise", lambda process: lambda level: -1.001 / level.sigma)
    assert refuted("V2", "before")


def test_another_process_changes_results_and_edges(
    authors_files: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(traces.EXACT, "VP", traces.vp_system(0.1, 1.4))
    assert refuted("V2", "entries", "edges")


SETTINGS = Settings(draws=200)
FEW = Settings(draws=200, samples=8)
"""With eight graphs little is seen."""
Put = Callable[[list[Graph]], None]


@pytest.fixture
def put(fresh_cells: None, monkeypatch: pytest.MonkeyPatch) -> Put:
    """Return a function that puts graphs in the place of generated ones; the published row is that
    of our generator.

    The lists of graphs are our generator's, so no file is needed.
    """
    real = split(community_small(100, seed=4))
    kernels = [
        statistic.kernel([*real.test, *community_small(200, seed=5)]) for statistic in STATISTICS
    ]
    values = tuple(row(k, 20, 20, seed=0).mean.value for k in kernels)
    monkeypatch.setattr(study, "published", lambda name: real)
    for name in study.SETS:
        monkeypatch.setitem(study.ROWS, name, values)

    def place(made: list[Graph]) -> None:
        lines, half = [to_graph6(graph) for graph in made], len(made) // 2
        parts = {2405: lines[:half], 2406: lines[half:]}
        monkeypatch.setattr(
            study, "generated", lambda name, steps, count, seed: parts[seed][:count]
        )

    return place


ROW_CHECKS = ("V10.community_small", "V10.ego_small")


def verdicts(settings: Settings = SETTINGS) -> set[Verdict]:
    return {verdict_of(claim_of(name), name, settings) for name in ROW_CHECKS}


def test_graphs_of_the_distribution_give_the_rows(put: Put) -> None:
    put(community_small(128, seed=6))
    assert verdicts() == {Verdict.HOLDS}
    assert "correct rows left undecided" not in checks.largest_stray(FEW, "ego_small").detail, (
        "eight are too few"
    )
    measured = checks.largest_stray(SETTINGS, "community_small")
    entry = study.row_of(SETTINGS, "community_small").entries[0]
    normal_quantiles = 2.935 + 2.326  # of .99: of three together, of one
    assert entry.smallest == pytest.approx(normal_quantiles * entry.error, rel=1e-3)
    assert 0.005 < measured.detail["correct rows left undecided"] < 0.1 and measured.seeds == (
        2405,
        2406,
    )
    assert measured.high - measured.value == pytest.approx(2.935, abs=1e-3) and measured.n == 128


def test_other_graphs_break_the_rows(put: Put) -> None:
    """Falsifier of V10: graphs with a quarter of their pairs flipped; one wrong graph again and
    again.
    """
    put(disturbed(community_small(128, seed=6), 0.25, seed=0))
    assert verdicts() == {Verdict.INCONCLUSIVE}
    put([Graph(12, tuple(combinations(range(12), 2)))] * 128)
    assert verdicts(Settings(draws=201)) == {Verdict.REFUTED}


def test_few_graphs_make_a_long_interval(put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight graphs see larger differences alone; where none that is possible would be seen, that is
    said.
    """
    put(community_small(128, seed=6))
    few, more = (study.row_of(settings, "ego_small").entries[0] for settings in (FEW, SETTINGS))
    assert (few.ours.n, more.ours.n) == (8, 128) and few.smallest > more.smallest
    monkeypatch.setattr(study, "LARGEST", 0.1)
    with pytest.raises(InsufficientData, match="8 graphs see no difference below"):
        checks.largest_stray(FEW, "ego_small")


def test_half_a_range_has_the_interval_of_its_ends() -> None:
    """Of 1000 sets of normal values; 99 % hold the true half range 1.96 (up to five standard
    errors), and no longer.
    """
    generator = np.random.default_rng(0)
    found = [half_range(generator.normal(size=500)) for _ in range(1000)]
    held = np.mean([one.low <= 1.959964 <= one.high for one in found])
    assert held >= 0.99 - 5 * math.sqrt(0.01 * 0.99 / 1000)
    assert (
        all(one.low < one.value < one.high for one in found) and found[0].high - found[0].low < 1.2
    )


def test_a_large_test_set_breaks_v11(fresh_cells: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of V11: with 120 graphs in a row the choice of the real ones hardly moves it."""
    real = split(community_small(600, seed=4))
    monkeypatch.setattr(study, "published", lambda name: real)
    assert refuted("V11", "community_small", "ego_small", "enzymes", settings=SETTINGS)


def test_v11_holds(authors_files: None) -> None:
    assert verdict_of("V11", settings=Settings()) is expected("V11")


def test_a_row_is_the_mean_over_sets_of_its_size() -> None:
    """Against the published estimate itself, of 2000 sets of 10 drawn from a population of 60, the
    reference fixed.
    """
    reference, population = (
        community_small(15, seed=1),
        disturbed(community_small(60, seed=2), 0.05, seed=0),
    )
    k = DEGREE.kernel([*reference, *population])
    generator, weights = np.random.default_rng(0), np.zeros((2000, 75))
    for line in weights:
        np.add.at(line, 15 + generator.choice(60, 10, replace=False), 1.0)
    values = mmd_squared(k, np.repeat([1.0, 0.0], [15, 60]), weights, biased_within)
    ours = row(k, 15, 10, seed=0)
    assert ours.mean.value == pytest.approx(values.mean(), abs=4 * values.std() / math.sqrt(2000))
    # sets drawn without replacement stray less, by a factor of sqrt(1 - 10 / 60)
    assert ours.spread * math.sqrt(1 - 10 / 60) == pytest.approx(values.std(), rel=0.15)


def test_a_row_of_parts_is_that_of_each_alone() -> None:
    reference, population = (
        community_small(15, seed=1),
        disturbed(community_small(30, seed=2), 0.05, seed=0),
    )
    means = means_of_parts(DEGREE.kernel([*reference, *population]), 15, 10, [12, 18])
    alone = [
        row(DEGREE.kernel([*reference, *part]), 15, 10, seed=0)
        for part in (population[:12], population[12:])
    ]
    assert means == pytest.approx([one.mean.value for one in alone], abs=1e-12)


def test_false_alarms_are_those_of_single_sets() -> None:
    """Two normal quantities: 4.6 % of each beyond two standard errors, both together as often as
    either is.
    """
    generator = np.random.default_rng(0)
    one, other = (
        SetEstimate(Interval(3.0, 2.9, 3.1, 20), 3.0 + 0.7 * generator.normal(size=20_000))
        for _ in range(2)
    )
    rate = 2 * (1 - NormalDist().cdf(2.0))
    # five standard errors of a share
    assert false_alarms([one], 2.0) == pytest.approx(rate, abs=0.008)
    assert false_alarms([one, other], 2.0) == pytest.approx(1 - (1 - rate) ** 2, abs=0.012)
    assert false_alarms([one, one], 2.0) == false_alarms([one], 2.0)


def test_the_floor_is_the_bias_for_one_distribution_and_falls_with_the_size() -> None:
    k = DEGREE.kernel(community_small(120, seed=1))
    small, large = (floor(k, 40, size, seed=0) for size in (10, 40))
    assert large.value < small.value
    assert small.low < small.value < small.high
    assert floor(k, 40, 80, seed=0).low == floor(k, 40, 80, seed=1).high
