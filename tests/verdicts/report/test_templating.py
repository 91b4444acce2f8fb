"""Numbers and durations as a reader wants them; a template that lacks a value says so."""

import jinja2
import pytest

from tests.claims import entry
from verdicts.report.report_texts import Exhibit
from verdicts.report.templating import gap, readable, render
from verdicts.report.words import clock, duration, number, required, span


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (-3.0, "−3"),
        (123456.0, "123456"),
        (0.47368, "0.474"),
        (-0.5, "−0.5"),
        (1.2345e-16, "1.23e−16"),
        (2e-07, "2e−7"),
        (5e10, "5e10"),
        (1234567.8, "1.23e6"),
    ],
)
def test_number(value, shown):
    assert number(value) == shown


@pytest.mark.parametrize(("seconds", "shown"), [(0.04, "0.0 s"), (9.96, "10.0 s"), (42.3, "42 s"), (600.0, "10.0 min")])
def test_duration(seconds, shown):
    assert duration(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.4, "0 s"), (59.4, "59 s"), (90.2, "1 min 30 s"), (120, "2 min"), (3599.7, "1 h"), (3900, "1 h 5 min")],
)
def test_clock(seconds, shown):
    assert clock(seconds) == shown


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        (0.3, 1, "5 s"),
        (22, 41, "20 to 40 s"),
        (170, 310, "3 to 5 min"),
        (99, 99, "2 min"),
        (4800, 9100, "1.5 to 2.5 h"),
    ],
)
def test_span(low, high, shown):
    assert span(low, high) == shown


@pytest.mark.parametrize(
    ("relation", "bound", "tolerance", "shown"),
    [("<=", 0, 0.005, "≤ 0.005"), (">=", 1.5, 0.015, "≥ 1.485"), ("<=", 5, 0, "≤ 5"), ("=", 0, 0.03, "= 0 ± 0.03")],
)
def test_what_is_required_has_the_tolerance_in_it(relation, bound, tolerance, shown):
    assert required(entry(relation, bound, tolerance)) == shown


def test_readable_json_keeps_letters():
    assert readable({"β": [1]}) == '{\n  "β": [\n    1\n  ]\n}'


@pytest.mark.parametrize(
    ("scaling", "reason", "shown"), [("8 x 8", "no weights", "8 x 8; no weights"), ("", "none", "none"), ("", "", "")]
)
def test_gap_of_an_exhibit(scaling, reason, shown):
    assert gap(Exhibit(id="T1", title="t", what="w", status="smaller", scaling=scaling, reason=reason)) == shown


def test_template_refuses_to_leave_a_blank():
    with pytest.raises(jinja2.UndefinedError):
        render("notebook.html.j2", title="t")
