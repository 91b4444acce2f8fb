"""One look per sampler, told apart without colour too, accepted by matplotlib."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D

from ams.samplers.palette import LOOKS, look, shades


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


@pytest.mark.parametrize("count", [1, 2, 4, 7])
def test_shades_are_told_apart_by_lightness_and_are_no_samplers(count: int) -> None:
    found = shades(count)
    lightness = [sum(np.multiply((0.2126, 0.7152, 0.0722), to_rgb(colour))) for colour in found]
    assert len(set(found)) == count and lightness == sorted(lightness)
    assert not set(found) & {each.color.lower() for each in LOOKS.values()}


def test_no_shade_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="count = 0"):
        shades(0)
