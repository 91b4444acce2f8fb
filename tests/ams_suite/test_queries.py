"""Queries of a table: each against numbers made by hand, and each complaint in one line."""

from typing import NamedTuple

import numpy as np
import pytest

from ams.statistics import mean_interval
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
        Rows({"sampler": sampler}, estimate.cell(sampler, n), (0,), 1, 7, (before,))
        for sampler, n in zip(("far", "near"), units, strict=True)
    ]
    return RunTable(tuple(rows))


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
    assert header == "sampler,batch,mmd.value,mmd.low,mmd.high,mmd.n,exact"
    assert line.startswith("far,0,1.0,") and line.endswith(",9,2.0")


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
        table(), "error", over={"sampler": ["slow", "fast"], "budget": [10, 20]}, above=1.5
    )
    assert (found.value, found.n, found.detail["counted"]) == (
        3,
        4,
        ["slow 10", "slow 20", "fast 10"],
    )


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
