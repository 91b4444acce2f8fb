"""The figures of every group are written, each from a docstring that is its caption."""

from importlib import import_module
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from analysis.annealed import drawing, film_chart
from analysis.annealed.nfe_to_threshold import SpeedUp
from tests.claims import claims, quick_settings
from tests.verdicts.toy import REPOSITORY
from verdicts.records.figures import SHOWN, saved_as
from verdicts.run.drawing import drawing_style

FEWER = {
    "annealed": {
        **{"drawn": ("annealed_causes", "annealed_mixture_causes"), "budgets": (20, 40), "long": (60,)},
        **{"tuned": (60,), "line_budgets": (20, 40), "line_long": 60},
    },
    "orders": {"halvings": 2, "kinetic_nodes": 5},
    "kinetic_langevin": {"targets": 3, "budget": 57, "factor_budgets": (50, 75), "orders": (28, 40, 57, 80)},
    "noise_schedules": {"budgets": (20, 40), "sizes": (0.0, 1.0)},
    "prediction_correction": {"errors": 600, "climbers": 40, "ascents": 15},
}
NAMES = {
    "adaptive": "fixed_point bias small_steps batches",
    "annealed": "annealed_causes annealed_mixture_causes",
    "kinetic_langevin": "kinetic_rates factors kinetic_orders nfe_comparison momentum_ratios",
    "momentum": "stability rates condition variance tempered_mixture",
    "noise_schedules": "noise_schedules",
    "orders": "orders departure densities step_size",
    "prediction_correction": "inexact_bound fixed_stopping_time relaxation_time equal_cost truncated_bound",
    "score_filter": "filter_gain",
    "update_rule": "rule score_change lagged_norm",
}
MODULES = {group.id: group.module for group in claims().group}


def test_no_two_figures_share_a_name() -> None:
    names = " ".join(NAMES.values()).split()
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("group", NAMES)
def test_figures_are_written(group: str, tmp_path: Path) -> None:
    settings = quick_settings(group).model_copy(update=FEWER.get(group, {}))
    with saved_as(SHOWN), drawing_style(REPOSITORY):
        drawn = import_module(f"{MODULES[group]}.figures").figures(settings, tmp_path)
    assert " ".join(figure.file.stem for figure in drawn) == NAMES[group]
    assert all(figure.file.stat().st_size > 10_000 and figure.caption for figure in drawn)


def test_the_speed_up_is_charted_for_each_target_and_both_hyperparameters(monkeypatch) -> None:
    budgets = {False: 50, True: 100}
    monkeypatch.setattr(
        drawing,
        "speed_ups",
        lambda case, settings, tuned: [SpeedUp(b, b / budgets[tuned], b / budgets[tuned]) for b in (20, 200)],
    )
    chart = drawing.speed_up_by_budget(quick_settings("annealed")).to_dict()
    band, rows = (chart["datasets"][layer["data"]["name"]] for layer in chart["layer"])
    assert band == [{"low": 2, "high": 5.0}]
    assert {(row["case"], row["tuned"]) for row in rows} == set(
        product(("Gaussian, KL", "Gaussian, W2", "mixture, KL"), ("default", "tuned"))
    )
    assert all(row["times"] == row["budget"] / (100 if row["tuned"] == "tuned" else 50) for row in rows)
    ends = [chart["layer"][1]["encoding"][axis]["scale"]["domain"] for axis in "xy"]
    assert ends == [[20, 200], [0.2, 5.0]], "the axes of one choice are those of the other"
    above, below = drawing.speed_up_curves(quick_settings("annealed")).axes
    assert [len(axes.lines) for axes in (above, below)] == [10, 6], (
        "a line at 1, each case at defaults and tuned, and one of bounds"
    )


def test_the_slider_of_the_film_counts_noise_levels_as_its_title_does(monkeypatch) -> None:
    monkeypatch.setattr(film_chart, "frames", lambda sampler, seed: np.ones((3, 1 + film_chart.SHOWN)))
    chart = film_chart.film(quick_settings("annealed")).to_dict()
    assert {row["k"] for rows in chart["datasets"].values() for row in rows} == {1, 2, 3}
    assert chart["vconcat"][0]["title"]["text"] == {"expr": "'noise level ' + k + ' of 3'"}
    (slider,) = chart["params"]
    assert (slider["bind"]["min"], slider["bind"]["max"], slider["value"]) == (1, 3, 3)
