"""Queries of a table: each against numbers made by hand, and each complaint in one line."""

from typing import NamedTuple

import numpy as np
import pytest

from ams.statistics import Interval, mean_interval
from ams.statistics.bootstrap import BootstrapEstimate
from ams_suite import queries
from tests.claims import claims, quick_settings
from verdicts.errors import UserError
from verdicts.run.checks import Checks
from verdicts.studies import Memory, cell, using
from verdicts.studies.table import Rows, RunTable

ERRORS = {"slow": {10: 4.0, 20: 2.0, 40: 1.0}, "fast": {10: 2.0, 20: 1.0}}
"""Mean errors by sampler and budget, of batches that differ by a tenth."""


class Numbers(NamedTuple):
    error: float


@cell
def measure(sampler: str, budget: int, numbers: tuple[int, ...]) -> list[Numbers]:
    """Errors made by hand."""
    return [Numbers(ERRORS[sampler][budget] * (1 + 0.1 * number)) for number in numbers]


def table(blank: bool = False) -> RunTable:
    """Return a row for each of three batches of each error, in two cells, and one row that has a
    label more.
    """
    rows = [
        Rows({"sampler": name, "budget": budget}, measure.cell(name, budget, block), block, 8, 7)
        for name, errors in ERRORS.items()
        for budget in errors
        for block in ((-1, 0), (1,))
    ]
    other = Rows(
        {"sampler": "fast", "budget": 10, "tuning": "tuned"},
        measure.cell("fast", 20, (5,)),
        (5,),
        8,
        7,
    )
    return RunTable((*rows, other), blank)


CURVES = {
    "slow": {10: 8.0, 20: 4.0, 40: 1.0, 80: 0.5},
    "fast": {10: 4.0, 20: 1.0, 30: 0.7, 40: 4.0},
}
"""Exact errors by sampler and budget."""
ESTIMATE = Interval(1.0, 0.5, 4.0, 32)


class Exact(NamedTuple):
    error: float | Interval
    evaluations: int


@cell
def exact(sampler: str) -> list[Exact]:
    """A sampler's exact errors; those of a budget of n take n - 1 evaluations."""
    return [Exact(error, budget - 1) for budget, error in CURVES[sampler].items()]


@cell
def estimated() -> Exact:
    """An error with an interval of its own."""
    return Exact(ESTIMATE, 20)


def exact_table(blank: bool = False) -> RunTable:
    """Return a row for each exact error, many in a cell, and one of an error that is estimated."""
    rows = [
        Rows({"sampler": name, "budget": budget}, exact.cell(name), place=place)
        for name, errors in CURVES.items()
        for place, budget in enumerate(errors)
    ]
    return RunTable(
        (*rows, Rows({"sampler": "drawn", "budget": 20}, estimated.cell(), seed=5)), blank
    )


def test_a_mean_is_of_the_rows_that_have_these_labels_alone() -> None:
    found = queries.mean(table(), "error", sampler="fast", budget=10)
    assert found.interval == mean_interval([1.8, 2.0, 2.2])[1:3]
    assert (found.value, found.n, found.seeds) == (pytest.approx(2.0), 24, (7,))


def test_a_difference_is_paired_by_batch() -> None:
    found = queries.difference(table(), "error", sampler=("slow", "fast"), budget=(20, 10))
    assert found.value == 0.0 == found.interval[0]
    with pytest.raises(UserError, match="not paired"):
        queries.difference(unpaired(), "error", sampler=("slow", "fast"), budget=10)


class Estimates(NamedTuple):
    mmd: BootstrapEstimate
    exact: float


@cell
def estimate(sampler: str, n: int) -> list[Estimates]:
    """Estimates made by hand, whose resamples have a common part."""
    common, own = (
        np.random.default_rng(0).normal(size=100),
        0.01 * np.arange(100) * (sampler == "near"),
    )
    return [
        Estimates(
            BootstrapEstimate(float(sampler == "far"), tuple((common + own).tolist()), n), 2.0
        )
    ]


def estimates(*units: int) -> RunTable:
    """Return a row of an estimate for each of two samplers, from so many units."""
    before = measure.cell("fast", 10, (1,))
    rows = [
        Rows({"sampler": sampler}, estimate.cell(sampler, n), seed=7, rests_on=(before,), place=0)
        for sampler, n in zip(("far", "near"), units, strict=True)
    ]
    return RunTable(tuple(rows))


def test_draws_that_do_not_differ_are_no_exact_number() -> None:
    rows = Rows({"sampler": "slow", "budget": 10}, measure.cell("slow", 10, (0, 0)), (0, 1), 8, 7)
    measured = queries.mean(RunTable((rows,)), "error", sampler="slow", budget=10)
    assert (measured.interval, measured.n, measured.seeds) == ((4.0, 4.0), 16, (7,))


