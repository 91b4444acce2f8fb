"""The published MMDs of two files of graphs with their intervals, and the unbiased estimates."""

import json as json_text
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import JsonValue

from ams.data import Graph
from ams.statistics import Interval
from experiments.graphs.discrepancy import Estimates, estimates
from experiments.graphs.reading import read_graphs
from experiments.graphs.statistics import STATISTICS

CONFIDENCE = 0.95
SEED = 0
"""Of the bootstrap; another seed moves the ends of an interval by a few per cent of its length."""


def evaluate(reference: Path, generated: Path, json: bool) -> int:
    """Print the MMDs of the graphs in two files, as JSON or a table, and return 0. Raises as `read_graphs`."""
    sets = read_graphs(reference), read_graphs(generated)
    rows = {one.name: estimates(one, *sets, SEED, CONFIDENCE) for one in STATISTICS}
    print(json_text.dumps(_described(rows, *sets), indent=2) if json else "\n".join(_table(rows, *sets)))
    return 0


def _described(
    rows: Mapping[str, Estimates], reference: Sequence[Graph], generated: Sequence[Graph]
) -> dict[str, JsonValue]:
    return {
        "mmd": {name: _entry(row.value, row.published) for name, row in rows.items()},
        "unbiased": {name: _entry(row.unbiased and row.unbiased.value, row.unbiased) for name, row in rows.items()},
        "reference": len(reference),
        "generated": len(generated),
        "confidence": CONFIDENCE,
        "seed": SEED,
    }


def _entry(value: float | None, interval: Interval | None) -> dict[str, JsonValue]:
    return {"value": value, "interval": None if interval is None else [interval.low, interval.high]}


def _table(rows: Mapping[str, Estimates], reference: Sequence[Graph], generated: Sequence[Graph]) -> list[str]:
    return [
        f"squared MMD, {len(reference)} reference and {len(generated)} generated graphs; {CONFIDENCE:.0%} intervals",
        f"{'':10}{'published (biased)':32}unbiased",
        *(f"{name:10}{_cell(row.value, row.published):32}{_unbiased(row)}".rstrip() for name, row in rows.items()),
    ]


def _unbiased(row: Estimates) -> str:
    return "" if row.unbiased is None else _cell(row.unbiased.value, row.unbiased)


def _cell(value: float, interval: Interval | None) -> str:
    return f"{value:7.4f}" + ("" if interval is None else f" [{interval.low:7.4f}, {interval.high:7.4f}]")
