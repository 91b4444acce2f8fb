"""Critically damped Langevin diffusion: both integrators against its flow of position and velocity; its reverse SDE."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from ams.laws.gaussian import GaussianLaw
from ams.samplers import Step, one_step_per_level
from ams.samplers.affine_transitions import affine, ancestral
from ams.samplers.critically_damped import GAMMA, angle, cld_exponential, cld_splitting, noise_and_rate, time_of
from ams.schedules import geometric_sigmas, ve_levels

VARIANCE, MEAN, START, FIRST, LAST = 0.3, 0.7, -2.0, 8.0, 0.05


def columns(t: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return `r_1`, Q and n at a time."""
    one, two = np.exp(-t) * np.array([1 + t, -t]), np.exp(-t) * np.array([t, 1 - t])
    return one, np.eye(2) - np.outer(one, one) - (1 - GAMMA) * np.outer(two, two), np.array([t, 1 + t])


def flow_of_the_mean() -> float:
    """Return the mean of y that the diffusion's flow makes of START, with the Gaussian's score of both."""

    def slope(t: float, z: np.ndarray) -> np.ndarray:
        one, noise, _ = columns(t)
        score = -np.linalg.solve(VARIANCE * np.outer(one, one) + noise, z - MEAN * one)
        return np.array([z[1], -z[0] - 2 * z[1] - 2 * score[1]])

    first, last = time_of(FIRST), time_of(LAST)
    z = solve_ivp(slope, (first, last), START * columns(first)[0], rtol=1e-11, atol=1e-13).y[:, -1]
    one, noise, _ = columns(last)
    return float(LAST**2 * one @ np.linalg.solve(noise, z))


def estimate(t: float) -> np.ndarray:
    """Return the row that makes y of (x, w)."""
    one, noise, _ = columns(t)
    solved: np.ndarray = np.linalg.solve(noise, one)
    return solved / (one @ solved)


@pytest.mark.parametrize("step", [cld_exponential, cld_splitting])
def test_a_step_has_the_flow_of_both_to_second_order(step: Step) -> None:
    law, exact, errors = GaussianLaw([VARIANCE], [MEAN]), flow_of_the_mean(), []
    counts = (80, 160, 320)
    for count in counts:
        levels = ve_levels(geometric_sigmas(FIRST, LAST, count + 1))
        state, _ = law.end(one_step_per_level(step, levels), law.start(START, 0.0))
        errors.append(abs(law.moments(state.x).mean.item() - exact))
    slope = np.polyfit(np.log(counts), np.log(errors), 1)[0]
    assert slope == pytest.approx(-2.0, abs=0.2) and errors[-1] < 1e-3


def test_the_noise_of_the_estimate_falls_with_time() -> None:
    for sigma in (0.01, 1.0, 50.0):
        one, noise, across = columns(time_of(sigma))
        assert one @ np.linalg.solve(noise, one) == pytest.approx(sigma**-2, rel=1e-8)
        assert one @ across == pytest.approx(0.0, abs=1e-15)
    assert angle(50.0, 1.0) + angle(1.0, 0.01) == pytest.approx(angle(50.0, 0.01), rel=1e-4)
    assert noise_and_rate(2.0)[1] > 0.0


@pytest.mark.parametrize(("first", "last"), [(8.0, 2.0), (0.5, 0.1)])
def test_the_reverse_sde_of_the_estimate_is_ancestral_sampling(first: float, last: float) -> None:
    """Conditioned on a data point and on (x, w) at the first noise level, y at the last one depends on y there alone.

    The conditional distribution is that of the diffusion itself, from its joint Gaussian; for a point D is constant.
    """
    before, after = time_of(first), time_of(last)
    gap = before - after
    on = np.exp(-gap) * np.array([[1 + gap, gap], [-gap, 1 - gap]])
    (start, noise, _), (end, little, _) = columns(before), columns(after)
    gain = little @ on.T @ np.linalg.inv(noise)
    left = little - gain @ on @ little
    y, x, z = estimate(after), 0.7, np.array([0.4, -1.3])
    law, (level, _) = GaussianLaw([1e-14], [x]), ve_levels([first, last])
    state, _ = law.end([(affine(ancestral), level)], law.start(float(estimate(before) @ z), 0.0))
    moments = law.moments(state.x)
    assert moments.mean.item() == pytest.approx(y @ (x * end + gain @ (z - x * start)), rel=1e-8)
    assert moments.variance.item() == pytest.approx(y @ left @ y, rel=1e-8)
