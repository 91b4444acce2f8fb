"""Targets that look like data: what outcomes measure, and the change that flips each claim."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from pytest import MonkeyPatch

from ams.schedules import Level
from beyond.data_like import checks, figures, study
from beyond.data_like.scores import error_size, without_rarest
from beyond.data_like.settings import BASELINE, CONTROL, EQUAL, ERRORS, GROUPS, PAPER, ScoreError, Settings
from beyond.data_like.study import Outcome
from beyond.data_like.targets import LAST, target
from tests.claims import refuted, verdict_of

MEASURED = {
    BASELINE: 0.09,
    PAPER: 0.07,
    "DPM-Solver++": 0.0,
    "UniPC-3": 0.0,
    "Heun ODE": 0.0,
    CONTROL: 0.005,
    study.EXACT: 0.0,
}
SETTINGS = Settings()


def made(
    monkeypatch: MonkeyPatch,
    error: Callable[[str, int, ScoreError], float],
    dead: float = 0.5,
    rare: Callable[[str], float] = lambda name: 0.1,
    common: float = 0.2,
) -> None:
    """Give each run this error, and these shares of dead variance and of the weights of rare and common modes."""
    noise = np.linspace(-1e-4, 1e-4, GROUPS)
    weights = target("synthetic").mixture.weights.tolist()

    def value(settings: Settings, name: str, score: ScoreError, sampler: str, budget: int) -> Outcome:
        variance = dead if budget == 1000 else 1.0
        sliced = error(sampler, budget, score) - (np.sqrt(variance) - 1) ** 2 + noise
        shares = [np.full(GROUPS, w * (rare(name) if w < checks.RARE else common)) for w in weights]
        return Outcome(tuple(sliced), tuple(sliced), tuple(map(tuple, shares)), (variance,) * GROUPS)

    monkeypatch.setattr(study, "value", value)
    monkeypatch.setattr(checks, "of_name", lambda name: target("synthetic"))


def measured(sampler: str, budget: int, score: ScoreError) -> float:
    """Return errors like those that were measured."""
    late = {BASELINE: 0.01, PAPER: 0.1}.get(sampler, 0.0) if budget == 1000 else MEASURED.get(sampler, 0.01)
    return late + score.size**2 * (3 if "BAOAB" in sampler else 1)


@pytest.mark.parametrize("claim", ["J1", "J8", "J9"])
def test_a_solver_that_lags_breaks_the_order(monkeypatch: MonkeyPatch, claim: str) -> None:
    made(monkeypatch, measured)
    assert verdict_of(claim, settings=SETTINGS) == "holds"
    made(monkeypatch, lambda s, n, e: 0.02 if s == "DPM-Solver++" else measured(s, n, e))
    assert refuted(claim, "heun", "unipc", "others", settings=SETTINGS)


@pytest.mark.parametrize(
    ("claim", "parts"),
    [("J2", ["early"]), ("J2a", ["late"]), *((j, ["early", "late", "dead"]) for j in ("J8a", "J9a"))],
)
def test_exchanged_samplers_break_the_crossing(monkeypatch: MonkeyPatch, claim: str, parts: list[str]) -> None:
    made(monkeypatch, measured)
    assert verdict_of(claim, settings=SETTINGS) == "holds"
    made(monkeypatch, lambda s, n, e: measured({BASELINE: PAPER, PAPER: BASELINE}.get(s, s), n, e), dead=1.0)
    assert refuted(claim, *parts, settings=SETTINGS)


def test_a_drift_that_lags_breaks_j3(monkeypatch: MonkeyPatch) -> None:
    made(monkeypatch, measured)
    assert verdict_of("J3", settings=SETTINGS) == "holds"
    made(monkeypatch, lambda s, n, e: measured(BASELINE if s == CONTROL else s, n, e))
    assert refuted("J3", "drift", settings=SETTINGS)


def test_weights_that_ignore_the_residuals_break_j4(monkeypatch: MonkeyPatch) -> None:
    made(monkeypatch, measured, rare=lambda name: 2.0 if name == EQUAL else 6.0)
    assert verdict_of("J4", settings=SETTINGS) == verdict_of("J4a", settings=SETTINGS) == "holds"
    made(monkeypatch, measured, rare=lambda name: 6.0 if name == EQUAL else 2.0, common=1.0)
    assert refuted("J4", "unequal", "equal", settings=SETTINGS) and refuted("J4a", "least", settings=SETTINGS)


def test_an_untempered_sampler_breaks_j5(monkeypatch: MonkeyPatch) -> None:
    made(monkeypatch, measured)
    assert verdict_of("J5", settings=SETTINGS) == "holds"
    made(monkeypatch, measured, dead=1.0, rare=lambda name: 1.2)
    assert refuted("J5", "dead", "rare", settings=SETTINGS)


@pytest.mark.parametrize("claim", ["J6", "J7", "J8b", "J9b"])
def test_a_sampler_that_corrects_scores_breaks_the_lead(monkeypatch: MonkeyPatch, claim: str) -> None:
    """A sampler that corrects scores and restores a lost mode; DPM-Solver++ gains by evaluations."""
    made(monkeypatch, measured, rare=lambda name: 0.01)
    assert verdict_of(claim, settings=SETTINGS) == "holds"
    made(monkeypatch, lambda s, n, e: 1.0 / n if s == "DPM-Solver++" else -0.01, rare=lambda name: 1.0)
    parts = {"J6": ("langevin", "adaptive", "budget", "noise"), "J7": ("forgotten",)}
    assert refuted(claim, *parts.get(claim, parts["J6"] + parts["J7"]), settings=SETTINGS)


def test_another_choice_breaks_j1a_and_j1b(monkeypatch: MonkeyPatch) -> None:
    """Falsifiers: other hyperparameters are better than the chosen; a solver suffers from schedules and another not."""

    def trials(chosen: float, solver: float, reverse: float) -> None:
        others = {"DPM-Solver++": solver, "reverse diffusion": reverse}
        lost = lambda s, h: chosen if h == checks.CHOSEN[s] else others.get(s, 0.05)  # noqa: E731
        trial = lambda s, h, n, seed: Outcome((lost(s, h),) * GROUPS, (), (), (1.0,) * GROUPS)  # noqa: E731
        monkeypatch.setattr(study, "trial", trial)

    trials(0.0, 0.001, 0.2)
    assert verdict_of("J1a", settings=SETTINGS) == verdict_of("J1b", settings=SETTINGS) == "holds"
    trials(0.1, 0.2, 0.1)
    assert refuted("J1a", "loss", settings=SETTINGS) and refuted("J1b", "solver", "reverse", settings=SETTINGS)


def test_outcomes_of_fresh_draws_and_of_changed_ones() -> None:
    """Of 1024 draws: an error within 0.005 of 0 (its standard error is 5e-4), a shift and a scale at their size."""
    mixture, level = target("synthetic").mixture, Level(0, sigma=LAST)
    x = mixture.sample(1024, level, torch.Generator().manual_seed(3))
    assert abs(checks.error_of(study.judged("synthetic", x)).mean()) < 0.005
    x[:, mixture.m :] *= 1.1
    assert np.mean(study.judged("synthetic", x).dead) == pytest.approx(1.21, abs=0.01)
    x[:, : mixture.m] += 0.3
    directions = study._directions("synthetic").double()
    shift = float((0.3 * directions.sum(0)).square().mean()) / study._quantiles("synthetic", 1024)[1]
    assert np.mean(study.judged("synthetic", x).sliced) == pytest.approx(shift, rel=0.1)


@pytest.mark.parametrize("error", ERRORS[1:4])
def test_a_score_errs_by_its_size(error: ScoreError) -> None:
    for sigma in (0.05, 0.5, 5.0):
        assert error_size("synthetic", error, sigma) == pytest.approx(error.size, rel=0.06)


def test_figure_and_table_read_the_same_runs(monkeypatch: MonkeyPatch) -> None:
    made(monkeypatch, measured)
    rows = list(figures.errors_at_50(SETTINGS))
    assert len(rows) == 24 and rows[0][2] == rows[0][-3] == pytest.approx(0.09)
    lines = figures.if_your_score_is_this_good(SETTINGS).axes[0].get_lines()
    assert lines[0].get_ydata()[1] == pytest.approx(0.3)
    assert len(without_rarest(target("synthetic").mixture).weights) == 5
