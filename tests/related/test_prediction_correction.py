"""Prediction-correction: each claim's verdict, the change that flips it, and the parts against
independent numbers.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp
from scipy.stats import norm

from ams.laws import Moments
from ams.laws.quadrature_algebra import NodeAlgebra
from ams.metrics import gaussian_w2
from ams.samplers import Info, State, langevin, run
from ams.schedules import Level
from ams.statistics import NotAsymptotic
from ams.statistics.tuning import optima_on_edge
from ams.targets import CLEAN, GaussianMixture
from analysis.misspecified_score import ScoreError
from related.prediction_correction import (
    equal_cost,
    fixed_time,
    inexact,
    study as comparison,
    truncated,
)
from related.prediction_correction.corrected_digits import study
from related.prediction_correction.corrected_digits.settings import Settings
from tests.claims import expected, quick_settings, refuted, upheld, verdict_of

SMALL = quick_settings("prediction_correction").model_copy(
    update={"errors": 600, "climbers": 40, "ascents": 15, "targets": 4}
)
ON_DIGITS = Settings(batches=8, batch=64)
EARLY = (0.8, 0)
AS_MEASURED = {study.CHOSEN["corrected"]: 0.0076, study.CHOSEN["alone"]: 0.0077, EARLY: 0.13}
"""Energy distances of the size that runs have on digits, by T1 and number of corrections."""


@pytest.mark.parametrize("identifier", ["N1", "N1b", "N1c", "N1d"])
def test_claims_come_out_as_expected(identifier: str) -> None:
    assert verdict_of(identifier, settings=SMALL) is expected(identifier)


def test_a_smaller_constant_breaks_n1(monkeypatch: pytest.MonkeyPatch, fresh_cells: None) -> None:
    """Falsifier of N1: a bound smaller by a fifth is violated, by random errors and more by
    ascents.
    """
    bound = inexact.bound
    monkeypatch.setattr(inexact, "bound", lambda case, power=None: 0.8 * bound(case, power))
    assert refuted("N1", "bound", "power", "adversarial", settings=SMALL)


def test_no_correction_breaks_n1b(monkeypatch: pytest.MonkeyPatch, fresh_cells: None) -> None:
    """Falsifier of N1b: Langevin that does nothing at T1."""
    start = lambda law, error, t, time: Moments(0 * error, 0 * error + 1)  # noqa: E731
    monkeypatch.setattr(fixed_time, "corrected", start)
    assert refuted("N1b", "contraction", "rate", "fixed", settings=SMALL)


def test_one_mode_has_no_barrier(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        fixed_time,
        "two_modes",
        lambda spread: GaussianMixture([0.5, 0.5], [[0.0], [0.0]], spread**2),
    )
    assert refuted("N1b", "mixture", settings=SMALL)
    # a Gaussian's: its variance
    assert fixed_time.relaxation_time(CLEAN) == pytest.approx(0.2**2, rel=1e-3)


def test_another_drift_tends_to_another_diffusion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixed_time, "langevin", lambda: langevin(factor=1.05))
    with pytest.raises(NotAsymptotic):
        verdict_of("N1b", only=".diffusion")


def test_the_diffusions_law_against_its_moment_equations() -> None:
    """`m' = -K (m) + b`, `S' = -K S - S K^T + 2`, integrated; and the divergence, in one direction,
    by quadrature.
    """
    case = inexact.random_cases(3, 5, 2)
    case = case._replace(time=0.3 * case.constant)
    diffused = inexact.diffused(case)
    for row in range(3):
        drift = np.diag(1 / case.variance[row]) - case.tilt[row]

        def slope(t: float, y: np.ndarray, drift: np.ndarray = drift, row: int = row) -> np.ndarray:
            spread = y[2:].reshape(2, 2)
            change = 2 * np.eye(2) - drift @ spread - spread @ drift.T
            return np.concatenate([case.shift[row] - drift @ y[:2], change.ravel()])

        start = np.concatenate([case.mean[row], case.covariance[row].ravel()])
        end = solve_ivp(slope, (0, case.time[row]), start, rtol=1e-10, atol=1e-12).y[:, -1]
        np.testing.assert_allclose(diffused.mean[row], end[:2], rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(diffused.covariance[row].ravel(), end[2:], rtol=1e-7, atol=1e-9)


def test_moment_and_divergence_against_quadrature() -> None:
    one = np.ones((1, 1))
    case = inexact.InexactDiffusions(
        0.5 * one, 0.4 * one[..., None], 0.3 * one, 0.2 * one, 0.8 * one[..., None], one[0]
    )
    p, q = norm(0, 0.5**0.5), norm(0.2, 0.8**0.5)
    moment = quad(lambda x: p.pdf(x) * np.exp(0.6 * (0.4 * x + 0.3) ** 2), -12, 12)[0]
    divergence = quad(lambda x: q.pdf(x) * (q.logpdf(x) - p.logpdf(x)), -12, 12)[0]
    assert inexact.log_moment(case, np.array([0.6])).item() == pytest.approx(
        np.log(moment), rel=1e-8
    )
    assert inexact.divergence(case).item() == pytest.approx(divergence, rel=1e-8)
    assert inexact.log_moment(case, np.array([10.0])).item() == np.inf


def idle(state: State, score: Any, noise: Any, level: Level, algebra: Any) -> tuple[State, Info]:
    return state, Info(1, state.x, lambda: state.x)


def test_corrections_that_do_nothing_break_the_gain(
    monkeypatch: pytest.MonkeyPatch, fresh_cells: None
) -> None:
    """Falsifier of N1c: evaluations spent on a step that moves nothing."""
    monkeypatch.setattr(equal_cost, "held", lambda v, largest: (idle, Level(0, sigma=v)))
    monkeypatch.setattr(comparison, "TARGETS", {"Gaussian": equal_cost.gaussian_w2s})
    assert refuted("N1c", "gain", settings=SMALL)
    assert refuted("N1f", "gain", settings=SMALL)
    assert refuted("N1g", "cost", settings=SMALL)


def with_exact_scores(monkeypatch: pytest.MonkeyPatch, corrected: bool) -> None:
    """Let the score be exact in all runs with corrections, or in all without."""

    def altered(
        true: Callable[..., Any], settings: Any, size: float
    ) -> dict[equal_cost.Place, float]:
        wrong, exact = (true(settings, each) for each in (size, 0.0))
        return {
            place: (exact if bool(place.corrections) is corrected else wrong)[place]
            for place in wrong
        }

    targets = {name: partial(altered, true) for name, true in comparison.TARGETS.items()}
    monkeypatch.setattr(comparison, "TARGETS", targets)


def test_corrections_of_an_exact_score_would_make_n1d_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of the refutation N1d: runs with corrections have no error, so that one T1 is best
    for them.
    """
    with upheld("N1d", settings=SMALL):
        with_exact_scores(monkeypatch, corrected=True)


