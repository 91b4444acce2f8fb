from ams.targets import points
from experiments.benchmarks.empirical.settings import Settings
from tests.claims import verdict_of
from tests.experiments.benchmarks.tools import verdict_at
from verdicts.claims.schema import Verdict

SMALL = Settings(points=6000, fewer=3000, dimension=8, batch=256, pairs=8)


def test_a_slower_score_breaks_t3(monkeypatch):
    """Falsifier of T3: a clock that reads 1.5 times as long for the score, and logits of all points in one block."""
    assert verdict_at("T3.time", SMALL, monkeypatch, 1.5) is Verdict.REFUTED
    assert verdict_at("T3.time", SMALL, monkeypatch, 1.3) is Verdict.HOLDS
    assert verdict_of("T3", "memory", SMALL) is Verdict.HOLDS
    monkeypatch.setattr(points.Query, "_block_length", lambda query: len(query.cloud.points))
    assert verdict_of("T3", "memory", SMALL) is Verdict.REFUTED
