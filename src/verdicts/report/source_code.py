"""The source of functions, as the page shows it: what measured a check, drew a figure, or is the sampler's step."""

import ast
import os
from functools import lru_cache
from pathlib import Path

from verdicts.errors import UserError


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


def function_at(root: Path, place: str) -> str:
    """Return the text of the function at `place` (`file:name`) without its docstring. Raises UserError for none."""
    file, _, name = place.rpartition(":")
    text = (root / file).read_text(encoding="utf-8") if (root / file).is_file() else ""
    named = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef) and node.name == name)
    if (node := next(named, None)) is None:
        raise UserError(f"{place}: there is no such function")
    lines, first = text.splitlines(), node.body[0]
    if ast.get_docstring(node) and first.end_lineno:
        lines[first.lineno - 1 : first.end_lineno] = [""] * (first.end_lineno - first.lineno + 1)
    return "\n".join(line for line in lines[node.lineno - 1 : node.end_lineno] if line.strip())


def drawn_by(root: Path, folder: str, figure: str) -> str:
    """Return where a figure is drawn: `file:line` of its group's function of that name, else of `figures.py`."""
    for path in sorted((root / folder).glob("*.py")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if line.startswith(f"def {figure}("):
                return f"{folder}/{path.name}:{number}"
    return f"{folder}/figures.py:1"


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
