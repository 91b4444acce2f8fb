"""Figures of images that a reader moves."""

import math

from experiments.images.drawing import move_speed_ups


def test_a_chart_of_speed_ups_without_tuned_ones_has_nothing_to_choose() -> None:
    curves = {("images", "default"): [(20, 1.5), (50, math.inf)]}
    chart, chosen = (
        move_speed_ups(points).to_dict() for points in (curves, {**curves, ("images", "tuned"): [(20, 2)]})
    )
    assert [row["times"] for row in chart["datasets"][chart["layer"][1]["data"]["name"]]] == [1.5, None]
    assert "transform" not in chart["layer"][1]
    assert chosen["layer"][1]["transform"] == [{"filter": "datum.tuned == tuned"}]
    assert [len(each["params"]) for each in (chart, chosen)] == [1, 2]
