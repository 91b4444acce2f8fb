"""The survey's table: every sampler with its verdict, order and errors."""

from pathlib import Path
from typing import Any

from ams.errors import DataUnavailable
from survey.conformance import study, trials
from survey.conformance.settings import Settings
from verdicts import Figure, Table

HEADER = (
    "verdict",
    "library",
    "version",
    "sampler",
    "order stated",
    "order",
    "order of steps",
    "$W_2$ at 5",
    "$W_2$ at 10",
    "$W_2$ at 20",
)
VERDICTS = ("holds", "inconclusive", "refuted")


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Return no figure."""
    return []


def tables(settings: Settings) -> list[Table]:
    """Return all samplers that ran, by verdict, order and W2 after 10 steps; the bugs and the
    blind trial, if run.
    """
    entries = []
    for library in dict.fromkeys(row.library for row in study.rows(settings)):
        try:
            entries += study.reports(settings, library)
        except DataUnavailable:
            continue
    entries.sort(key=_rank)
    caption = (
        "Samplers of other libraries under the conformance kit, the best first: "
        "verdict, order, then $W_2$ from "
        "the library's own start to the data after 10 steps, in units of the data's "
        "scale. An empty cell is not "
        "measured or not finite; docs/finds says of each refuted sampler whether it is a "
        "defect, a design or precision."
    )
    claims = ("F1", "F2", "F4", "F8", "F9")
    rows = tuple(_row(row, report) for row, report in entries)
    table = Table(id="conformance", caption=caption, header=HEADER, rows=rows, claims=claims)
    return (
        [table, trials.table_of_bugs(), trials.table_of_blind_samplers()]
        if settings.bugs
        else [table]
    )


def _order(report: dict[str, Any]) -> float | None:
    return report["order"] and report["order"]["value"]


def _rank(entry: tuple[study.Row, dict[str, Any]]) -> tuple[int, float, float]:
    report = entry[1]
    distance = report["w2"].get("10")
    return (
        VERDICTS.index(report["verdict"]),
        -(_order(report) or 0.0),
        float("inf") if distance is None else distance,
    )


def _row(row: study.Row, report: dict[str, Any]) -> tuple[str | int | float, ...]:
    conditions = report["order_conditions"] or {}
    numbers = [report["stated_order"], _order(report), conditions.get("local")]
    numbers += [report["w2"].get(steps) for steps in ("5", "10", "20")]
    shown = ["" if number is None else float(f"{number:.3g}") for number in numbers]
    return report["verdict"], row.library, report["version"], row.name, *shown
