"""Restart: its budget, and the factor by which each return to the higher noise level shrinks an error."""

import pytest

from ams.laws.gaussian import GaussianLaw
from ams.samplers.dpm_solver import dpm_solver
from ams.samplers.restart import restart


def end(times: int, budget: int, share: float = 0.5, first: float = 0.1) -> tuple[float, float, int]:
    """Return mean and variance at the end of a run whose start lies 1 away from the target's mean, and its cost."""
    law = GaussianLaw([1.0])
    program = restart(dpm_solver(), (first, 0.01), (0.1, 2.0), budget, share, times)
    *_, (state, _) = states = list(law.run(program, law.start(1.0, 1.0)))
    moments = law.moments(state.x)
    return float(moments.mean), float(moments.variance), sum(info.evaluations for _, info in states)


def test_each_restart_shrinks_an_error_by_the_factor_of_its_descent() -> None:
    """The flow from noise `high` to `low` multiplies a mean by `sqrt((v + low^2) / (v + high^2))`."""
    (once, *_), (twice, *_), (often, variance, _) = (end(times, 2400) for times in (1, 2, 8))
    assert twice / once == pytest.approx((1.01 / 5.0) ** 0.5, rel=1e-3)
    assert often == pytest.approx(0.0, abs=2e-3) and variance == pytest.approx(1.0001, rel=1e-3)


@pytest.mark.parametrize(("times", "budget", "first"), [(2, 20, 50.0), (2, 20, 0.1), (6, 5, 50.0), (3, 21, 50.0)])
def test_a_run_spends_its_budget(times: int, budget: int, first: float) -> None:
    assert end(times, budget, first=first)[2] == budget
