import pytest

from experiments.benchmarks import growth, timing
from tests.claims import verdict_of
from tests.experiments.benchmarks.tools import SMALL
from verdicts.claims.schema import Verdict


@pytest.fixture
def verdict_at_power(monkeypatch):
    """Let the n-th of three sizes, each twice the one before, take `2^(p n)` seconds; the work is still done once."""

    def verdict_at_power(check, power):
        count = iter(range(3))

        def median_seconds(work, runs):
            work()
            return 2.0 ** (power * next(count))

        monkeypatch.setattr(timing, "median_seconds", median_seconds)
        return verdict_of(check.split(".")[0], check, SMALL)

    return verdict_at_power


SIZES = ("batch", "dimension", "steps")
CHECKS = [*(f"T6.{size}" for size in (*SIZES, "points", "directions")), *(f"T13.{size}" for size in SIZES)]


@pytest.mark.parametrize("check", CHECKS)
def test_quadratic_time_breaks_t6(verdict_at_power, check):
    """Falsifier of T6, and of what T13 says of time: a clock by which time grows as the square of the size."""
    assert verdict_at_power(check, 2.0) is Verdict.REFUTED
    assert verdict_at_power(check, 1.0) is Verdict.HOLDS


def test_a_run_that_keeps_its_states_breaks_t13(monkeypatch):
    """Falsifier of T13: a run all of whose states stay alive."""
    assert verdict_of("T13", "T13.held", SMALL) is Verdict.HOLDS
    kept = []
    monkeypatch.setattr(growth, "sample", lambda path, x, *rest: kept.extend(x + 0.0 for _ in path))
    assert verdict_of("T13", "T13.held", SMALL) is Verdict.REFUTED


def test_a_state_is_held_eight_times():
    """x, the score, momentum, the last score, drift, noise, the move, and one more: of float32."""
    assert growth.held(1000, 64, 10, seed=0) == pytest.approx(8 * 4 * 64_000, rel=0.01)
