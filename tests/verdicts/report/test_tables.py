"""Tables, numbers and times as a reader wants them: nothing is lost, or joined that does not belong together."""

import jinja2
import pytest

from tests.claims import entry
from verdicts import Table
from verdicts.report.tables import LONGEST, NARROW, shown
from verdicts.report.templating import readable, render
from verdicts.report.words import clock, duration, number, required, span


def table(header, *rows):
    return Table(id="t", caption="c", header=tuple(header), rows=tuple(map(tuple, rows)))


def test_an_interval_stands_beside_its_value():
    told = shown(table(("x", "y", "low", "high"), ("a", 1.23456, 1.0, 2.0), ("b", 5.0, 5.0, 5.0)))
    assert [column.head for column in told.columns] == ["x", "y"]
    assert told.rows == [("a", "1.23 [1, 2]"), ("b", "5")]
    assert [column.numeric for column in told.columns] == [False, True]


def test_intervals_may_be_named_after_their_value_and_have_ends_in_words():
    told = shown(table(("T", "T low", "T high"), (1234.5, 900.25, "never"), ("", "", "")))
    assert told.rows == [("1230 [900, never]",), ("",)]


def test_the_half_of_an_interval_stands_beside_its_value():
    assert shown(table(("y", "+-"), (0.5, 0.25), (0.5, ""))).rows == [("0.5 ± 0.25",), ("0.5",)]


@pytest.mark.parametrize("ends", [(2.0, 3.0), (0.0, 0.5)])
def test_what_does_not_hold_the_value_is_not_its_interval(ends):
    told = shown(table(("other", "low", "high"), (1.0, 0.5, 1.5), (1.0, *ends)))
    assert [column.head for column in told.columns] == ["other", "low", "high"]


def test_of_a_wide_table_what_every_row_says_is_said_once():
    head = ("sampler", *(f"c{n}" for n in range(NARROW)))
    rows = [("same", "digits", n, 7, "", n, n) for n in range(3)]
    told = shown(table(head, *rows))
    assert told.shared == "c0 digits; c2 7"
    assert [column.head for column in told.columns] == ["sampler", "c1", "c3", "c4", "c5"], "the first column stays"
    assert shown(table(head, *rows[:2])).shared == "", "two rows may agree by chance"
    narrow = table(head[:NARROW], *(row[:NARROW] for row in rows))
    assert len(shown(narrow).columns) == NARROW and shown(narrow).shared == ""


@pytest.mark.parametrize(("rows", "kept"), [(0, 0), (1, 1), (LONGEST, LONGEST), (LONGEST + 1, LONGEST // 2)])
def test_a_long_table_is_begun(rows, kept):
    told = shown(table(("n", "square"), *((n, n * n) for n in range(rows))))
    assert len(told.rows) == kept and told.more == rows - kept
    assert [column.head for column in told.columns] == ["n", "square"]


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
