"""The corrector at one noise level: its rate with and without momentum, its stationary law, the budget of a run."""

import math

import pytest

from ams.laws.gaussian import GaussianLaw
from ams.samplers.corrected_descent import condition, corrected_descent, corrector, critically_damped
from ams.samplers.dpm_solver import dpm_solver
from ams.samplers.loop import last

SIGMA, VARIANCE = 0.1, 1.0
KAPPA = condition(SIGMA, VARIANCE)


@pytest.mark.parametrize("e", [0.0, critically_damped(KAPPA)])
def test_the_slowest_direction_contracts_at_the_rate_of_its_momentum(e: float) -> None:
    """Without momentum a mean falls by (kappa - 1)/(kappa + 1) a step, critically damped by that of sqrt(kappa).

    At critical damping the root is double: the mean falls as `n r^n`, and the rate is that of its (n + 1)/n multiple.
    """
    law, root = GaussianLaw([VARIANCE, 1e-6]), math.sqrt(KAPPA) if e else KAPPA
    states = law.run([corrector(SIGMA, VARIANCE, e)] * 120, law.start(1.0, VARIANCE))
    means = [float(law.moments(state.x).mean[0]) for state, _ in states]
    n = len(means)
    measured = means[-1] / means[-2] * ((n - 1) / n if e else 1.0)
    assert measured == pytest.approx((root - 1) / (root + 1), rel=2e-3)


@pytest.mark.parametrize(("first", "budget"), [(50.0, 20), (50.0, 7), (SIGMA, 20)])
def test_a_run_spends_its_budget_and_ends_at_the_last_level(first: float, budget: int) -> None:
    program = list(corrected_descent(dpm_solver(), (first, SIGMA, 0.01), budget, 0.5, VARIANCE, 0.3, 4.0))
    law = GaussianLaw([0.5])
    states = list(law.run(program, law.start(0.0, first**2)))
    assert sum(info.evaluations for _, info in states) == budget
    assert program[0][1].sigma == pytest.approx(first) and program[-1][1].next is not None
    assert program[-1][1].next.sigma == pytest.approx(0.01)
    assert float(law.moments(last(states)[0].x).mean[0]) == pytest.approx(0.0)
