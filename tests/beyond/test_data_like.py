"""A target that looks like data: what outcomes measure, and the change that flips each claim."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from pytest import MonkeyPatch

from ams.schedules import Level
from beyond.data_like import checks, figures, study
from beyond.data_like.settings import (
    ANCESTRAL,
    CHOSEN,
    GROUPS,
    HEADLINE,
    LARGER_DRIFT,
    TRIALS,
    Settings,
)
from beyond.data_like.study import Outcome
from beyond.data_like.targets import DEVELOPMENT, JUDGED, LAST, target
from experiments.images.runs import BASELINE, PAPER
from tests.claims import refuted, verdict_of

EARLY = {BASELINE: 0.09, PAPER: 0.07, LARGER_DRIFT: 0.005, ANCESTRAL: 0.002}
LATE = {BASELINE: 0.01, PAPER: 0.1, LARGER_DRIFT: 0.0, ANCESTRAL: 0.0}
SETTINGS = Settings()


def made(
    monkeypatch: MonkeyPatch,
    error: Callable[[str, int], float],
    dead: float = 0.5,
    rare: float = 0.1,
) -> None:
    """Give each run this error; long ones these shares of the dead variance and of rare weights."""
    noise = np.linspace(-1e-4, 1e-4, GROUPS)
    weights = target().mixture.weights.tolist()
    shares = [(weight * (rare if weight < checks.RARE else 1.0),) * GROUPS for weight in weights]

    def value(settings: Settings, sampler: str, budget: int) -> Outcome:
        variance = dead if budget == 1000 else 1.0
        sliced = error(sampler, budget) - (np.sqrt(variance) - 1) ** 2 + noise
        return Outcome(tuple(sliced), tuple(shares), (variance,) * GROUPS)

    monkeypatch.setattr(study, "value", value)


def measured(sampler: str, budget: int) -> float:
    """Return errors like those that were measured."""
    return (LATE if budget == 1000 else EARLY)[sampler]


@pytest.mark.parametrize(("claim", "checked"), [("J2", ["early"]), ("J2a", ["late"])])
def test_exchanged_samplers_break_the_crossing(
    monkeypatch: MonkeyPatch,
    claim: str,
    checked: list[str],
) -> None:
    made(monkeypatch, measured)
    assert verdict_of(claim, settings=SETTINGS) == "holds"
    exchanged = {BASELINE: PAPER, PAPER: BASELINE}
    made(monkeypatch, lambda sampler, budget: measured(exchanged.get(sampler, sampler), budget))
    assert refuted(claim, *checked, settings=SETTINGS)


def test_rivals_that_lag_break_j3(monkeypatch: MonkeyPatch) -> None:
    """Falsifier of J3, and of J2a's check on ancestral sampling: rivals err more than samplers."""
    made(monkeypatch, measured)
    assert verdict_of("J3", settings=SETTINGS) == "holds"
    lagging = {LARGER_DRIFT: 0.2, ANCESTRAL: 0.2}
    made(monkeypatch, lambda sampler, budget: lagging.get(sampler, measured(sampler, budget)))
    assert refuted("J3", "drift", "ancestral", settings=SETTINGS)
    assert refuted("J2a", "ancestral", settings=SETTINGS)


def test_an_untempered_sampler_breaks_j5(monkeypatch: MonkeyPatch) -> None:
    made(monkeypatch, measured)
    assert verdict_of("J5", settings=SETTINGS) == "holds"
    made(monkeypatch, measured, dead=1.0, rare=1.2)
    assert refuted("J5", "dead", "rare", settings=SETTINGS)


@pytest.mark.parametrize("sampler", TRIALS)
def test_the_hyperparameters_that_are_judged_are_the_best_of_six_trials(sampler: str) -> None:
    """Trials and their noise are fixed: rounding alone could change the order, of 5e-4 at least."""
    errors = {}
    for trial in TRIALS[sampler]:
        outcome = study.outcome_on(DEVELOPMENT, sampler, trial, HEADLINE, 1024, SETTINGS.seed)
        errors[trial] = checks.error_of(outcome).mean()
    assert len(errors) == 6
    assert min(errors, key=lambda trial: errors[trial]) == CHOSEN[sampler]


def test_outcomes_of_fresh_draws_and_of_changed_ones() -> None:
    """Of 1024 draws: an error within 0.005 of 0 (its standard error is 5e-4), a shift and a
    scale at their size.
    """
    mixture, level = target().mixture, Level(0, sigma=LAST)
    x = mixture.sample(1024, level, torch.Generator().manual_seed(3))
    assert abs(checks.error_of(study.judged(JUDGED, x)).mean()) < 0.005
    x[:, mixture.m :] *= 1.1
    assert np.mean(study.judged(JUDGED, x).dead) == pytest.approx(1.21, abs=0.01)
    x[:, : mixture.m] += 0.3
    directions = study._directions(JUDGED).double()
    shift = float((0.3 * directions.sum(0)).square().mean()) / study._quantiles(JUDGED, 1024)[1]
    assert np.mean(study.judged(JUDGED, x).sliced) == pytest.approx(shift, rel=0.1)


def test_figure_and_table_read_the_same_runs(monkeypatch: MonkeyPatch) -> None:
    made(monkeypatch, measured)
    rows = list(figures.errors(SETTINGS))
    assert len(rows) == 7
    assert rows[0][2] == pytest.approx(0.09)
    lines = figures.errors_by_budget(SETTINGS).axes[0].get_lines()
    assert lines[0].get_ydata()[1] == pytest.approx(0.3)
