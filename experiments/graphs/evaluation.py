"""The published MMDs of two files of graphs with their intervals, and the unbiased estimates."""

import json as json_text
from pathlib import Path
from typing import Any

from ams.statistics import CONFIDENCE, Interval
from experiments.graphs.discrepancy import estimates
from experiments.graphs.reading import read_graphs
from experiments.graphs.statistics import STATISTICS

SEED = 0
"""Of the bootstrap; another seed moves the ends of an interval by a few per cent of its length."""


def evaluate(reference: Path, generated: Path, json: bool) -> int:
    """Print the MMDs of the graphs in two files, as JSON or a table, and return 0. Raises as `read_graphs`."""
    sets = read_graphs(reference), read_graphs(generated)
    rows = {one.name: estimates(one, *sets, SEED) for one in STATISTICS}
    result = {
        "mmd": {name: _entry(row.value, row.published) for name, row in rows.items()},
        "unbiased": {name: _entry(row.unbiased and row.unbiased.value, row.unbiased) for name, row in rows.items()},
        **{"reference": len(sets[0]), "generated": len(sets[1]), "confidence": CONFIDENCE, "seed": SEED},
    }
    print(json_text.dumps(result, indent=2) if json else _table(result))
    return 0


def _entry(value: float | None, interval: Interval | None) -> dict[str, Any]:
    return {"value": value, "interval": None if interval is None else [interval.low, interval.high]}


def _table(result: dict[str, Any]) -> str:
    sizes = f"{result['reference']} reference and {result['generated']} generated graphs"
    lines = [f"squared MMD, {sizes}; {CONFIDENCE:.0%} intervals", f"{'':10}{'published (biased)':32}unbiased"]
    for name, entry in result["mmd"].items():
        lines.append(f"{name:10}{_cell(entry):32}{_cell(result['unbiased'][name])}".rstrip())
    return "\n".join(lines)


def _cell(entry: dict[str, Any]) -> str:
    value, interval = entry["value"], entry["interval"]
    ends = "" if interval is None else f" [{interval[0]:7.4f}, {interval[1]:7.4f}]"
    return "" if value is None else f"{value:7.4f}{ends}"
