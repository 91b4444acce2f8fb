"""Measurements from numbers, and figures from functions that draw."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure as Drawing

from ams.plots import legend_above, panels
from ams.statistics import Interval, Order
from ams_suite import measures
from ams_suite.drawn import save_drawn, speed_up_chart
from ams_suite.measures import geometric_mean_ratio, largest, named_extreme, of_interval, of_order
from verdicts.records.figures import SHOWN, saved_as


def test_the_largest_of_exact_values() -> None:
    found = largest([1.0, 3.0, 2.0], seed=7, at="b")
    assert (found.value, found.n, found.seeds, found.detail) == (3.0, 3, (7,), {"at": "b"})
    assert largest([0.5]).seeds == ()
    with pytest.raises(ValueError, match=r"NaN|finite|nan"):
        largest([1.0, float("nan")])


def test_an_interval_counts_samples() -> None:
    measured = of_interval(Interval(1.0, 0.5, 1.5, 4), batch=10)
    assert (measured.value, measured.low, measured.high, measured.n, measured.seeds) == (
        1.0,
        0.5,
        1.5,
        40,
        (),
    )


def test_a_geometric_mean_of_ratios() -> None:
    measured = geometric_mean_ratio([2.0, 8.0], [1.0, 1.0], 0.95, seed=3, pairs="both")
    assert measured.value == pytest.approx(4.0) and measured.n == 2 and measured.seeds == (3,)
    # symmetric on logarithms
    assert measured.interval[0] * measured.interval[1] == pytest.approx(16.0)
    assert measured.detail == {"pairs": "both"}


def test_an_order_counts_its_steps() -> None:
    measured = of_order(Order(2.0, 1.9, 2.1, (0.1, 0.05), (2.0,), 0.0), other=1.0)
    assert (measured.value, measured.low, measured.high) == (2.0, 1.9, 2.1)
    assert (measured.n, measured.detail) == (2, {"other": 1.0})


def test_an_extreme_names_every_value() -> None:
    values = {"a": 1.0, "b": 3.0}
    assert named_extreme(values).value == 3.0 and named_extreme(values, min).value == 1.0
    assert named_extreme(values).detail == values


def test_speed_up_is_the_ratio_and_says_where_it_is_a_bound() -> None:
    """A baseline of error 1/NFE, samples of error 1/100 at 50: twice as fast; bounded by the
    curve's end.
    """
    curve = {budget: np.full(3, 1 / budget) for budget in (20, 80, 400)}
    twice = measures.speed_up([0.01] * 3, curve, 50, 0.999, seed=2405, batch=8, baseline="b")
    low, high = twice.interval
    assert (
        twice.value == pytest.approx(2.0)
        and low == pytest.approx(1.6)
        and high == pytest.approx(8.0)
    )
    assert twice.n == 24 and twice.seeds == (2405,) and twice.detail["baseline"] == "b"
    far = measures.speed_up([1e-6] * 3, curve, 50, 0.999, seed=2405)
    assert (
        far.value
        == far.high
        == pytest.approx(8.0)
        == far.detail["largest ratio that could be seen"]
    )


def test_differences_are_paired_by_batch() -> None:
    """Batches far apart of each other, whose pairs differ by 1 and 1.1."""
    ours, theirs = [101.0, 1.1], [100.0, 0.0]
    paired, alone = (
        measures.mean_difference(ours, theirs, 0.999, 1, budget=20),
        measures.mean_of(ours, 0.999, 1),
    )
    assert paired.value == pytest.approx(1.05) and paired.detail == {"budget": 20}
    assert np.ptp(paired.interval) < 0.01 * np.ptp(alone.interval)


def test_an_experiment_repeated_with_other_choices_has_the_intervals_of_all() -> None:
    first, second = measures.mean_of([1.0, 1.2], 0.9, 1), measures.mean_of([3.0, 3.1], 0.9, 1)
    both = measures.over_choices([first, second])
    assert both.value == pytest.approx((first.value + second.value) / 2)
    assert both.interval == (first.interval[0], second.interval[1]) and both.n == 2
    assert both.detail["each choice"] == [
        [first.value, *first.interval],
        [second.value, *second.interval],
    ]


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
    assert drawing.get_size_inches().tolist() == [3.4, 4.0] and above.get_shared_x_axes().joined(
        above, below
    )
    assert above.bbox.y1 <= legend.y0 and legend.y1 <= whole.y1 and legend.x0 < above.bbox.x0


def test_a_chart_of_speed_ups_offers_what_its_rows_hold() -> None:
    rows = [
        {"case": "Gaussian, KL", "tuned": "default", "budget": at, "times": at / 20}
        for at in (20, 50)
    ]
    chart = speed_up_chart(
        [*rows, {"case": "digits", "tuned": "default", "budget": 100, "times": None}]
    ).to_dict()
    band, lines = chart["layer"]
    scales = {name: lines["encoding"][name]["scale"] for name in ("x", "y", "color")}
    assert scales["x"]["domain"] == [20, 100] and scales["y"]["domain"] == [0, 2.5]
    assert scales["color"]["domain"] == ["Gaussian, KL", "digits"] and "low" in str(
        band["encoding"]
    )
    assert len(chart["params"]) == 1, "where no row is tuned there is nothing to choose"
    tuned = speed_up_chart(
        [*rows, rows[0] | {"tuned": "tuned", "times": 8.0}], logarithmic=True
    ).to_dict()
    assert len(tuned["params"]) == 2 and tuned["layer"][1]["encoding"]["y"]["scale"]["domain"] == [
        1.0,
        8.0,
    ]
    bounded = [
        *rows,
        {"case": "digits", "tuned": "default", "budget": 30, "times": None, "more": 12.5},
    ]
    band, lines, triangles = speed_up_chart(bounded, logarithmic=True, shaded=(2, 50)).to_dict()[
        "layer"
    ]
    assert (
        lines["encoding"]["y"]["scale"]["domain"] == [1.0, 12.5]
        and triangles["mark"]["shape"] == "triangle-up"
    )
