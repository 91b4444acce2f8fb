"""T1 to T5: clocks, the particle loop and its peers, exact scores and laws."""

import gc
import sys

import numpy as np
import pytest
import torch
from scipy import stats

from ams import samplers as sm
from ams.errors import DataUnavailable
from ams.laws import expected_norm
from ams.samplers import Particles
from ams.targets import points
from experiments.benchmarks import costs, exact, particle_loop
from tests.ams.tools import assert_equal, found_or_skipped, trajectory
from tests.claims import verdict_of
from tests.experiments.benchmarks.tools import SMALL, flips, set_clock
from verdicts.claims.schema import Verdict


@pytest.mark.parametrize("n", [8, 9, 15, 25, 31, 100])
def test_the_ranks_enclose_the_median_as_often_as_stated(n):
    interval = costs.median_interval([float(i) for i in range(1, n + 1)])
    rank = int(interval.low)
    assert interval.high == n + 1 - rank
    miss = 2 * stats.binom.cdf(rank - 1, n, 0.5)
    assert miss <= 0.01
    assert rank > 1 or n < 12
    assert 2 * stats.binom.cdf(rank + 1, n, 0.5) > 0.01, (
        "ranks two further in miss too often: the interval is tight"
    )


def test_pairs_are_interleaved_after_a_warm_up(monkeypatch):
    set_clock(monkeypatch, 3.0, 2.0)
    calls = []
    ratio = costs.time_ratio(
        lambda: calls.append("a"), lambda: calls.append("b"), 8, scale=2.0, steps=5
    )
    assert "".join(calls) == "ab" * 9
    assert (ratio.value, ratio.low, ratio.high, ratio.n) == (3.0, 3.0, 3.0, 8)
    assert ratio.detail == {
        "numerator, ms": 3000.0,
        "denominator, ms": 2000.0,
        "pairs": 8,
        "steps": 5,
    }


def test_threads_and_the_collector_are_restored():
    before = torch.get_num_threads()
    with pytest.raises(RuntimeError, match="stop"), costs.undisturbed():
        assert torch.get_num_threads() == 1 and not gc.isenabled()
        raise RuntimeError("stop")
    assert torch.get_num_threads() == before and gc.isenabled()


@pytest.mark.parametrize("sampler", particle_loop.SAMPLERS)
@pytest.mark.parametrize("shape", [(5, 2), (4, 3, 2, 2)])
def test_both_loops_do_equal_arithmetic(sampler, shape):
    """Twenty steps in float32 differ by rounding, about 1e-6 of the state's 10."""
    ours, by_hand = (run() for run in particle_loop.both_runs(sampler, shape, 20, 3))
    torch.testing.assert_close(ours, by_hand, rtol=1e-5, atol=1e-5)


def test_a_slower_loop_breaks_t1(monkeypatch):
    """Falsifier of T1: a clock that reads 1.1 (or 1.6) times as long for the library, and no reuse
    of buffers.
    """
    for sampler in ("adaptive", "langevin"):
        assert flips(f"T1.{sampler}_image", monkeypatch, 1.1, 1.04)
        assert flips(f"T1.{sampler}_point", monkeypatch, 1.6, 1.4)
    assert verdict_of("T1", "allocations", SMALL) is Verdict.HOLDS
    monkeypatch.setattr(Particles, "begin_step", lambda self, state: state)
    assert verdict_of("T1", "allocations", SMALL) is Verdict.REFUTED


def test_a_real_clock_gives_a_measurement():
    measured = particle_loop.time_over_bare(SMALL, "langevin", "point")
    assert 0.0 < measured.low <= measured.value <= measured.high


MODULES = {"k_diffusion": particle_loop.k_diffusion, "azula": particle_loop.azula}


@pytest.mark.parametrize("peer", particle_loop.PEERS)
@pytest.mark.parametrize("kernel", [sm.ancestral, sm.flow_euler])
def test_equal_noise_gives_equal_samples(peer, kernel):
    """Float32 sums in another order differ by rounding at a scale of 10. Euler's rule uses no
    noise.
    """
    found_or_skipped(MODULES[peer])
    run_peer, names = particle_loop.PEERS[peer]
    case = particle_loop.peer_run(SMALL.point, SMALL.point_steps, SMALL.seed)
    torch.manual_seed(SMALL.seed)
    noise = (
        [torch.randn_like(case.start) for _ in range(len(case.levels) - 1)]
        if kernel is sm.ancestral
        else []
    )
    torch.manual_seed(SMALL.seed)
    theirs = run_peer(case, names[kernel])
    program = sm.one_step_per_level(sm.affine(kernel), case.levels)
    assert_equal(trajectory(program, case.start, case.target.score, noise)[-1], theirs, 0.0, 2e-4)


def test_a_slower_library_breaks_t2(monkeypatch):
    """Falsifier of T2: a clock by which this library takes a tenth more than another (here:
    itself).
    """
    itself = {
        peer: (particle_loop.by_this_library, {sm.ancestral: sm.ancestral})
        for peer in particle_loop.PEERS
    }
    monkeypatch.setattr(particle_loop, "PEERS", itself)
    for peer in itself:
        assert flips(f"T2.{peer}", monkeypatch, 1.1, 0.9)


def test_an_absent_library_is_unavailable(monkeypatch):
    monkeypatch.setitem(sys.modules, "azula.sample", None)
    monkeypatch.setattr(particle_loop.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataUnavailable, match=r"bash reproduce\.sh bench"):
        particle_loop.azula()
    with pytest.raises(DataUnavailable, match="not installed"):
        particle_loop.k_diffusion()


def test_a_slower_step_or_a_rougher_norm_breaks_t4(monkeypatch):
    """Falsifier of T4: steps of 60 ms, and norms with a relative error of 1e-11."""
    assert verdict_of("T4", "norm", SMALL) is Verdict.HOLDS
    monkeypatch.setattr(
        exact, "expected_norm", lambda *moments: expected_norm(*moments) * (1 + 1e-11)
    )
    assert verdict_of("T4", "norm", SMALL) is Verdict.REFUTED
    for milliseconds, verdict in ((60.0, Verdict.REFUTED), (40.0, Verdict.HOLDS)):
        monkeypatch.setattr(
            exact, "step_times", lambda settings, t=milliseconds: np.full((8, 2), t)
        )
        assert verdict_of("T4", "wall", SMALL) is verdict_of("T4", "cpu", SMALL) is verdict


def test_steps_are_timed_by_both_clocks():
    times = exact.step_times(SMALL)
    assert times.shape == (SMALL.law_steps, 2) and (times >= 0).all() and times[:, 0].min() > 0


def test_a_costly_law_breaks_t5(monkeypatch):
    """Falsifier of T5: an exact law that costs an eighth of 200 particles, of which 8 are timed."""
    assert flips("T5.cost", monkeypatch, 200 / 8 / 8, 200 / 8 / 800)


def test_a_slower_score_breaks_t3(monkeypatch):
    """Falsifier of T3: a clock that reads 1.5 times as long for the score, and logits of all points
    in one block.
    """
    assert flips("T3.time", monkeypatch, 1.5, 1.3)
    assert verdict_of("T3", "memory", SMALL) is Verdict.HOLDS
    monkeypatch.setattr(points.Query, "_block_length", lambda query: len(query.cloud.points))
    assert verdict_of("T3", "memory", SMALL) is Verdict.REFUTED
