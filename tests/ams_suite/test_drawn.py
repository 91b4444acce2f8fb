"""Figures from functions that draw."""

from pathlib import Path

from matplotlib.figure import Figure as Drawing

from ams.plots import panels
from ams_suite.drawn import save_drawn
from verdicts.records.figures import SHOWN, saved_as


def half_page(height: float) -> Drawing:
    """A caption
    on two lines.
    """
    return panels(height=height)[0]


def test_a_function_gives_its_figure_name_and_caption(tmp_path: Path) -> None:
    with saved_as(SHOWN):
        (figure,) = save_drawn({half_page: ("G1",)}, tmp_path, 2.0)
    assert figure.file == tmp_path / "half_page.svg" and figure.file.is_file()
    assert figure.caption == "A caption on two lines." and figure.claims == ("G1",)


def test_panels_lie_in_a_row() -> None:
    one, (axes,) = panels()
    two, (left, right) = panels(2, sharey=True)
    assert one.get_size_inches().tolist() == [3.6, 2.9] and axes in one.axes
    assert two.get_size_inches().tolist() == [7.2, 2.9] and left.get_shared_y_axes().joined(left, right)
