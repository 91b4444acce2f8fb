"""`evaluate`: the published MMDs of two files of graphs with their intervals, and what remains without the bias."""

from __future__ import annotations

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
"""Of the resampling; another one moves the ends of an interval by a few per cent of its length."""


Rows = Mapping[str, Estimates]


def rows(reference: Sequence[Graph], generated: Sequence[Graph], seed: int = SEED) -> Rows:
    """Return the estimates of every statistic by name. Raises ValueError for an empty set."""
    return {one.name: estimates(one, reference, generated, seed, CONFIDENCE) for one in STATISTICS}


def evaluate(reference: Path, generated: Path, json: bool) -> int:
    """Print the MMDs of the graphs in two files, as JSON or a table, and return 0. Raises as `read_graphs`."""
    sets = read_graphs(reference), read_graphs(generated)
    found = rows(*sets)
    print(json_text.dumps(_described(found, *sets), indent=2) if json else "\n".join(_table(found, *sets)))
    return 0


def _described(found: Rows, reference: Sequence[Graph], generated: Sequence[Graph]) -> dict[str, JsonValue]:
    return {
        "mmd": {name: _entry(row.value, row.published) for name, row in found.items()},
        "unbiased": {name: _entry(row.unbiased and row.unbiased.value, row.unbiased) for name, row in found.items()},
        "reference": len(reference),
        "generated": len(generated),
        "confidence": CONFIDENCE,
        "seed": SEED,
    }


def _entry(value: float | None, interval: Interval | None) -> dict[str, JsonValue]:
    return {"value": value, "interval": None if interval is None else [interval.low, interval.high]}


def _table(found: Rows, reference: Sequence[Graph], generated: Sequence[Graph]) -> list[str]:
    return [
        f"squared MMD, {len(reference)} reference and {len(generated)} generated graphs; {CONFIDENCE:.0%} intervals",
        f"{'':10}{'published (biased)':32}unbiased",
        *(f"{name:10}{_cell(row.value, row.published):32}{_unbiased(row)}".rstrip() for name, row in found.items()),
    ]


def _unbiased(row: Estimates) -> str:
    return "" if row.unbiased is None else _cell(row.unbiased.value, row.unbiased)


def _cell(value: float, interval: Interval | None) -> str:
    return f"{value:7.4f}" + ("" if interval is None else f" [{interval.low:7.4f}, {interval.high:7.4f}]")
