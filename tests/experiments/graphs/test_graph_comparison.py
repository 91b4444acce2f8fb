"""The claims of the comparison: their verdicts at the quick profile, and the breaks that flip them, on made outcomes.

A break needs no network: graphs of the law with a share of their pairs flipped stand for a contender's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from ams.errors import DataUnavailable
from experiments.graphs import models
from experiments.graphs.data import adjacency
from experiments.graphs.graph_comparison import checks as comparison, paired_comparison as paired
from experiments.graphs.graph_comparison.baselines import ADAPTIVE, CONTENDERS, DESCRIBED, FULL, LANGEVIN, PREDICTOR
from experiments.graphs.graph_comparison.paired_comparison import Run, Settings, moved, runs
from experiments.graphs.mmd_intervals.checks import disturbed
from experiments.graphs.runs import Outcome
from tests.claims import claims, verdict_of
from verdicts.claims.schema import Verdict

MADE = Settings(
    networks="own",
    contenders=(PREDICTOR, LANGEVIN, FULL, ADAPTIVE, DESCRIBED),
    steps=(100, 500),
    seeds=2,
    more=3,
    graphs=24,
    batch=2,
    reference=80,
    drawn=3,
    once=(),
)
Look = tuple[float, float]
"""The share of pairs that are flipped, and the temperature."""
AS_EXPECTED: Mapping[str, Look] = {
    PREDICTOR: (0.0, 3.8),
    FULL: (0.02, 3.4),
    LANGEVIN: (0.08, 2.4),
    ADAPTIVE: (0.08, 2.3),
    DESCRIBED: (0.12, 1.5),
}
Put = Callable[[Mapping[str, Look]], None]


def made_outcome(settings: Settings, number: int, look: Look) -> Outcome:
    share, temperature = look
    listed = paired.real(settings, 1 + number)
    graphs = disturbed(listed, share, settings.seed + number)
    present = torch.zeros(len(listed), 20, 20, dtype=torch.bool)
    generator = np.random.default_rng(settings.seed + number)
    for place, graph in enumerate(listed):
        flips = np.triu(generator.random((graph.nodes, graph.nodes)) < share, 1)
        joined = (adjacency(graph) > 0) ^ (flips | flips.T)
        present[place, : graph.nodes, : graph.nodes] = torch.from_numpy(joined)
    spread = torch.linspace(-0.01, 0.01, len(listed))
    return Outcome(tuple(graph.nodes for graph in listed), graphs, present, temperature + spread)


@pytest.fixture
def put(monkeypatch: pytest.MonkeyPatch) -> Iterator[Put]:
    """Return a function that puts made outcomes in the place of runs; they count as the authors' networks'."""
    true = paired.model_of
    monkeypatch.setattr(paired, "model_of", lambda origin: true(origin)._replace(published=True))
    cached = (paired.discrepancy, paired.gap)

    def place(looks: Mapping[str, Look]) -> None:
        for function in cached:
            function.cache_clear()

        @cache
        def outcomes(settings: Settings, run: Run) -> tuple[Outcome, ...]:
            return tuple(
                made_outcome(settings, number, looks[run[0]]) for number in range(len(paired.seeds(settings, run)))
            )

        monkeypatch.setattr(paired, "outcomes", outcomes)

    yield place
    for function in cached:
        function.cache_clear()


def expect(verdict: Verdict, *checks: str) -> None:
    for name in checks:
        claim, part = name.split(".")
        assert verdict_of(claim, only=f".{part}", settings=MADE) is verdict, name


@pytest.mark.parametrize("identifier", ["V7", "V8"])
def test_claims_come_out_as_expected(identifier: str) -> None:
    assert verdict_of(identifier) is claims()[identifier].expected


def test_a_sampler_that_gains_would_make_v4_hold(put: Put) -> None:
    """Falsifier of the refutation V4: graphs of the law itself as adaptive momentum's."""
    put(AS_EXPECTED)
    expect(Verdict.REFUTED, "V4.langevin", "V4.predictor")
    put({**AS_EXPECTED, PREDICTOR: (0.08, 3.8), ADAPTIVE: (0.0, 2.3), DESCRIBED: (0.0, 1.5)})
    expect(Verdict.HOLDS, "V4.langevin", "V4.predictor", "V4.half")
    put({**AS_EXPECTED, LANGEVIN: (0.0, 2.4)})
    expect(Verdict.REFUTED, "V4.half")


