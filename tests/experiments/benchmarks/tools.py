"""A clock whose readings a test chooses: no test here times anything."""

import itertools
from collections.abc import Callable

import pytest

from experiments.benchmarks import costs
from experiments.benchmarks.settings import Settings
from tests.claims import verdict_of
from verdicts.claims.schema import Verdict

SMALL = Settings(
    image=(3, 2, 2, 2),
    point=(4, 2),
    point_steps=20,
    loop_pairs=8,
    library_pairs=8,
    points=6000,
    fewer_points=3000,
    dimension=8,
    score_pairs=8,
    directions=16,
    particles=8,
    error=0.1,
    law_pairs=8,
    share_batch=3,
    graph_batches={"community_small": 4, "ego_small": 4, "ENZYMES": 1},
    graph_steps=1,
    graph_pairs=8,
    metric_graphs=32,
)


def set_clock(monkeypatch: pytest.MonkeyPatch, numerator: float, denominator: float) -> None:
    """Let the clock read these seconds in turn; the work is still done."""
    readings = itertools.cycle([numerator, denominator])

    def cpu_seconds(work: Callable[[], object]) -> float:
        work()
        return next(readings)

    monkeypatch.setattr(costs, "cpu_seconds", cpu_seconds)


def flips(check: str, monkeypatch: pytest.MonkeyPatch, refuting: float, holding: float) -> bool:
    """Tell whether one check is refuted if each pair of its runs has the one ratio of times, and
    holds at the other.
    """
    verdicts = []
    for ratio in (refuting, holding):
        set_clock(monkeypatch, ratio, 1.0)
        verdicts.append(verdict_of(check.split(".")[0], check, SMALL))
    return verdicts == [Verdict.REFUTED, Verdict.HOLDS]
