import math

import numpy as np
import pytest

from ams.laws import expected_norm
from ams.targets import points
from experiments.benchmarks import exact_law
from tests.claims import verdict_of
from tests.experiments.benchmarks.tools import SMALL, flips
from verdicts.claims.schema import Verdict


@pytest.mark.parametrize("d", [1, 2, 7, 300])
def test_the_reference_norm_of_an_isotropic_gaussian(d):
    """`E|g| = sqrt(2 v) Gamma((d+1)/2) / Gamma(d/2)` for g ~ N(0, v I)."""
    expected = math.sqrt(2 * 0.3) * math.exp(math.lgamma((d + 1) / 2) - math.lgamma(d / 2))
    assert exact_law.reference_norm(np.zeros(d), np.full(d, 0.3)) == pytest.approx(expected, rel=1e-13)


def test_the_reference_norm_of_an_almost_constant_vector():
    assert exact_law.reference_norm(np.array([3.0, 4.0]), np.full(2, 1e-18)) == pytest.approx(5.0, rel=1e-13)


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
