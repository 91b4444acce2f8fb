"""What a result depends on: the files of the repository that its module imports, and a key over all
its parts.

Imports are read from the syntax tree, nothing is executed. Imports inside functions and under
`TYPE_CHECKING` count; an import by computed name is not seen. Packages on the way (`a` and `a.b` of
`a.b.c`) count too: Python runs their `__init__` first. A file that does not parse counts, and
imports nothing.

A record whose key differs from the present one is stale; the parts tell why.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import resolve_name
from pathlib import Path
from typing import Self

from verdicts.errors import UserError
from verdicts.records.files import canonical_json, sha256_of
from verdicts.validation import Frozen

# content, tests, and the engine, which decides no value, but for what chooses a table's rows
EXCLUDED = frozenset({"paper", "tests", "verdicts"})
INCLUDED = ("verdicts.studies.table",)
# of a notebook in Markdown
CODE = re.compile(r"^```python\b[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)


class Sources:
    """The modules found below `roots` (folders of a Python path), the first root first.

    Each file is looked for and read once: an instance is a snapshot, to be made anew for every run.
    """

    def __init__(self, *roots: Path) -> None:
        self.roots = roots
        self._place = cache(self.find)
        self.closure = cache(self._closure)
        self._imports = cache(self._read_imports)
        self._digest = cache(lambda path: sha256_of(path.read_bytes()))

    def _closure(self, module: str) -> Mapping[str, str]:
        """Return `{file: sha256}` of `module` and all that it imports, directly or not; `file`
        relative to its root.
        """
        seen: set[str] = set()
        waiting = [module]
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                waiting.extend(self._imports(name))
        places = (place for name in seen if (place := self._place(name)))
        return {
            file.relative_to(root).as_posix(): self._digest(file) for root, file in sorted(places)
        }

    def closure_of_script(self, path: Path) -> dict[str, str]:
        """Return `{file: sha256}` of a notebook in Markdown below the last root, and of all that
        its code imports.
        """
        files = {path.relative_to(self.roots[-1]).as_posix(): self._digest(path)}
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise UserError(f"{path}: it is not UTF-8: {error}") from error
        for name in _imported(_tree("\n".join(CODE.findall(text))), package=""):
            files |= self.closure(name)
        return files

    def find(self, module: str) -> tuple[Path, Path] | None:
        """Return `(root, file)` of a module of the repository, None for any other."""
        parts = module.split(".")
        if not all(parts) or (parts[0] in EXCLUDED and module not in INCLUDED):
            return None
        for root in self.roots:
            stem = root.joinpath(*parts)
            for file in (stem / "__init__.py", stem.with_suffix(".py")):
                if file.is_file():
                    return root, file
        return None

    def _read_imports(self, module: str) -> frozenset[str]:
        parts = module.split(".")
        names = {".".join(parts[:end]) for end in range(1, len(parts))}
        if place := self._place(module):
            file = place[1]
            package = module if file.name == "__init__.py" else module.rpartition(".")[0]
            names.update(_imported(_tree(file.read_bytes()), package))
        return frozenset(names)


def _tree(source: bytes | str) -> ast.Module:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module(body=[], type_ignores=[])


def _imported(tree: ast.AST, package: str) -> Iterator[str]:
    """Yield every module that the tree may import: of `from a import b` both `a` and `a.b`,
    whichever exists.
    """
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, package)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _statements(parent: ast.AST) -> Iterator[ast.AST]:
    """Yield every statement: imports are some, and there are many times as many expressions."""
    for node in ast.iter_child_nodes(parent):
        if not isinstance(node, ast.expr):
            yield node
            yield from _statements(node)


def _absolute(node: ast.ImportFrom, package: str) -> str:
    try:
        return resolve_name("." * node.level + (node.module or ""), package)
    except ImportError:  # from above the topmost package: its run records that
        return ""


class KeyParts(Frozen):
    """What a result depends on, as digests: `entry` (its entries in the claims file), `config` (its
    group's part), `sources` and `data` by name, the class of device.
    """

    entry: str
    config: str
    sources: dict[str, str]
    data: dict[str, str]
    device: str

    @property
    def key(self) -> str:
        """Return the sha256 over all parts."""
        return sha256_of(canonical_json(self.model_dump()))

    def changes_since(self, old: Self) -> str:
        """Say in words what differs from `old` (empty if nothing does)."""
        said = ["its entry in the claims file changed"] if old.entry != self.entry else []
        said += ["its settings changed"] if old.config != self.config else []
        for before, now in ((old.sources, self.sources), (old.data, self.data)):
            names = sorted(name for name, _ in before.items() ^ now.items())
            changed = list(dict.fromkeys(names))
            said += [f"{name} changed" for name in changed[:2]]
            said += [f"{len(changed) - 2} more files changed"] if len(changed) > 2 else []
        said += [f"device was {old.device}, is {self.device}"] if old.device != self.device else []
        return ", ".join(said)
