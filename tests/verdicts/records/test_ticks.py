"""Labels of logarithmic axes: the same ticks get the same labels as matplotlib's own, in plain text."""

import re

import matplotlib
import pytest

from verdicts.records.ticks import plain, write_plainly

matplotlib.use("Agg")


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        (r"$\mathdefault{10^{-12}}$", "10⁻¹²"),
        (r"$\mathdefault{10^{0}}$", "10⁰"),
        (r"$\mathdefault{4\times10^{-3}}$", "4×10⁻³"),
        (r"$\mathdefault{2^{5}}$", r"$\mathdefault{2^{5}}$"),
        (r"$\mathdefault{-10^{3}}$", r"$\mathdefault{-10^{3}}$"),
        ("", ""),
        ("0.5", "0.5"),
    ],
)
def test_a_power_of_ten_is_plain_and_the_rest_as_it_was(label, expected):
    assert plain(label) == expected


def labels(axes):
    axes.figure.draw_without_rendering()
    axis = axes.yaxis
    return [tick.get_text() for minor in (False, True) for tick in axis.get_ticklabels(minor=minor)]


def value(label):
    """What a label says, whether a formula or plain."""
    text = label.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")).replace(r"\times", "×")
    factor, exponent = re.search(r"(?:(\d)×)?10(?:\^\{)?(-?\d+)", text).groups()
    return float(f"{factor or 1}e{exponent}")


@pytest.mark.parametrize(("low", "high"), [(1e-9, 1e9), (2.0, 5.0), (0.3, 40.0), (1e3, 1.5e4)])
def test_the_same_ticks_are_labelled(low, high):
    from matplotlib import pyplot

    drawing, axes = pyplot.subplots(figsize=(3, 2))
    axes.semilogy([0, 1], [low, high])
    before = labels(axes)
    write_plainly(drawing)
    after = labels(axes)
    pyplot.close(drawing)
    assert [bool(each) for each in after] == [bool(each) for each in before]
    assert any(after)
    assert [value(each) for each in after if each] == [value(each) for each in before if each]
    assert not any("$" in each for each in after)


def test_other_axes_keep_their_labels():
    from matplotlib import pyplot

    drawing, axes = pyplot.subplots()
    formatter = axes.yaxis.get_major_formatter()
    write_plainly(drawing)
    pyplot.close(drawing)
    assert axes.yaxis.get_major_formatter() is formatter
