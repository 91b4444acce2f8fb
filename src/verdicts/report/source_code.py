"""The source of the function that measured a check, as the page shows it."""

import ast
import os
from functools import lru_cache
from pathlib import Path


def source_of(root: Path, where: str) -> str:
    """Return the text of the function at `where` (`file:line`, as a record has it); empty where there is none."""
    name, _, line = where.rpartition(":")
    if not name or not line.isdigit() or not (root / name).is_file():
        return ""
    first = int(line)
    lines, ends = _functions(root / name)
    return "\n".join(lines[first - 1 : ends[first]]) if first in ends else ""


def address_of(root: Path, folder: Path, where: str) -> str:
    """Return the address of the file of `where` from a page in `folder`; empty where the results lie elsewhere."""
    name = where.rpartition(":")[0]
    if not name or not folder.is_relative_to(root) or not (root / name).is_file():
        return ""
    return Path(os.path.relpath(root / name, folder)).as_posix()


@lru_cache(maxsize=64)
def _functions(path: Path) -> tuple[list[str], dict[int, int]]:
    """Return a file's lines, and for each of its functions the first line (of its decorators) with the last."""
    text = path.read_text(encoding="utf-8")
    ends = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and node.end_lineno:
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            ends[first] = ends[node.lineno] = node.end_lineno
    return text.splitlines(), ends
