"""Figures from functions that draw."""

from pathlib import Path

from matplotlib.figure import Figure as Drawing

from ams.plots import legend_above, panels
from ams_suite.drawn import save_drawn, speed_up_chart
from verdicts.records.figures import SHOWN, saved_as


def one_panel(height: float) -> Drawing:
    """A caption
    on two lines.
    """
    return panels(height=height)[0]


def test_a_function_gives_its_figure_name_and_caption(tmp_path: Path) -> None:
    with saved_as(SHOWN):
        (figure,) = save_drawn({one_panel: ("G1",)}, tmp_path, 2.0)
    assert figure.file == tmp_path / "one_panel.svg" and figure.file.is_file()
    assert figure.caption == "A caption on two lines." and figure.claims == ("G1",)


def test_panels_lie_below_each_other_and_their_legend_outside_of_the_data() -> None:
    drawing, (above, below) = panels(2, height=2.0, sharex=True)
    above.plot([1, 2], label="a curve")
    legend_above(above, title="Title")
    drawing.draw_without_rendering()
    legend, whole = above.get_legend().get_window_extent(), drawing.bbox
    assert drawing.get_size_inches().tolist() == [3.4, 4.0] and above.get_shared_x_axes().joined(above, below)
    assert above.bbox.y1 <= legend.y0 and legend.y1 <= whole.y1 and legend.x0 < above.bbox.x0


def test_a_chart_of_speed_ups_offers_what_its_rows_hold() -> None:
    rows = [{"case": "Gaussian, KL", "tuned": "default", "budget": at, "times": at / 20} for at in (20, 50)]
    chart = speed_up_chart([*rows, {"case": "digits", "tuned": "default", "budget": 100, "times": None}]).to_dict()
    band, lines = chart["layer"]
    scales = {name: lines["encoding"][name]["scale"] for name in ("x", "y", "color")}
    assert scales["x"]["domain"] == [20, 100] and scales["y"]["domain"] == [0, 2.5]
    assert scales["color"]["domain"] == ["Gaussian, KL", "digits"] and "low" in str(band["encoding"])
    assert len(chart["params"]) == 1, "where no row is tuned there is nothing to choose"
    tuned = speed_up_chart([*rows, rows[0] | {"tuned": "tuned", "times": 8.0}], logarithmic=True).to_dict()
    assert len(tuned["params"]) == 2 and tuned["layer"][1]["encoding"]["y"]["scale"]["domain"] == [1.0, 8.0]
    bounded = [*rows, {"case": "digits", "tuned": "default", "budget": 30, "times": None, "more": 12.5}]
    band, lines, triangles = speed_up_chart(bounded, logarithmic=True, shaded=(2, 50)).to_dict()["layer"]
    assert lines["encoding"]["y"]["scale"]["domain"] == [1.0, 12.5] and triangles["mark"]["shape"] == "triangle-up"
