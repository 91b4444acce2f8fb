"""Related work: each claim's verdict, the change that flips it, and the parts against independent numbers."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy.integrate import quad, solve_ivp
from scipy.stats import norm

from ams.laws import GaussianLaw, Moments
from ams.samplers import langevin
from ams.schedules import Level, karras_sigmas
from ams.statistics import NotAsymptotic
from ams.targets import CLEAN, GaussianMixture
from analysis.related_work import figures, filter as wiener, fixed_time, inexact, path, schedules
from analysis.related_work.misspecified_score import ScoreError
from tests.claims import expected, quick_settings, refuted, verdict_of

SMALL = quick_settings("related_work").model_copy(update={"errors": 600, "climbers": 40, "ascents": 15, "targets": 4})


@pytest.mark.parametrize("identifier", ["N1", "N1b", "N2", "N2b", "N3"])
def test_claims_come_out_as_expected(identifier: str) -> None:
    assert verdict_of(identifier, settings=SMALL) is expected(identifier)


def test_a_smaller_constant_breaks_n1(monkeypatch: pytest.MonkeyPatch, fresh_cells: None) -> None:
    """Falsifier of N1: a bound smaller by a fifth is violated, by random errors and more by ascents."""
    bound = inexact.bound
    monkeypatch.setattr(inexact, "bound", lambda case, power=None: 0.8 * bound(case, power))
    assert refuted("N1", "bound", "power", "adversarial", settings=SMALL)


def test_no_correction_breaks_n1b(monkeypatch: pytest.MonkeyPatch, fresh_cells: None) -> None:
    """Falsifier of N1b: Langevin that does nothing at T1."""
    start = lambda law, error, t, time: Moments(0 * error, 0 * error + 1)  # noqa: E731
    monkeypatch.setattr(fixed_time, "corrected", start)
    assert refuted("N1b", "contraction", "rate", "fixed", settings=SMALL)


def test_one_mode_has_no_barrier(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixed_time, "two_modes", lambda spread: GaussianMixture([0.5, 0.5], [[0.0], [0.0]], spread**2))
    assert refuted("N1b", "mixture", settings=SMALL)
    assert fixed_time.relaxation_time(CLEAN) == pytest.approx(0.2**2, rel=1e-3)  # a Gaussian's: its variance


def test_another_drift_tends_to_another_diffusion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixed_time, "langevin", lambda: langevin(factor=1.05))
    with pytest.raises(NotAsymptotic):
        verdict_of("N1b", only=".diffusion")


def test_a_dropped_part_breaks_n2(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of N2: without the score's part the bound is none, and not the kernel's divergence."""
    monkeypatch.setattr(path, "score_part", lambda levels, law, error: 0.0)
    assert refuted("N2", "chain", "bound", settings=SMALL)


def test_swapped_schedules_break_n2b(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of N2b: each schedule under the other's name, and a path-optimal one that is exponential."""
    other, outcomes = {"exponential": "EDM", "EDM": "exponential", "path-optimal": "exponential"}, schedules.outcomes
    monkeypatch.setattr(schedules, "outcomes", lambda target, name, *sizes: outcomes(target, other[name], *sizes))
    assert refuted("N2b", "good", "wide", "bad", "optimal", settings=SMALL)
    monkeypatch.setattr(
        schedules, "geometric_sigmas", lambda first, last, count: karras_sigmas(first, last, count, 1.0)
    )
    assert refuted("N2b", "cause", settings=SMALL)


def replace_noise(monkeypatch: pytest.MonkeyPatch, score_by: int = 1, noise_by: float = 1.0) -> None:
    """Give the filtered step another score or, at gains below 1, another noise."""
    true = wiener.filtered

    def build(beta: Any, gain: Any) -> Callable[..., Any]:
        step = true(beta, gain)

        def other(state: Any, score: Any, noise: Any, level: Level, algebra: Any) -> Any:
            lighter = noise if isinstance(gain, float) and gain == 1.0 else lambda x: noise_by * noise(x)
            return step(state, lambda x, level: score_by * score(x, level), lighter, level, algebra)

        return other

    monkeypatch.setattr(wiener, "filtered", build)


def test_a_lighter_noise_breaks_n3(monkeypatch: pytest.MonkeyPatch, fresh_cells: None) -> None:
    """Falsifier of N3: with noise a tenth too small at gains below 1 these are less biased, and faster."""
    replace_noise(monkeypatch, noise_by=0.9)
    assert refuted("N3", "bias", "law", "speed", "wiener", "particles", settings=SMALL)


def test_another_score_breaks_n3(monkeypatch: pytest.MonkeyPatch, fresh_cells: None) -> None:
    replace_noise(monkeypatch, score_by=2)
    assert refuted("N3", "noise", settings=SMALL)


def test_the_diffusions_law_against_its_moment_equations() -> None:
    """`m' = -K (m) + b`, `S' = -K S - S K^T + 2`, integrated; and the divergence, in one direction, by quadrature."""
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
    case = inexact.Case(0.5 * one, 0.4 * one[..., None], 0.3 * one, 0.2 * one, 0.8 * one[..., None], one[0])
    p, q = norm(0, 0.5**0.5), norm(0.2, 0.8**0.5)
    moment = quad(lambda x: p.pdf(x) * np.exp(0.6 * (0.4 * x + 0.3) ** 2), -12, 12)[0]
    divergence = quad(lambda x: q.pdf(x) * (q.logpdf(x) - p.logpdf(x)), -12, 12)[0]
    assert inexact.log_moment(case, np.array([0.6])).item() == pytest.approx(np.log(moment), rel=1e-8)
    assert inexact.divergence(case).item() == pytest.approx(divergence, rel=1e-8)
    assert inexact.log_moment(case, np.array([10.0])).item() == np.inf


def test_the_power_of_an_error_is_its_mean_square() -> None:
    """Under the target's own law at the level, by Gauss-Hermite quadrature: exact for squares."""
    law, level = GaussianLaw([0.5, 2.0], [0.3, -1.0]), Level(0, sigma=0.7)
    error = ScoreError(lambda level: torch.tensor([0.4, 0.0]) / level.sigma, 1.3)
    nodes, weights = (torch.as_tensor(part)[:, None] for part in np.polynomial.hermite_e.hermegauss(4))
    x = law.mean + (law.variance + 0.49).sqrt() * nodes
    exact = (law.mean - x) / (law.variance + 0.49)
    miss = 1.3 * exact + error.shift(level) - exact
    mean = (weights * miss.square()).sum(0) / weights.sum()
    torch.testing.assert_close(mean, error.power(law, level), rtol=1e-7, atol=0.0)


def test_the_mean_entrywise_gain_against_quadrature() -> None:
    for beta in (0.5, 0.9):
        q = (1 - beta) / (1 + beta)
        mean = quad(lambda xi, q=q: norm.pdf(xi) * q / (q + xi**2), -12, 12, points=[0.0])[0]
        assert wiener.mean_entrywise_gain(beta) == pytest.approx(mean, rel=1e-7)
        assert mean > q / (1 + q)


def test_every_outcome_is_tabulated() -> None:
    (table,) = figures.tables(SMALL)
    assert len(table.rows) == 4 * 3 * 2 * 3 * 3
