import pytest

from ams.statistics import Interval
from experiments.benchmarks import timing
from experiments.benchmarks.growth import checks as growth
from tests.claims import verdict_of
from verdicts.claims.schema import Verdict

SMALL = growth.Settings(
    batches=(2, 4, 8), dimensions=(2, 4, 8), steps=(10, 20, 40), points=(20, 40, 80), directions=(4, 8, 16), runs=6
)
CHECKS = ("batch", "dimension", "steps", "points", "directions")


@pytest.fixture
def by_power(monkeypatch):
    """Let the n-th size, each twice the last, take `2^(p n)` seconds; the work is done once all the same."""

    def set_power(power):
        count = iter(range(1000))

        def typical(work, runs):
            work()
            return Interval(2.0 ** (power * (next(count) % 3)), 0.0, 0.0, runs)

        monkeypatch.setattr(timing, "typical", typical)

    return set_power


@pytest.mark.parametrize("check", CHECKS)
def test_quadratic_time_breaks_t6(by_power, check):
    """Falsifier of T6: a clock by which time grows as the square."""
    by_power(2.0)
    assert verdict_of("T6", f"T6.{check}", SMALL) is Verdict.REFUTED
    by_power(1.0)
    assert verdict_of("T6", f"T6.{check}", SMALL) is Verdict.HOLDS


def test_a_real_clock_gives_positive_times():
    found = timing.typical(lambda: sum(range(20_000)), 6)
    assert 0.0 < found.low <= found.value <= found.high
