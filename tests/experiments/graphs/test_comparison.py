"""The claims of the comparison: their verdicts at the quick profile, and the breaks that flip them, on made outcomes.

A break needs no network: graphs of the law with a share of their pairs flipped stand for a contender's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache

import numpy as np
import pytest
import torch

from ams.ledger.claims import Profile, Verdict
from ams.ledger.measurement import Unavailable
from experiments.graphs import comparison, models
from experiments.graphs.comparison import Run, Settings, moved, runs
from experiments.graphs.contenders import ADAPTIVE, CONTENDERS, DESCRIBED, FULL, LANGEVIN, PREDICTOR
from experiments.graphs.coverage import disturbed
from experiments.graphs.data import adjacency
from experiments.graphs.runs import Outcome
from tests.claims import claims, quick_settings, verdict_of

MADE = Settings(
    networks="own",
    contenders=(PREDICTOR, LANGEVIN, FULL, ADAPTIVE, DESCRIBED),
    steps=(100, 500),
    seeds=2,
    graphs=24,
    batch=2,
    reference=80,
    drawn=3,
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
    listed = comparison.real(settings, 1 + number)
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
    """Return a function that puts made outcomes in the place of runs."""
    cached = (comparison.discrepancy, comparison.gap)

    def place(looks: Mapping[str, Look]) -> None:
        for function in cached:
            function.cache_clear()

        @cache
        def outcomes(settings: Settings, run: Run) -> tuple[Outcome, ...]:
            return tuple(made_outcome(settings, number, looks[run[0]]) for number in range(settings.seeds))

        monkeypatch.setattr(comparison, "outcomes", outcomes)

    yield place
    for function in cached:
        function.cache_clear()


def expect(verdict: Verdict, *checks: str) -> None:
    for name in checks:
        claim, part = name.split(".")
        assert verdict_of(claim, only=f".{part}", settings=MADE) is verdict, name


def of_profile(identifier: str, profile: Profile) -> bool:
    return profile in claims()[identifier].profiles


@pytest.mark.parametrize("identifier", ["V4", "V5", "V7", "V8"])
def test_claims_come_out_as_expected(identifier: str) -> None:
    assert verdict_of(identifier) is claims()[identifier].expected


def test_a_sampler_that_gains_would_make_v4_hold(put: Put) -> None:
    """Falsifier of the refutation V4: graphs of the law itself as adaptive momentum's."""
    put(AS_EXPECTED)
    expect(Verdict.REFUTED, "V4.langevin", "V4.described", "V4.predictor")
    put({**AS_EXPECTED, PREDICTOR: (0.08, 3.8), ADAPTIVE: (0.0, 2.3), DESCRIBED: (0.0, 1.5)})
    expect(Verdict.HOLDS, "V4.langevin", "V4.described", "V4.predictor")
