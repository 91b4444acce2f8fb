"""Shared parts of figures: the colours of one parameter's values."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from ams.plots import shades
from ams.samplers.looks import LOOKS


@pytest.mark.parametrize("count", [1, 2, 4, 7])
def test_shades_differ_in_lightness_and_are_no_samplers(count: int) -> None:
    colours = shades(count)
    lightness = [sum(np.multiply((0.2126, 0.7152, 0.0722), to_rgb(colour))) for colour in colours]
    assert len(set(colours)) == count and lightness == sorted(lightness)
    assert not set(colours) & {look.colour.lower() for look in LOOKS.values()}
    with pytest.raises(ValueError, match="count = 0"):
        shades(0)
