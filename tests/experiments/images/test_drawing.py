"""Figures of images: those that a reader moves, and which samplers are drawn."""

import math

import pytest

from ams.errors import UserError
from experiments.images.drawing import ErrorPanel, draw_rows, move_speed_ups


def test_a_chart_of_speed_ups_has_no_point_where_a_factor_is_infinite() -> None:
    chart = move_speed_ups({("images", "default"): [(20, 1.5), (50, math.inf)]}).to_dict()
    assert [row["times"] for row in chart["datasets"][chart["layer"][1]["data"]["name"]]] == [1.5, None]


def test_a_sampler_that_no_family_of_figures_names_is_refused_not_left_out() -> None:
    bands = {name: {10: (1.0, 0.9, 1.1), 20: (0.5, 0.4, 0.6)} for name in ("ancestral", "PC, Langevin")}
    (axes,) = draw_rows([ErrorPanel(bands, "error", (0.1, 2.0))], (10, 20)).axes
    assert axes.get_legend_handles_labels()[1] == ["PC, Langevin", "ancestral"]
    with pytest.raises(UserError, match="sampler 'new one' has no look"):
        draw_rows([ErrorPanel({**bands, "new one": bands["ancestral"]}, "error", (0.1, 2.0))], (10, 20))
