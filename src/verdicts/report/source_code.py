"""The source of functions, as the page shows it: what measured a check, drew a figure, or is the sampler's step."""

import ast
import os
from functools import lru_cache
from pathlib import Path

from verdicts.errors import UserError


def source_of(root: Path, where: str) -> str:
    """Return the text of the function at `where` (`file:line`, as a record has it); empty where there is none."""
    name, _, line = where.rpartition(":")
    lines, functions = _functions(root / name)
    for node in functions:
        first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
        if line in (str(first), str(node.lineno)):
            return "\n".join(lines[int(line) - 1 : node.end_lineno])
    return ""


def address_of(root: Path, folder: Path, where: str) -> str:
    """Return the address of the file of `where` from a page in `folder`; empty where the results lie elsewhere."""
    name = where.rpartition(":")[0]
    if not folder.is_relative_to(root) or not (root / name).is_file():
        return ""
    return Path(os.path.relpath(root / name, folder)).as_posix()


def function_at(root: Path, place: str) -> str:
    """Return the text of the function at `place` (`file:name`) without its docstring. Raises UserError for none."""
    file, _, name = place.rpartition(":")
    lines, functions = _functions(root / file)
    node = next((each for each in functions if each.name == name), None)
    if node is None:
        raise UserError(f"{place}: there is no such function")
    kept = range(node.lineno - 1, node.end_lineno or 0)
    first = node.body[0]
    doc = range(first.lineno - 1, first.end_lineno or 0) if ast.get_docstring(node) else ()
    return "\n".join(lines[n] for n in kept if n not in doc and lines[n].strip())


def drawn_by(root: Path, folder: str, figure: str) -> str:
    """Return where a figure is drawn: `file:line` of its group's function of that name, else of `figures.py`."""
    for path in sorted((root / folder).glob("*.py")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if line.startswith(f"def {figure}("):
                return f"{folder}/{path.name}:{number}"
    return f"{folder}/figures.py:1"


@lru_cache(maxsize=64)
def _functions(path: Path) -> tuple[list[str], list[ast.FunctionDef]]:
    """Return a file's lines and its functions; of no file, none."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return text.splitlines(), [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
