"""The comparison of correctors: its claims' verdicts at the quick profile, and the changes that
flip them.

A change needs no network: graphs of the distribution with a share of their pairs flipped stand for
a sampler's.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack

import numpy as np
import pytest
import torch

from ams.data import Graph
from ams.errors import DataUnavailable
from experiments.graphs import checkpoints
from experiments.graphs.data import to_graph6
from experiments.graphs.graph_comparison import checks, study
from experiments.graphs.graph_comparison.presets import (
    ADAPTIVE,
    ADAPTIVE_IN_BOTH,
    ADAPTIVE_LESS,
    LANGEVIN,
    LANGEVIN_LESS,
    PREDICTOR,
    SAMPLERS,
)
from experiments.graphs.graph_comparison.settings import Settings
from experiments.graphs.graph_comparison.study import Common, SampledGraphs, SteppedRun
from tests.claims import claim_of, claims, expected, measured, quick_settings, upheld, verdict_of
from tests.experiments.graphs.made import flipped
from verdicts import Unavailable
from verdicts.claims.schema import Verdict
from verdicts.studies import Memory, using

FULL_NOISE = "PC, Langevin, full noise"
MADE = Settings(
    samplers=(PREDICTOR.name, LANGEVIN.name, FULL_NOISE, ADAPTIVE.name, ADAPTIVE_IN_BOTH.name),
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
"""The share of pairs that are flipped, and the residual variance."""
AS_EXPECTED: Mapping[str, Look] = {
    PREDICTOR.name: (0.0, 3.8),
    FULL_NOISE: (0.02, 3.4),
    LANGEVIN.name: (0.08, 2.4),
    ADAPTIVE.name: (0.08, 2.3),
    ADAPTIVE_IN_BOTH.name: (0.12, 1.5),
}
Put = Callable[[Mapping[str, Look]], None]


def made_outcome(common: Common, number: int, look: Look) -> SampledGraphs:
    """Fresh graphs with a share of their pairs flipped, the same pairs for every sampler."""
    share, variance = look
    fresh = study.fresh_graphs(common.seed, 1 + number, common.graphs)
    lines = [to_graph6(graph) for graph in flipped(fresh, share, common.seed + number)]
    return SampledGraphs(lines, (variance + np.linspace(-0.01, 0.01, common.graphs)).tolist())


@pytest.fixture
def put(monkeypatch: pytest.MonkeyPatch) -> Iterator[Put]:
    """Return a function that puts made outcomes in the place of runs; they count as the authors'
    networks'.
    """

    def place(looks: Mapping[str, Look]) -> None:
        def outcomes(common: Common, run: SteppedRun) -> list[SampledGraphs]:
            return [made_outcome(common, number, looks[run.sampler]) for number in range(run.seeds)]

        monkeypatch.setattr(study, "outcomes_of", outcomes)
        stack.enter_context(using(Memory()))

    with ExitStack() as stack:
        yield place


def expect(verdict: Verdict, *identifiers: str) -> None:
    for name in identifiers:
        assert verdict_of(claim_of(name), only=name, settings=MADE) is verdict, name


@pytest.mark.parametrize("checks_of", ["V7.", "V8."])
def test_claims_come_out_as_expected(checks_of: str) -> None:
    """The quick profile's bundled networks, in 30 steps with 32 graphs a sampler."""
    small = quick_settings("graph_comparison").model_copy(
        update={"steps": (30,), "graphs": 16, "seeds": 2, "more": 2}
    )
    for name in (name for name in claims().checks if name.startswith(checks_of)):
        assert verdict_of(claim_of(name), name, small) is expected(claim_of(name)), name


def test_a_gain_and_a_loss_refute_v4(put: Put) -> None:
    """Falsifier of V4: graphs of the distribution itself as adaptive momentum's, then farther
    ones.
    """
    every = ("V4.langevin", "V4.configured", "V4.less_noise")
    same = {sampler.name: AS_EXPECTED[LANGEVIN.name] for sampler in (ADAPTIVE_LESS, LANGEVIN_LESS)}
    put(AS_EXPECTED | same)
    expect(Verdict.HOLDS, *every)
    for share in (0.0, 0.16):
        put(AS_EXPECTED | same | {ADAPTIVE.name: (share, 2.3), ADAPTIVE_LESS.name: (share, 2.3)})
        expect(Verdict.REFUTED, *every)


def test_a_sampler_that_gains_would_make_v4a_hold(put: Put) -> None:
    """Falsifier of the refutation V4a: after twice the evaluations Langevin's graphs are the nearer
    ones.

    Then the two samplers exchange their graphs.
    """
    nearer, farther = (0.0, 2.4), AS_EXPECTED[ADAPTIVE.name]
    put({**AS_EXPECTED, LANGEVIN.name: nearer})
    with upheld("V4a", settings=MADE):
        put({**AS_EXPECTED, ADAPTIVE.name: nearer, LANGEVIN.name: farther})


def test_a_sampler_that_loses_breaks_v5(put: Put) -> None:
    """Falsifier of V5: graphs with a tenth of their pairs flipped as adaptive momentum's."""
    put(AS_EXPECTED)
    expect(Verdict.HOLDS, "V5.langevin")
    put({**AS_EXPECTED, LANGEVIN.name: (0.0, 2.4), ADAPTIVE.name: (0.12, 2.3)})
    expect(Verdict.REFUTED, "V5.langevin")


