import pytest
import torch

from ams.samplers import Particles
from experiments.benchmarks import particle_loop
from tests.claims import verdict_of
from tests.experiments.benchmarks.tools import SMALL, flips
from verdicts.claims.schema import Verdict


@pytest.mark.parametrize("sampler", particle_loop.SAMPLERS)
@pytest.mark.parametrize("shape", [(5, 2), (4, 3, 2, 2)])
def test_both_loops_do_equal_arithmetic(sampler, shape):
    """Twenty steps in float32 differ by rounding, about 1e-6 of the state's 10."""
    ours, by_hand = (run() for run in particle_loop.both_runs(sampler, shape, 20, 3))
    torch.testing.assert_close(ours, by_hand, rtol=1e-5, atol=1e-5)


def test_a_slower_loop_breaks_t1(monkeypatch):
    """Falsifier of T1: a clock that reads 1.1 (or 1.6) times as long for the library, and no reuse of buffers."""
    for sampler in ("adaptive", "langevin"):
        assert flips(f"T1.{sampler}_image", monkeypatch, 1.1, 1.04)
        assert flips(f"T1.{sampler}_point", monkeypatch, 1.6, 1.4)
    assert verdict_of("T1", "allocations", SMALL) is Verdict.HOLDS
    monkeypatch.setattr(Particles, "begin_step", lambda self, state: state)
    assert verdict_of("T1", "allocations", SMALL) is Verdict.REFUTED


def test_a_real_clock_gives_a_measurement():
    measured = particle_loop.time_over_bare(SMALL, "langevin", "point")
    assert 0.0 < measured.low <= measured.value <= measured.high