def test_a_flow_of_one_best_time_refutes_n1d(monkeypatch: pytest.MonkeyPatch) -> None:
    with_exact_scores(monkeypatch, corrected=False)
    assert refuted("N1e", "alone", settings=SMALL)


def test_a_smaller_bound_by_the_moment_breaks_n1(
    monkeypatch: pytest.MonkeyPatch, fresh_cells: None
) -> None:
    """Both bounds halved."""
    bounds = truncated.bounds
    with monkeypatch.context() as patch:
        patch.setattr(
            truncated, "bounds", lambda case, start: tuple(part / 2 for part in bounds(case, start))
        )
        assert refuted("N1h", "moment", "square", settings=SMALL)


def test_a_raw_score_breaks_n1(monkeypatch: pytest.MonkeyPatch, fresh_cells: None) -> None:
    monkeypatch.setattr(truncated, "truncated", lambda case, x, score: score)
    assert refuted("N1h", "finite", settings=SMALL)
    bounded = truncated.growth(
        truncated.random_problem(np.random.default_rng(1)), lambda case, x: 0.01 * np.sin(x)
    )
    assert bounded < 1.01


def test_a_truncated_scores_error_grows_nowhere() -> None:
    case = truncated.random_problem(np.random.default_rng(5))
    x = truncated.grid(case, 30.0)
    assert (
        np.abs(truncated.truncated_error(case, x)) <= np.abs(truncated.raw_error(case, x)) + 1e-12
    ).all()
    assert np.abs(truncated.truncated_error(case, x)).max() <= case.width * (1 + 1e-12)


def test_the_mixtures_score_and_curvature_are_its_densitys() -> None:
    """By differences of the log-density; the least curvature is one over the constant."""
    case = truncated.random_problem(np.random.default_rng(3))
    x = truncated.grid(case, 6.0, 20001)
    log_p = truncated.log_density(case, x)
    slope = np.gradient(log_p, x)
    np.testing.assert_allclose(truncated.true_score(case, x)[1:-1], slope[1:-1], atol=1e-5)
    curvature = -np.gradient(truncated.true_score(case, x), x)
    assert curvature.min() == pytest.approx(1 / case.constant, rel=1e-5)
    assert np.exp(log_p).sum() * (x[1] - x[0]) == pytest.approx(1.0, abs=1e-8)