def test_another_published_row_moves_the_margin(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tolerance of V5 is the margin over the published row, to the digits that are printed."""
    claim = next(claim for claim in claims().claim if claim.id == "V5")
    own = {check.id: check for check in claim.check}
    assert own["V5.langevin"].tolerance == own["V5.margin"].bound
    expect(Verdict.HOLDS, "V5.margin")
    monkeypatch.setattr(checks, "ROW", 0.05)
    expect(Verdict.REFUTED, "V5.margin")


def test_few_graphs_break_the_resolution_of_v5(put: Put) -> None:
    """Falsifier of V6.resolution: 48 graphs a sampler that share their starts alone."""
    put({**AS_EXPECTED, ADAPTIVE.name: (0.2, 2.3)})
    expect(Verdict.REFUTED, "V6.resolution")


def test_momentum_that_is_not_lost_breaks_v7(put: Put) -> None:
    """Falsifier of V7: the authors' form and momentum in both states change places."""
    put(AS_EXPECTED)
    expect(Verdict.HOLDS, "V7.moved", "V7.cooler")
    both, authors = ADAPTIVE_IN_BOTH.name, ADAPTIVE.name
    put({**AS_EXPECTED, authors: AS_EXPECTED[both], both: AS_EXPECTED[authors]})
    expect(Verdict.REFUTED, "V7.moved", "V7.cooler")


def test_other_variances_break_v9(put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of V8's checks: two samplers' variances change places; half of the forward
    noise.
    """
    put(AS_EXPECTED)
    expect(Verdict.HOLDS, "V8.corrector", "V8.momentum", "V8.forward")
    first, last = PREDICTOR.name, ADAPTIVE_IN_BOTH.name
    put({**AS_EXPECTED, first: AS_EXPECTED[last], last: AS_EXPECTED[first]})
    expect(Verdict.REFUTED, "V8.corrector", "V8.momentum")
    true = checks.residual_variances
    monkeypatch.setattr(checks, "residual_variances", lambda *given: 0.5 * true(*given))
    expect(Verdict.REFUTED, "V8.forward")


def test_momentum_that_helps_breaks_v9(put: Put) -> None:
    """Falsifier of V9: graphs of the distribution itself with momentum in both states, flipped
    pairs without.
    """
    put({**AS_EXPECTED, ADAPTIVE_IN_BOTH.name: (0.2, 1.5), ADAPTIVE.name: (0.0, 2.3)})
    expect(Verdict.HOLDS, "V9.momentum", "V9.langevin")
    put({**AS_EXPECTED, ADAPTIVE_IN_BOTH.name: (0.0, 1.5), ADAPTIVE.name: (0.12, 2.3)})
    expect(Verdict.REFUTED, "V9.momentum", "V9.langevin")


def test_some_claims_are_about_the_authors_networks_alone() -> None:
    bundled = MADE.model_copy(update={"networks": "bundled"})
    for name in ("V5.langevin", "V6.resolution", "V9.momentum"):
        with pytest.raises(Unavailable, match="gdss-community_small is not here"):
            measured(name, bundled)


def test_no_other_networks_stand_in_for_the_authors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where their file is missing nothing is computed."""
    monkeypatch.setenv("AMS_OFFLINE", "1")
    monkeypatch.setenv("AMS_DATA", "/nowhere")
    monkeypatch.setenv("XDG_CACHE_HOME", "/nowhere")
    checkpoints.networks.cache_clear()  # of another test in this process
    with pytest.raises(DataUnavailable, match=r"community_small\.pth"):
        measured("V4.langevin", MADE)


def test_runs_are_every_sampler_and_the_predictor_at_equal_cost() -> None:
    runs = study.shown(MADE)
    assert len(runs) == len(set(runs)) == 5 * 2 + 2
    assert {(PREDICTOR.name, 200, 2), (PREDICTOR.name, 1000, 2), (LANGEVIN.name, 100, 3)} <= set(
        runs
    )
    few = MADE.model_copy(update={"samplers": (PREDICTOR.name,), "once": (FULL_NOISE,)})
    assert (FULL_NOISE, 500, 2) not in study.shown(few)
    assert set(Settings().samplers) | set(Settings().once) == set(SAMPLERS)


def test_the_study_lists_what_claims_read_and_more_seeds_keep_the_cells_of_fewer() -> None:
    bundled = MADE.model_copy(update={"networks": "bundled"})
    settings = {seeds: bundled.model_copy(update={"more": seeds}) for seeds in (3, 4)}
    few, more = (
        {str(cell) for cell in study.cells(one) if cell.function is study.outcome}
        for one in settings.values()
    )
    assert few < more and len(few) == 5 * 3 + 7 * 2
    assert not any(f"sampler='{LANGEVIN.name}', steps=200" in name for name in few), (
        "no claim of these networks"
    )
    assert (LANGEVIN.name, 200, 2) in {farther for _, farther in study.compared(MADE)}


def test_a_share_of_pairs_that_changed() -> None:
    one, other = (SampledGraphs([to_graph6(Graph(4, edges))], [1.0]) for edges in ((), ((0, 1),)))
    assert checks.changed_pairs(one, other).tolist() == pytest.approx([1 / 6])
    assert torch.equal(checks.variance_drop(one, other), torch.zeros(1))
