"""The forest plot shows stored values: a dot and its interval, a range out to its intervals,
grey if undecided.
"""

import re
from math import log

import pytest

from verdicts.claims.schema import Profile, Verdict
from verdicts.records.expected import ExpectedCheck
from verdicts.report import images as forest
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


@pytest.mark.parametrize(
    ("known", "bar", "dot", "colour"),
    [
        (
            evidence(dot=(1.8, 2.0, 2.1), least=(1.5, 2.0, 2.0), most=(3.5, 4.0, 4.5)),
            (1.5, 4.5),
            (1.8, 2.0, 2.1),
            "#0",
        ),
        (evidence(Verdict.INCONCLUSIVE, dot=(0.1, 2.0, 1e6)), (), (0.25, 2.0, 16.0), "gray"),
        (evidence(), (), (), "gray"),
    ],
    ids=["a dot in its range", "undecided, without end", "not measured"],
)
def test_a_row_is_drawn_as_measured(known, bar, dot, colour):
    svg = forest.forest_svg(PLOT, known)
    places = [float(x) for x in re.findall(r'<(?:line class.*?x1|circle cx)="([\d.]+)"', svg)]
    axis = [
        float(x)
        for x in re.findall(r'<text x="([\d.]+)" y="[\d.]+" text-anchor="middle">(?:0.25|10)<', svg)
    ]
    step = (axis[1] - axis[0]) / log(10 / 0.25)
    assert places == pytest.approx(
        [axis[0] + step * log(x / 0.25) for x in (*bar[:1], *dot[:2])], abs=0.01
    )
    assert ("not measured" in svg) is not bool(dot) and all(f'="{colour}' in svg for _ in dot)


@pytest.mark.parametrize("narrow", [False, True])
def test_another_value_is_another_picture_and_the_same_one_the_same_bytes(narrow):
    one, other = (evidence(dot=(1.0, value, 3.0)) for value in (2.0, 2.5))
    first, again, moved = (forest.forest_svg(PLOT, each, narrow) for each in (one, one, other))
    assert first == again != moved and "one</text>" in first