def test_a_sampler_that_loses_breaks_v5(put: Put) -> None:
    """Falsifier of V5: at one number of steps or at all, graphs with a tenth of their pairs flipped."""
    put(AS_EXPECTED)
    expect(Verdict.HOLDS, "V5.langevin")
    put({**AS_EXPECTED, LANGEVIN: (0.0, 2.4), ADAPTIVE: (0.12, 2.3)})
    expect(Verdict.REFUTED, "V5.langevin")


def test_few_graphs_break_v6(put: Put) -> None:
    """Falsifier of V6: 48 graphs a sampler that share nothing but their starts do not resolve it."""
    put({**AS_EXPECTED, ADAPTIVE: (0.2, 2.3)})
    expect(Verdict.REFUTED, "V6.resolution")


def test_a_form_that_loses_nothing_breaks_v7(put: Put) -> None:
    """Falsifier of V7: the released form with the momentum that it loses, and as described without."""
    put(AS_EXPECTED)
    expect(Verdict.HOLDS, "V7.moved", "V7.cooler")
    put({**AS_EXPECTED, ADAPTIVE: AS_EXPECTED[DESCRIBED], DESCRIBED: AS_EXPECTED[ADAPTIVE]})
    expect(Verdict.REFUTED, "V7.moved", "V7.cooler")


def test_other_temperatures_break_v8(put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of V8: each contender with the other's temperature; a forward process with half its noise."""
    put(AS_EXPECTED)
    expect(Verdict.HOLDS, "V8.corrector", "V8.momentum", "V8.forward")
    put({**AS_EXPECTED, PREDICTOR: AS_EXPECTED[DESCRIBED], DESCRIBED: AS_EXPECTED[PREDICTOR]})
    expect(Verdict.REFUTED, "V8.corrector", "V8.momentum")
    true = paired.graph_temperatures
    monkeypatch.setattr(paired, "graph_temperatures", lambda *given: 0.5 * true(*given))
    expect(Verdict.REFUTED, "V8.forward")


def test_momentum_that_helps_breaks_v9(put: Put) -> None:
    """Falsifier of V9: graphs as described of the law itself, those of the released form with pairs flipped."""
    put({**AS_EXPECTED, DESCRIBED: (0.2, 1.5), ADAPTIVE: (0.0, 2.3)})
    expect(Verdict.HOLDS, "V9.momentum")
    put({**AS_EXPECTED, DESCRIBED: (0.0, 1.5), ADAPTIVE: (0.12, 2.3)})
    expect(Verdict.REFUTED, "V9.momentum")


def test_some_claims_are_of_the_authors_networks_alone() -> None:
    for check in (comparison.competitive_with_langevin, comparison.resolution, comparison.the_momentum_harms):
        with pytest.raises(DataUnavailable, match="gdss-community_small is not here"):
            check(MADE)


def test_runs_are_every_contender_and_the_predictor_at_equal_cost() -> None:
    listed = runs(MADE)
    assert len(listed) == len(set(listed)) == 5 * 2 + 2
    assert {(PREDICTOR, 200), (PREDICTOR, 1000), (LANGEVIN, 500)} <= set(listed)
    assert (FULL, 500) not in runs(MADE.model_copy(update={"contenders": (PREDICTOR,), "once": (FULL,)}))
    assert set(Settings().contenders) | set(Settings().once) == set(CONTENDERS)


def test_a_share_of_pairs_that_moved() -> None:
    empty = torch.zeros(1, 4, 4, dtype=torch.bool)
    joined = empty.clone()
    joined[0, 0, 1] = joined[0, 1, 0] = True
    one, other = (Outcome((4,), [], present, torch.ones(1)) for present in (empty, joined))
    assert moved(one, other).tolist() == pytest.approx([1 / 6])


def test_missing_networks_are_replaced_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*given: object) -> None:
        raise DataUnavailable("none")

    monkeypatch.setattr(models, "networks", missing)
    models.model_of.cache_clear()
    found = models.model_of("authors")
    models.model_of.cache_clear()
    assert found.title == "our own, as the authors' cannot be had" and not found.published


def test_figures_and_tables_are_made(put: Put, tmp_path: Path) -> None:
    put(AS_EXPECTED)
    settings = MADE.model_copy(update={"once": (), "steps": (100,)})
    drawn = comparison.figures(settings, tmp_path)
    assert [figure.file.stem for figure in drawn] == ["graphs_curves", "graphs_drawn"]
    assert all(figure.file.stat().st_size > 10_000 for figure in drawn)
    runs_table, differences = comparison.tables(settings)
    assert len(runs_table.rows) == 5 + 1 + 1 and len(differences.rows) == 4
    assert {row[-1] for row in differences.rows} == {"larger than noise", "not larger than noise"}
