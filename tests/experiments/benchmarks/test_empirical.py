from ams.targets import points
from experiments.benchmarks.empirical import checks as empirical
from experiments.benchmarks.small import judged
from tests.claims import verdict_of
from verdicts.claims.schema import Verdict

SMALL = empirical.Settings(points=6000, fewer=3000, dimension=8, batch=256, pairs=6)


def test_a_slower_score_breaks_t3(monkeypatch):
    """Falsifier of T3: a clock that says half as much again; and logits of all points at once."""
    assert judged("T3", "time", SMALL, monkeypatch, 1.5) is Verdict.REFUTED
    assert judged("T3", "time", SMALL, monkeypatch, 1.3) is Verdict.HOLDS
    assert verdict_of("T3", "memory", SMALL) is Verdict.HOLDS
    monkeypatch.setattr(points.Query, "_block_length", lambda query: len(query.cloud.points))
    assert verdict_of("T3", "memory", SMALL) is Verdict.REFUTED
