"""A third group for the toy repository, `gamma`, whose checks, figures and notebook read a study."""

from pathlib import Path
from typing import Any

from tests.verdicts.toy import Toy
from verdicts.claims.schema import Group
from verdicts.records.workspace import Workspace
from verdicts.run.checks import Checks
from verdicts.studies.cells import Cell
from verdicts.studies.study import cells_of

CLAIMS = """
[group]
title = "Third group"
part = "suite"
order = 1

[[claim]]
id = "C1"
title = "The mean energy is one and an eighth"
statement = "text"
source = { kind = "proved here", where = "here" }
evidence = "experiment"
expected = "holds"
profiles = ["quick", "cpu"]
falsifier = "tests/test_toy.py::test_one"
  [[claim.check]]
  id = "C1.energy"
  quantity = "mean energy"
  relation = "="
  bound = 1.125
  tolerance = 0.0
  origin = "algebra"

[[claim]]
id = "C2"
title = "One evaluation"
statement = "text"
source = { kind = "proved here", where = "here" }
evidence = "experiment"
expected = "holds"
profiles = ["quick", "cpu"]
falsifier = "tests/test_toy.py::test_one"
  [[claim.check]]
  id = "C2.evaluations"
  quantity = "evaluations"
  relation = "="
  bound = 1.0
  tolerance = 0.0
  origin = "algebra"
"""
SETTINGS = """
from pydantic import BaseModel, PositiveInt


class Settings(BaseModel):
    batches: PositiveInt = 3
"""
STUDY = """
from pathlib import Path
from typing import NamedTuple

from verdicts.studies import cell
from {package}.common import ONE


class Outcome(NamedTuple):
    energy: float
    evaluations: int


def log(line):
    with Path(__file__).with_name("calls.txt").open("a") as stream:
        stream.write(line + "\\n")


@cell
def start(sampler: str) -> float:
    log(f"start {sampler}")
    return ONE


@cell
def outcome(sampler: str, batch: int) -> Outcome:
    log(f"{sampler} {batch}")
    return Outcome(start(sampler) + batch / 8, batch + 1)


def cells(settings):
    for sampler in ("one", "two"):
        yield from (outcome.cell(sampler, batch) for batch in range(settings.batches))
"""
CHECKS = """
from verdicts import Measurement, check
from {package}.gamma.settings import Settings
from {package}.gamma.study import outcome


@check("C1.energy")
def mean_energy(settings: Settings) -> Measurement:
    energies = [outcome("one", batch).energy for batch in range(settings.batches)]
    return Measurement(value=sum(energies) / len(energies), n=len(energies))


@check("C2.evaluations")
def evaluations(settings: Settings) -> Measurement:
    return Measurement(value=outcome("two", 0).evaluations)
"""
FIGURES = """
from verdicts import Table
from {package}.gamma.study import outcome


def tables(settings):
    rows = tuple((batch, outcome("two", batch).energy) for batch in range(settings.batches))
    return [Table(id="energies", caption="energies", header=("batch", "energy"), rows=rows, claims=("C1",))]
"""
MODULES = {"settings": SETTINGS, "study": STUDY, "checks": CHECKS, "figures": FIGURES}
ALL = ["one 0", "one 1", "one 2", "start one", "start two", "two 0", "two 1", "two 2"]
"""What computing the study with three batches logs, sorted."""


def with_study(root: Path) -> Toy:
    """Return a toy repository with the third group."""
    toy = Toy.make(root)
    toy.write(f"{toy.package}/gamma/claims.toml", CLAIMS)
    for name, text in MODULES.items():
        toy.write_module(f"gamma/{name}", text.replace("{package}", toy.package))
    return toy


def restore(toy: Toy, name: str) -> None:
    """Write a module of the third group as it was, and let the next import in this process see it."""
    toy.write_module(f"gamma/{name}", MODULES[name].replace("{package}", toy.package))
    toy._forget()


def calls(toy: Toy) -> list[str]:
    """Return what was computed since the last call, sorted."""
    path = toy.root / toy.package / "gamma" / "calls.txt"
    lines = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return sorted(lines)


def gamma(workspace: Workspace) -> Group:
    """Return the third group."""
    return next(group for group in workspace.claims.group if group.id == "gamma")


def listed(workspace: Workspace) -> list[Cell[Any]]:
    """Return the cells of its study."""
    return cells_of(gamma(workspace), Checks.load(workspace, gamma(workspace)).settings)


def set_batches(toy: Toy, count: int, profile: str = "quick") -> None:
    """Let the study have so many batches."""
    toy.write(f"config/{profile}.toml", f"one_process = true\nnotebooks = false\n[groups.gamma]\nbatches = {count}\n")


def tree(folder: Path, kind: str = ".json") -> dict[str, bytes]:
    """Return the files of a kind below a folder with their bytes."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob(f"*{kind}"))}
