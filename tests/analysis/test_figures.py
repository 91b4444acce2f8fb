"""The figures of every group are written, each from a docstring that is its caption."""

from itertools import product

import numpy as np

from analysis.annealed import figures, film
from analysis.annealed.nfe_to_threshold import SpeedUp
from tests.claims import quick_settings


def test_the_speed_up_is_charted_for_each_target_and_both_hyperparameters(monkeypatch) -> None:
    budgets = {False: 50, True: 100}
    monkeypatch.setattr(
        figures,
        "speed_ups",
        lambda case, settings, tuned: [SpeedUp(b, b / budgets[tuned], b / budgets[tuned]) for b in (20, 200)],
    )
    chart = figures.speed_up_by_budget(quick_settings("annealed")).to_dict()
    band, rows = (chart["datasets"][layer["data"]["name"]] for layer in chart["layer"])
    assert band == [{"low": 2, "high": 5.0}]
    assert {(row["case"], row["tuned"]) for row in rows} == set(
        product(("Gaussian, KL", "Gaussian, W2", "mixture, KL"), ("default", "tuned"))
    )
    assert all(row["times"] == row["budget"] / (100 if row["tuned"] == "tuned" else 50) for row in rows)
    above, below = figures.speed_up_curves(quick_settings("annealed")).axes
    assert [len(axes.lines) for axes in (above, below)] == [10, 6], (
        "a line at 1, each case at defaults and tuned, and one of bounds"
    )


def test_the_slider_of_the_film_counts_noise_levels_as_its_title_does(monkeypatch) -> None:
    monkeypatch.setattr(film, "frames", lambda sampler, seed: np.ones((3, 1 + film.SHOWN)))
    chart = film.film(quick_settings("annealed")).to_dict()
    assert {row["k"] for rows in chart["datasets"].values() for row in rows} == {1, 2, 3}
    assert chart["vconcat"][0]["title"]["text"] == {"expr": "'noise level ' + k + ' of 3'"}
    (slider,) = chart["params"]
    assert (slider["bind"]["min"], slider["bind"]["max"], slider["value"]) == (1, 3, 3)
