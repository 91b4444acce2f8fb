"""One look per sampler, told apart without colour too, accepted by matplotlib."""

from __future__ import annotations

import pytest
from matplotlib.lines import Line2D

from ams.palette import LOOKS, look


@pytest.mark.parametrize("sampler", LOOKS)
def test_matplotlib_draws_it_with_its_label(sampler: str) -> None:
    line = Line2D([0, 1], [0, 1], **look(sampler))
    assert line.get_label() == sampler and line.get_color() == LOOKS[sampler].color


def test_samplers_differ_by_marker_and_line_where_they_differ_by_colour() -> None:
    by_colour = {each.color: (each.marker, each.linestyle) for each in LOOKS.values()}
    assert len(set(by_colour.values())) == len(by_colour)


def test_an_unknown_sampler_has_no_look() -> None:
    with pytest.raises(KeyError, match="gibbs"):
        look("gibbs")