def test_estimates_are_paired_by_their_resamples_and_one_number_is_exact() -> None:
    found = queries.difference(estimates(9, 9), "mmd", sampler=("far", "near"))
    assert (found.value, found.n, found.seeds) == (1.0, 9, (7,))
    low, high = np.quantile(-0.01 * np.arange(100), (0.005, 0.995))
    assert found.interval == pytest.approx((low, max(high, 1.0))), "what is common has gone"
    assert queries.mean(estimates(9, 9), "exact", sampler="far").interval == (2.0, 2.0)
    with pytest.raises(UserError, match="estimates from 9 and 8 units are not paired"):
        queries.difference(estimates(9, 8), "mmd", sampler=("far", "near"))


def test_what_a_row_rests_on_is_computed_before_it_and_an_estimate_is_written_as_an_interval() -> (
    None
):
    cells = [str(cell).partition("(")[0].rpartition(".")[2] for cell in estimates(9, 9).cells]
    assert cells == ["measure", "estimate"] * 2
    with using(Memory()):
        header, line, _ = estimates(9, 9).written(lambda made: True).splitlines()
    assert header == "sampler,mmd,mmd.low,mmd.high,mmd.n,exact"
    assert line.startswith("far,1.0,") and line.endswith(",9,2.0")


def unpaired() -> RunTable:
    """Return the table without the last batch of each of the slow sampler's budgets."""
    return RunTable(
        tuple(r for r in table().rows if r.labels["sampler"] == "fast" or len(r.batches) == 2)
    )


def test_a_speed_up_is_read_between_the_budgets_of_the_slower() -> None:
    found = queries.speed_up(table(), "error", sampler=("slow", "fast"), budget=20)
    assert (
        found.value == pytest.approx(2.0)
        and found.detail["largest ratio that could be seen"] == 2.0
    )
    with pytest.raises(UserError, match="not paired"):
        queries.speed_up(unpaired(), "error", sampler=("slow", "fast"), budget=20)


def test_extremes_are_found_over_what_both_samplers_have() -> None:
    given = {"of": "difference", "number": "error", "sampler": ("slow", "fast")}
    wide = {"budget": {"from": 1, "to": 100}}
    least, largest, farthest = (
        query(table(), over=wide, **given)
        for query in (queries.least, queries.largest, queries.farthest)
    )
    assert (least.detail["budget"], largest.detail["budget"], farthest.detail["budget"]) == (
        20,
        10,
        10,
    )
    assert queries.least(table(), over={"budget": [10]}, **given) == largest


def test_cases_above_a_bound_are_counted_and_named() -> None:
    found = queries.count(
        table(), over={"sampler": ["slow", "fast"], "budget": [10, 20]}, above=1.5, number="error"
    )
    assert (found.value, found.n, found.detail["counted"]) == (
        3,
        4,
        ["slow 10", "slow 20", "fast 10"],
    )


def test_numbers_without_batches_are_exact_or_have_their_own_interval() -> None:
    known, drawn = (
        queries.mean(exact_table(), "error", sampler=name, budget=20) for name in ("slow", "drawn")
    )
    assert (known.value, known.low, known.n) == (4.0, None, None)
    assert (drawn.value, drawn.interval, drawn.n, drawn.seeds) == (1.0, (0.5, 4.0), 32, (5,))


def test_what_has_its_own_interval_is_compared_by_the_ends() -> None:
    asked = {"number": "error", "sampler": ("drawn", "slow"), "budget": 20}
    less, over = (query(exact_table(), **asked) for query in (queries.difference, queries.ratio))
    assert (less.value, less.interval) == (-3.0, (-3.5, 0.0))
    assert (over.value, over.interval, over.n) == (0.25, (0.125, 1.0), 32)
    assert queries.ratio(exact_table(), "error", sampler="slow", budget=(80, 40)).value == 0.5


def test_a_ratio_of_batches_is_their_geometric_mean() -> None:
    found = queries.ratio(table(), "error", sampler=("slow", "fast"), budget=20)
    assert (found.value, found.n) == (pytest.approx(2.0), 3)


@pytest.mark.parametrize(
    ("sampler", "budget", "value", "interval"),
    [
        ("fast", 10, 2.0, (1.5, 2.0)),  # 4 at 20, not at 10: 15 at least
        ("fast", 30, 80 / 30, (1.5, 80 / 30)),
        ("drawn", 20, 2.0, (0.75, 4.0)),  # 1 at 40; the interval: 4 at 20, 0.5 at 80
    ],
)
def test_an_exact_speed_up_lies_between_two_budgets(sampler, budget, value, interval) -> None:
    found = queries.speed_up(exact_table(), "error", ("slow", sampler), budget, spacing=5)
    assert (found.value, found.interval) == (pytest.approx(value), pytest.approx(interval))


def test_an_error_that_no_budget_reaches_is_bounded_from_below() -> None:
    found = queries.speed_up(exact_table(), "error", ("fast", "slow"), 80, spacing=5)
    assert (found.value, found.interval) == (45 / 80, (45 / 80, queries.UNREACHED))


def test_evaluations_to_an_error_are_those_of_the_first_budget_that_is_enough() -> None:
    for error, ratio in ((1.0, 39 / 19), (0.6, queries.UNREACHED)):
        pair = ("slow", "fast") if error == 1.0 else ("fast", "slow")
        assert queries.evaluations_to(exact_table(), "error", error, pair).value == ratio


