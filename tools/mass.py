"""How much there is to read, by house, against `[tool.budgets]` in pyproject.toml: `python -m
tools.mass`.

Python is counted in tokens but for comments, docstrings, imports and line ends, so that neither
long nor short lines help; TOML in lines that are not blank. A house is what its patterns name: a
folder with all Python in it, or files; `but` names what is not of it. Its `limit` leaves about 5 %
of headroom, and `target` is what it is to have where that is less.
"""

import ast
import io
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tools import ROOT, run, say

DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
LINE_ENDS = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


class House(NamedTuple):
    """A house: its name, how much it has, may have, and is to have, and the unit of these."""

    name: str
    size: int
    limit: int
    target: int
    unit: str = "tokens"


def tokens(text: str) -> int:
    """Return how many tokens of a module are to be read."""
    left_out = {
        number
        for node in _left_out(ast.parse(text))
        for number in range(node.lineno, (node.end_lineno or 0) + 1)
    }
    every = tokenize.generate_tokens(io.StringIO(text).readline)
    return sum(one.type not in LINE_ENDS and one.start[0] not in left_out for one in every)


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
        files = _files(root, budget["of"]) - _files(root, budget.get("but", []))
        of_toml = any(file.suffix == ".toml" for file in files)
        size = sum(map(_lines if of_toml else _tokens, files))
        unit = "lines of TOML" if of_toml else "tokens"
        yield House(name, size, budget["limit"], budget.get("target", budget["limit"]), unit)


def _files(root: Path, patterns: list[str]) -> set[Path]:
    """Return the files that patterns name below `root`."""
    places = {place for pattern in patterns for place in root.glob(pattern)}
    inside = {file for place in places if place.is_dir() for file in place.rglob("*.py")}
    return inside | {place for place in places if place.is_file()}


def _tokens(file: Path) -> int:
    return tokens(file.read_text(encoding="utf-8"))


def _lines(file: Path) -> int:
    return sum(bool(line.strip()) for line in file.read_text(encoding="utf-8").splitlines())


@dataclass(frozen=True)
class Mass:
    """Print how much each house has; exit code 1 where one has more than its budget."""

    def __call__(self) -> int:
        """Do it."""
        found = list(houses(ROOT))
        for house in found:
            wanted = f", target {house.target}" if house.target < house.limit else ""
            above = "  ABOVE ITS BUDGET" if house.size > house.limit else ""
            say(f"{house.name:<16} {house.size:>7} {house.unit} of {house.limit}{wanted}{above}")
        return int(any(house.size > house.limit for house in found))


if __name__ == "__main__":
    sys.exit(run(Mass))
