"""Tables as documents show them: nothing is lost, nothing is joined that does not belong together."""

import pytest

from verdicts import Table
from verdicts.report.tables import LONGEST, NARROW, shown


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
