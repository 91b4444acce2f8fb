"""T11: what counts as work, and what flips the verdict."""

import time

import pytest
import torch

from ams.schedules import Level
from ams.targets import Empirical
from experiments.benchmarks import study_share
from tests.claims import verdict_of
from tests.experiments.benchmarks.tools import SMALL
from verdicts.claims.schema import Verdict


def spin(seconds: float = 0.1) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        sum(range(1000))


class Work:
    """In the place of a store: computing a cell takes exact scores, or what is no work."""

    def __init__(self, score: bool) -> None:
        self.score = score

    def ensure(self, cell: object) -> None:
        target = Empirical(torch.rand(2000, 64))
        for _ in range(60) if self.score else ():
            target.score(torch.rand(64, 64), Level(0, sigma=1.0))
        spin(0.0 if self.score else 0.1)


@pytest.mark.parametrize("score", [True, False])
def test_a_score_is_work_and_a_loop_is_not(score: bool) -> None:
    spent = study_share.spent_in([object()], Work(score), SMALL)
    assert spent.total > 0.02 and (spent.share > 0.5) is score


def test_time_that_is_no_work_breaks_t11(monkeypatch) -> None:
    """Falsifier of T11: cells that only loop; with cells of exact scores it holds."""
    monkeypatch.setattr(study_share, "cells_of", lambda group, settings: [group.id])
    for score, verdict in ((False, Verdict.REFUTED), (True, Verdict.HOLDS)):
        monkeypatch.setattr(study_share, "store_of", lambda workspace, score=score: Work(score))
        assert verdict_of("T11", settings=SMALL) is verdict
