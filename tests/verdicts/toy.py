"""A small repository with claims of its own, and a driver on it in this process: two groups, no
torch.

A third group, `gamma`, reads a study (`with_study`). Every toy has its own package of checks, so
that toys do not meet in Python's memory.
"""

import errno
import importlib
import io
import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest
from rich.console import Console

from ams_suite.project import PROJECT
from verdicts.claims.schema import Group, Profile
from verdicts.records.expected import Expected
from verdicts.records.run_record import RunRecord
from verdicts.records.workspace import Workspace
from verdicts.run import console, driver, job
from verdicts.run.checks import Checks
from verdicts.run.driver import RunOptions
from verdicts.run.group import run_group
from verdicts.studies.cells import Cell
from verdicts.studies.study import cells_of

REPOSITORY = Path(__file__).resolve().parents[2]
FILES = Path(__file__).with_name("toy_repository")
"""What toys are made of: `small` with two groups, `study` with one more; `{package}` is their
name.
"""
NUMBERS = itertools.count()


def full_disk(*written: object) -> None:
    """Stand for what writes, where nothing can be written."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def kept_run(profile: str, **values: object) -> Expected:
    """Return the kept values of a run that nobody made."""
    return Expected.model_validate({"device": "cpu", "claims": {}, "profile": profile, **values})


@dataclass(frozen=True)
class Toy:
    """The repository at `root`, whose modules of checks lie in `package`."""

    root: Path
    package: str

    @classmethod
    def make(cls, root: Path) -> Self:
        toy = cls(root, f"toy{next(NUMBERS)}_{os.getpid()}")
        toy.lay("small")
        return toy

    def lay(self, part: str, files: str = "*") -> None:
        """Write the files of a part as they are, and let the next import in this process see its
        modules.
        """
        for path in (each for each in (FILES / part).rglob(files) if each.is_file()):
            name = path.relative_to(FILES / part).as_posix().removesuffix(".txt")
            text = path.read_text(encoding="utf-8").replace("{package}", self.package)
            self.write(name.replace("package/", f"{self.package}/", 1), text)
        self.forget()

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def restore_module(self, name: str) -> None:
        """Write a module of checks as it was, and let the next import in this process see it."""
        for part in ("small", "study"):
            self.lay(part, f"package/{name}.py.txt")

    def snapshot(self) -> Callable[[], None]:
        """Return a function that makes the files again what they are now."""
        copy = shutil.copytree(self.root, self.root.with_name(f"{self.package} as it was"))

        def restore() -> None:
            shutil.rmtree(self.root)
            shutil.copytree(copy, self.root)
            self.forget()

        return restore

    def forget(self) -> None:
        """Let the next import in this process see the modules of checks as they are."""
        for module in [each for each in sys.modules if each.startswith(self.package)]:
            del sys.modules[module]
        importlib.invalidate_caches()

    def replace(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text(encoding="utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def replace_in_module(self, name: str, old: str, new: str) -> None:
        """Edit a module of checks, and let the next import in this process see it."""
        self.replace(f"{self.package}/{name}.py", old, new)
        self.forget()

    def replace_in_claims(self, group: str, old: str, new: str) -> None:
        self.replace(f"{self.package}/{group}/claims.toml", old, new)

    def add_notebook(self, group: str, text: str) -> Path:
        return self.write(f"{self.package}/{group}/notebook.md", text)

    def workspace(self, profile: str = "quick") -> Workspace:
        return Workspace.open(self.root, Profile(profile), None, PROJECT)

    def run_all(self, profile: str = "quick") -> Workspace:
        """Make every claim's record with figures and tables, in this process."""
        workspace = self.workspace(profile)
        run = RunRecord.begin(workspace)
        for group in workspace.claims.group:
            run_group(workspace, run, group, lambda claim, record: None, pytest.fail)
        return workspace

    def rows(self, profile: str = "quick") -> dict[str, Any]:
        """Return the ledger's rows by claim."""
        ledger = json.loads((self.folder(profile) / "ledger.json").read_text())
        return {row["id"]: row for row in ledger["claims"]}

    def folder(self, profile: str = "quick") -> Path:
        return self.root / "results" / profile

    def record(self, claim: str, profile: str = "quick") -> Path:
        return self.folder(profile) / "records" / f"{claim}.json"

    def environment(self) -> dict[str, str]:
        path = os.pathsep.join([str(REPOSITORY / "src"), str(REPOSITORY)])
        return os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}

    def claims(self, group: str) -> Path:
        """Return the place of a group's claims."""
        return self.root / self.package / group / "claims.toml"

    def ams(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command line in a process of its own."""
        return self.python("-m", "ams_suite", *arguments)

    def python(
        self, *arguments: str, folder: str = "", **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run Python in a process of its own, in a folder of the repository."""
        command, environment = [sys.executable, *arguments], self.environment() | variables
        return subprocess.run(
            command,
            cwd=self.root / folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


ALL = ["one 0", "one 1", "one 2", "start one", "start two", "two 0", "two 1", "two 2"]
"""What computing the study with three batches logs, sorted."""


def with_study(root: Path) -> Toy:
    """Return a toy repository with the third group, whose checks, figures and notebook read a
    study.
    """
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
    toy.write(
        f"config/{profile}.toml",
        f"one_process = true\nnotebooks = false\n[groups.gamma]\nbatches = {count}\n",
    )


def tree(folder: Path, kind: str = ".json") -> dict[str, bytes]:
    """Return the files of a kind below a folder with their bytes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob(f"*{kind}"))
    }


class Session:
    """A toy repository with a driver on it, in this process; `said` is what the last command
    printed.
    """

    def __init__(self, toy: Toy, monkeypatch) -> None:
        self.toy = toy
        self.said = ""
        monkeypatch.chdir(toy.root)
        # lines that come with time are asked for where they are tested
        monkeypatch.setattr(console, "BEAT", 3600.0)
        monkeypatch.setattr(os, "fsync", lambda _: None)  # nobody cuts the power here
        monkeypatch.setenv("PYTHONPATH", toy.environment()["PYTHONPATH"])

    def command(self, work, terminal=None, **options):
        screen = Console(
            file=(stream := io.StringIO()),
            width=400,
            force_terminal=terminal,
            force_interactive=terminal,
        )
        try:
            return work(RunOptions(**{"profile": Profile.QUICK} | options), screen)
        finally:
            self.said = stream.getvalue()

    def run(self, **options):
        return self.command(driver.reproduce, **options)

    def check(self, **options):
        return self.command(driver.check_results, **options)

    def rows(self, profile="quick"):
        return self.toy.rows(profile)

    def computed(self):
        return {name for name, row in self.rows().items() if row["computed"] == "computed"}


def after_a_run(toy: Toy) -> Callable[[], None]:
    """Run a toy, and return a function that makes its files again what they are then."""
    with pytest.MonkeyPatch.context() as patch:
        assert Session(toy, patch).run() == 0
    return toy.snapshot()


def do_job(toy: Toy, work: str, *more: str) -> int:
    """Do a job of the profile `cpu` in this process; return its exit code."""
    return job.main(
        [
            work,
            "--root",
            str(toy.root),
            "--profile",
            "cpu",
            "--out",
            str(toy.root / "results"),
            *more,
        ]
    )


def reproduce(toy: Toy, monkeypatch, **options) -> tuple[int, str]:
    """Run the driver in this process; return its exit code and what it printed."""
    session = Session(toy, monkeypatch)
    return session.run(**options), session.said
