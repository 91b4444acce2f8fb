"""Numbers and durations as a reader wants them; a template that lacks a value says so."""

import jinja2
import pytest

from tests.claims import entry
from verdicts.report.templating import readable, render
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


def test_a_time_that_was_measured():
    assert [duration(each) for each in (0.04, 9.96, 42.3, 600.0)] == ["0.0 s", "10.0 s", "42 s", "10.0 min"]
    assert [clock(each) for each in (0.4, 59.4, 90.2, 120)] == ["0 s", "59 s", "1 min 30 s", "2 min"]
    assert [clock(each) for each in (3599.7, 3900)] == ["1 h", "1 h 5 min"]


def test_a_range_of_times():
    assert [span(0.3, 1), span(22, 41), span(99, 99)] == ["5 s", "20 to 40 s", "2 min"]
    assert [span(170, 310), span(4800, 9100)] == ["3 to 5 min", "1.5 to 2.5 h"]


@pytest.mark.parametrize(
    ("relation", "bound", "tolerance", "shown"),
    [("<=", 0, 0.005, "≤ 0.005"), (">=", 1.5, 0.015, "≥ 1.485"), ("<=", 5, 0, "≤ 5"), ("=", 0, 0.03, "= 0 ± 0.03")],
)
def test_what_is_required_has_the_tolerance_in_it(relation, bound, tolerance, shown):
    assert required(entry(relation, bound, tolerance)) == shown


def test_readable_json_keeps_letters():
    assert readable({"β": [1]}) == '{\n  "β": [\n    1\n  ]\n}'


def test_template_refuses_to_leave_a_blank():
    with pytest.raises(jinja2.UndefinedError):
        render("notebook.html.j2", title="t")
