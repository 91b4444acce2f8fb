import numpy as np

from ams.laws import expected_norm
from ams.targets import points
from experiments.benchmarks import exact_law
from tests.claims import verdict_of
from tests.experiments.benchmarks.tools import SMALL, flips
from verdicts.claims.schema import Verdict


def test_a_slower_step_or_a_rougher_norm_breaks_t4(monkeypatch):
    """Falsifier of T4: steps of 60 ms, and norms with a relative error of 1e-11."""
    assert verdict_of("T4", "norm", SMALL) is Verdict.HOLDS
    monkeypatch.setattr(exact_law, "expected_norm", lambda *moments: expected_norm(*moments) * (1 + 1e-11))
    assert verdict_of("T4", "norm", SMALL) is Verdict.REFUTED
    for milliseconds, verdict in ((60.0, Verdict.REFUTED), (40.0, Verdict.HOLDS)):
        monkeypatch.setattr(exact_law, "step_times", lambda settings, t=milliseconds: np.full((8, 2), t))
        assert verdict_of("T4", "wall", SMALL) is verdict_of("T4", "cpu", SMALL) is verdict


def test_steps_are_timed_by_both_clocks():
    times = exact_law.step_times(SMALL)
    assert times.shape == (SMALL.law_steps, 2) and (times >= 0).all() and times[:, 0].min() > 0


def test_a_costly_law_breaks_t5(monkeypatch):
    """Falsifier of T5: an exact law that costs an eighth of 200 particles, of which 8 are timed."""
    assert flips("T5.cost", monkeypatch, 200 / 8 / 8, 200 / 8 / 800)


def test_a_slower_score_breaks_t3(monkeypatch):
    """Falsifier of T3: a clock that reads 1.5 times as long for the score, and logits of all points in one block."""
    assert flips("T3.time", monkeypatch, 1.5, 1.3)
    assert verdict_of("T3", "memory", SMALL) is Verdict.HOLDS
    monkeypatch.setattr(points.Query, "_block_length", lambda query: len(query.cloud.points))
    assert verdict_of("T3", "memory", SMALL) is Verdict.REFUTED
