"""Figures from functions that draw."""

from pathlib import Path

from matplotlib.figure import Figure as Drawing

from ams.plots import legend_above, panels
from ams_suite.drawn import save_drawn
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
