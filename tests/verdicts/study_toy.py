"""A third group for the toy repository, `gamma`, whose checks, figures and notebook read a study."""

from pathlib import Path
from typing import Any

from tests.verdicts.toy import Toy
from verdicts.claims.schema import Group
from verdicts.records.workspace import Workspace
from verdicts.run.checks import Checks
from verdicts.studies.cells import Cell
from verdicts.studies.study import cells_of

ALL = ["one 0", "one 1", "one 2", "start one", "start two", "two 0", "two 1", "two 2"]
"""What computing the study with three batches logs, sorted."""


def with_study(root: Path) -> Toy:
    """Return a toy repository with the third group."""
    toy = Toy.make(root)
    toy.lay("study")
    return toy


def calls(toy: Toy) -> list[str]:
    """Return what was computed since the last call, sorted."""
    path = toy.root / toy.package / "gamma" / "calls.txt"
    lines = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return sorted(lines)


def gamma(workspace: Workspace) -> Group:
    """Return the third group."""
    return workspace.claims.group_named("gamma")


def listed(workspace: Workspace) -> list[Cell[Any]]:
    """Return the cells of its study."""
    return cells_of(gamma(workspace), Checks.load(workspace, gamma(workspace)).settings)


def set_batches(toy: Toy, count: int, profile: str = "quick") -> None:
    """Let the study have so many batches."""
    toy.write(f"config/{profile}.toml", f"one_process = true\nnotebooks = false\n[groups.gamma]\nbatches = {count}\n")


def tree(folder: Path, kind: str = ".json") -> dict[str, bytes]:
    """Return the files of a kind below a folder with their bytes."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob(f"*{kind}"))}
