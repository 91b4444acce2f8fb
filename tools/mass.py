"""Code lines of each house against its budget, `[tool.budgets]` in pyproject.toml: `python -m
tools.mass`.

A code line is a line of Python that is not blank, no comment, no docstring and no import. A house
is files and folders, with what lies below them; it may have `limit` code lines, and is to have
`target` where that is less.
"""

import ast
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tools import ROOT, run, say

DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


class House(NamedTuple):
    """A house: its name, how many code lines it has, how many it may have, and is to have."""

    name: str
    lines: int
    limit: int
    target: int


def code_lines(text: str) -> int:
    """Return how many lines of a module are code."""
    spans = (range(node.lineno, (node.end_lineno or 0) + 1) for node in _left_out(ast.parse(text)))
    left_out = {number for span in spans for number in span}
    lines = enumerate((line.strip() for line in text.splitlines()), start=1)
    return sum(
        bool(line) and not line.startswith("#") and number not in left_out for number, line in lines
    )


def _left_out(module: ast.Module) -> Iterator[ast.stmt]:
    """Yield the docstrings and the imports of a module."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, DOCUMENTED) and ast.get_docstring(node) is not None:
            yield node.body[0]


def houses(root: Path) -> Iterator[House]:
    """Yield the houses of the repository at `root`, in the order of its table of budgets."""
    table = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["budgets"]
    for name, budget in table.items():
        places = [root / place for place in budget["of"]]
        files = {
            file
            for place in places
            for file in ([place] if place.is_file() else place.rglob("*.py"))
        }
        lines = sum(code_lines(file.read_text(encoding="utf-8")) for file in files)
        yield House(name, lines, budget["limit"], budget.get("target", budget["limit"]))


@dataclass(frozen=True)
class Mass:
    """Print the code lines of each house; exit code 1 where one has more than its budget."""

    def __call__(self) -> int:
        """Do it."""
        found = list(houses(ROOT))
        for house in found:
            wanted = f", target {house.target}" if house.target < house.limit else ""
            above = "  ABOVE ITS BUDGET" if house.lines > house.limit else ""
            say(f"{house.name:<24} {house.lines:>6} code lines of {house.limit}{wanted}{above}")
        return int(any(house.lines > house.limit for house in found))


if __name__ == "__main__":
    sys.exit(run(Mass))