def test_the_density_on_a_grid_is_an_ornstein_uhlenbeck_processs() -> None:
    """Two points at one place are a Gaussian: N(0, s^2) from N(m, v) after t, exact scores, finer
    grids nearer.
    """
    case = truncated.Problem(1e-9, 0.8, 0.5, 0.0, (0.0, 1.0, 0.0), 0.0, 1.0, 0.7, 0.5, 0.6)
    decay = np.exp(-case.times * case.constant / case.s**2)
    mean, variance = case.mean * decay, case.s**2 + (case.deviation**2 - case.s**2) * decay**2
    ratio = variance / case.s**2
    wanted = (ratio - 1 - np.log(ratio) + mean**2 / case.s**2) / 2
    errors = [abs(truncated.divergence_at(case, points)[1] / wanted - 1) for points in (301, 601)]
    assert errors[1] < errors[0] / 3 and errors[1] < 2e-3


def test_w2_on_the_mixture_hardly_depends_on_its_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    place = 0.5, (16,), (0.0, 0.01)
    coarse = comparison.mixture_runs.wrapped(*place)
    monkeypatch.setattr(comparison, "COARSE", 1500)
    monkeypatch.setattr(
        comparison, "ABOUT", np.concatenate([part := np.geomspace(1e-8, 1, 600), -part])
    )
    np.testing.assert_allclose(comparison.mixture_runs.wrapped(*place), coarse, rtol=2e-3)


def test_the_flow_carries_the_target_to_the_target() -> None:
    """From the target's own density at T1 an exact score's flow ends at the target, to the solver's
    error.
    """
    v = equal_cost.noise_at(0.5)
    own = NodeAlgebra(comparison.TARGET).exact(Level(0, sigma=v))
    errors = []
    for steps in (20, 80):
        (carry,) = comparison.maps(v, steps, (0.0,))
        errors.append(comparison.transported_w2(own, carry, comparison.target_at_the_end()))
    assert errors[1] < 3e-4 < errors[0]


def test_a_gaussian_run_is_the_librarys_program() -> None:
    """The two halves of the directions against a run with the error alone, and the evaluations."""
    law, error = fixed_time.target(), fixed_time.even_error(fixed_time.target(), 1.0)
    program = list(equal_cost.program(0.5, 12, 1.0))
    start = law.start(0.0, 1.0 + equal_cost.noise_at(0.5) ** 2)
    wrong = ScoreError(lambda level: equal_cost.in_y(0.3 * error, level)).score(law)
    states = list(run(program, start, wrong, law.noise, law))
    assert sum(info.evaluations for _, info in states) == equal_cost.BUDGET
    base, response = equal_cost.gaussian_runs(0.5, (12,))[0]
    mean, variance = law.moments(states[-1][0].x)
    plus = gaussian_w2(mean, variance, law.mean, law.variance + equal_cost.LAST**2)
    assert abs(plus - 0.3 * response) <= base + 1e-12


def made_up(monkeypatch: pytest.MonkeyPatch, sizes: Mapping[tuple[float, int], float]) -> None:
    """Let batches have energy distances of these sizes, by T1 and number of corrections."""

    def energy(t1: float, corrections: int, number: int, batch: int, seed: int) -> float:
        return sizes[t1, corrections] * (1 + 0.001 * number)

    monkeypatch.setattr(study, "energy", energy)


def test_equal_runs_break_n1i(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of N1i: two runs alike but for a percent, and runs as far apart as it asks for."""
    for ratio, verdict in ((0.98, "refuted"), (1.2, "holds")):
        made_up(monkeypatch, {study.CHOSEN["alone"]: ratio, study.CHOSEN["corrected"]: 1.0})
        assert verdict_of("N1i", settings=ON_DIGITS) == verdict


def test_a_flow_from_too_early_would_make_n1j_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of the refutation N1j: a T1 at which the flow alone has not reached the noise that
    it starts from.
    """
    made_up(monkeypatch, AS_MEASURED)
    with upheld("N1j", settings=ON_DIGITS):
        monkeypatch.setitem(study.CHOSEN, "alone", EARLY)


def test_the_frozen_settings_are_inside_what_was_tried() -> None:
    """The flow's own T1 ends where the noise is the largest that the network knows, 10."""
    t1, corrections = study.CHOSEN["corrected"]
    assert optima_on_edge(study.TRIED, {"corrected": {"T1": t1, "K": corrections}}) == []
    assert (
        t1 in study.TRIED["T1"]
        and corrections in study.TRIED["K"]
        and study.CHOSEN["alone"][0] == max(study.ALONE)
    )


def test_without_a_long_enough_time_the_flow_is_far_from_digits() -> None:
    short, long = (study.energy(t1, 0, 1, 64, 1) for t1 in (0.5, 3.27))
    assert long < 0.2 < short


def test_corrections_make_up_for_a_short_time() -> None:
    assert study.energy(0.8, 8, 1, 64, 1) < 0.5 * study.energy(0.8, 0, 1, 64, 1)
