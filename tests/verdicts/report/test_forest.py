"""The forest plot shows stored values: a dot and its interval, a range out to its intervals, grey if undecided."""

import pytest
from matplotlib import pyplot

from tests.claims import ROOT
from verdicts.claims.schema import Profile, Verdict
from verdicts.records.expected import ExpectedCheck
from verdicts.report import forest
from verdicts.report.findings import Decided, Decisions
from verdicts.report.report_texts import Forest, ForestRow

ROW = ForestRow(label="one", dot="A.dot", bar=("A.least", "A.most"))
PLOT = Forest(axis="ratio", claimed=(2.0, 5.0), caption="", row=(ROW,))


def evidence(verdict=Verdict.HOLDS, **values):
    checks = {
        f"A.{name}": ExpectedCheck(value=value, low=low, high=high, verdict=verdict)
        for name, (low, value, high) in values.items()
    }
    return Decisions({"A": Decided(verdict, checks, Profile.CPU)})


def drawn(known):
    """Return a row's lines, by their ends, with their colours, and its words."""
    drawing, axes = pyplot.subplots()
    forest._draw(axes, 0, ROW, known)
    lines = [(tuple(line.get_xdata()), line.get_color()) for line in axes.lines]
    words = [text.get_text().strip() for text in axes.texts]
    pyplot.close(drawing)
    return lines, words


@pytest.mark.parametrize(
    ("known", "lines", "words"),
    [
        (
            evidence(dot=(1.8, 2.0, 2.1), least=(1.5, 2.0, 2.0), most=(3.5, 4.0, 4.5)),
            [((1.5, 4.5), "C0"), ((1.8, 2.1), "C0"), ((2.0,), "C0")],
            [],
        ),
        (
            evidence(Verdict.INCONCLUSIVE, dot=(0.1, 2.0, 1e6)),
            [((0.25, 16.0), forest.GREY), ((2.0,), forest.GREY)],
            [],
        ),
        (evidence(), [], ["not measured"]),
    ],
    ids=["a dot in its range", "undecided, without end", "not measured"],
)
def test_a_row_is_drawn_as_measured(known, lines, words):
    assert drawn(known) == (lines, words)


@pytest.mark.parametrize("shape", [forest.WIDE, forest.NARROW])
def test_another_value_is_another_picture_and_the_same_one_the_same_bytes(shape):
    one, other = (evidence(dot=(1.0, value, 3.0)) for value in (2.0, 2.5))
    first, again, moved = (forest.forest_svg(ROOT, PLOT, each, shape) for each in (one, one, other))
    assert first == again != moved and first.startswith("<?xml")