def test_a_curve_ascends_along_a_label_or_a_number() -> None:
    points = queries.curve(exact_table(), "error", x="evaluations", sampler="slow")
    assert points == [(9, 8.0), (19, 4.0), (39, 1.0), (79, 0.5)]


@pytest.mark.parametrize(
    ("edge", "least", "value", "decisive"),
    [
        ("first", 3.0, 20, [20, 10]),
        ("last", 3.0, 20, [20, 40]),
        ("beyond", 3.0, 40, [20, 40]),
        ("first", 2.0, 10, [10]),
        ("last", 0.1, 40, [40]),
        ("beyond", 0.1, queries.UNREACHED, None),
        ("first", 5.0, queries.UNREACHED, None),
        ("last", 5.0, 0, None),
    ],
)
def test_a_stretch_is_about_the_largest(edge, least, value, decisive) -> None:
    """The slow error over the fast one is 2, 4 and 0.25 at 10, 20 and 40."""
    asked = {"of": "ratio", "number": "error", "sampler": ("slow", "fast")}
    wide = {"budget": {"from": 10, "to": 40}}
    found = queries.stretch(exact_table(), edge, least, over=wide, **asked)
    assert (found.value, found.detail.get("budget")) == (value, decisive)


def test_a_stretch_is_judged_by_either_end() -> None:
    asked = {"of": "mean", "number": "error", "sampler": "drawn", "over": {"budget": [20]}}
    ends = [queries.stretch(exact_table(), "last", 3.0, by=by, **asked) for by in ("low", "high")]
    assert [end.value for end in ends] == [0, 20]


def test_neighbours_are_compared_and_the_place_of_an_extreme_is_a_number() -> None:
    asked = {"of": "ratio", "number": "error", "sampler": "fast"}
    pairs = {"budget": {"from": 10, "to": 40, "neighbours": True}}
    steepest = queries.largest(exact_table(), over=pairs, **asked)
    assert (steepest.value, steepest.detail["budget"]) == (4.0 / 0.7, [40, 30])
    lowest = {"of": "mean", "number": "error", "sampler": "fast", "over": {"budget": [10, 30, 40]}}
    assert queries.least(exact_table(), at="budget", **lowest).value == 30


def test_an_axis_of_pairs_leaves_the_next_one_its_range() -> None:
    over = {"sampler": [["slow", "fast"], ["fast", "slow"]], "budget": {"from": 20, "to": 80}}
    found = queries.count(exact_table(), over, above=1.0, of="ratio", number="error")
    assert (found.value, found.n) == (2, 4)
    assert found.detail["counted"] == ["['slow', 'fast'] 20", "['fast', 'slow'] 40"]


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (
            {"sampler": "fast", "budget": 30},
            "no row of sampler = 'fast', budget = 30; budget can be 10, 20",
        ),
        (
            {"sampler": "none", "budget": 10},
            "no row of sampler = 'none', budget = 10; sampler can be fast, slow",
        ),
        ({"number": "kl", "sampler": "fast", "budget": 10}, "rows have no 'kl', but error"),
        (
            {"sampler": "fast", "budget": 10, "tuning": "tuned"},
            "one batch of sampler = 'fast', budget = 10, tuning = 'tuned': an interval needs two",
        ),
    ],
)
def test_what_no_row_has_is_refused_before_anything_is_computed(
    given: dict[str, object], complaint: str
) -> None:
    with using(Memory()), pytest.raises(UserError, match=complaint):
        queries.mean(table(blank=True), **{"number": "error", **given})


def test_a_query_for_a_row_that_is_not_run_is_refused_with_its_place() -> None:
    group = claims().group_named("digits")
    check = next(
        each
        for claim in claims().of_group("digits")
        for each in claim.check
        if each.id == "D3.flow"
    )
    asked = check.model_copy(update={"arguments": {**check.arguments, "budget": 25}})
    with pytest.raises(UserError) as told:
        Checks(group, quick_settings("digits")).refuse_missing_rows([check, asked])
    line = "experiments/images/digits/claims.toml: check[D3.flow].with: `runs` makes no row of"
    assert (
        str(told.value)
        == f"{line} sampler = 'adaptive momentum', budget = 25; budget can be 20, 60, 300"
    )


def test_a_table_is_written_a_row_a_batch_without_what_is_not_computed() -> None:
    with using(Memory()):
        lines = table().written(lambda made: made.arguments["sampler"] == "slow").splitlines()
    assert lines[:2] == ["sampler,budget,batch,error", "slow,10,-1,3.6"] and len(lines) == 10


def test_exact_rows_are_written_without_a_batch_and_intervals_with_their_ends() -> None:
    with using(Memory()):
        lines = exact_table().written(lambda made: True).splitlines()
    assert lines[0] == "sampler,budget,error,evaluations,error.low,error.high,error.n"
    assert lines[1] == "slow,10,8.0,9,,," and lines[-1] == "drawn,20,1.0,20,0.5,4.0,32"
