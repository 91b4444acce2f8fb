import pytest
import torch

from ams.samplers import Particles
from experiments.benchmarks.loop import checks as loop
from experiments.benchmarks.small import judged
from tests.claims import verdict_of
from verdicts.claims.schema import Verdict

SMALL = loop.Settings(image=(3, 2, 2, 2), point=(4, 2), image_steps=20, point_steps=20, pairs=6)
PAIRS = [(loop.LANGEVIN, loop.bare_langevin), (loop.ADAPTIVE, loop.bare_adaptive)]


@pytest.mark.parametrize(("step", "bare"), PAIRS)
@pytest.mark.parametrize("shape", [(5, 2), (4, 3, 2, 2)])
def test_both_loops_do_the_same_arithmetic(step, bare, shape):
    """Twenty steps in float32: differences are rounding, about 1e-6 of the state's 10."""
    ours, theirs = (work() for work in loop.both(step, bare, shape, 20, 3))
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


def test_a_slower_loop_breaks_t1(monkeypatch):
    """Falsifier of T1: a clock by which ours takes a tenth, or six tenths, more; and an arena that keeps nothing."""
    for size, high, low in (("image", 1.1, 1.04), ("point", 1.6, 1.4)):
        for sampler in ("adaptive", "langevin"):
            check = f"T1.{sampler}_{size}"
            assert judged("T1", check, SMALL, monkeypatch, high) is Verdict.REFUTED
            assert judged("T1", check, SMALL, monkeypatch, low) is Verdict.HOLDS
    assert verdict_of("T1", "allocations", SMALL) is Verdict.HOLDS
    monkeypatch.setattr(Particles, "begin_step", lambda self, state: state)
    assert verdict_of("T1", "allocations", SMALL) is Verdict.REFUTED


def test_a_run_with_a_real_clock_is_a_measurement():
    found = loop.langevin_at_small_size(SMALL)
    assert 0.0 < found.low <= found.value <= found.high
