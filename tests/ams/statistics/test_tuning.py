"""Optima at the end of a grid."""

import pytest

from ams.statistics.tuning import optima_on_edge

GRIDS = {"factor": (1.0, 2.0, 4.0), "repeats": (1, 2, 5), "snr": (0.16,)}


@pytest.mark.parametrize(
    ("chosen", "edges"),
    [
        ({"factor": 2.0, "repeats": 2, "snr": 0.16, "beta": 0.9}, []),
        ({"factor": 4.0, "repeats": 1}, ["NFE 20: factor = 4"]),
        ({"factor": 1.0, "repeats": 5}, ["NFE 20: factor = 1", "NFE 20: repeats = 5"]),
    ],
)
def test_an_optimum_at_the_end_of_a_grid_is_named(chosen: dict[str, float], edges: list[str]) -> None:
    assert optima_on_edge(GRIDS, {"NFE 20": chosen}, {("repeats", 1)}) == edges
