"""A small repository with claims of its own, for tests of the ledger and the runner: two groups, no torch.

Every toy has its own package of checks, so that toys do not meet in Python's memory.
"""

import importlib
import itertools
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ams_suite.project import PROJECT
from verdicts.claims.schema import Profile
from verdicts.records.workspace import Workspace

REPOSITORY = Path(__file__).resolve().parents[2]
NUMBERS = itertools.count()

OUTLINE = """
subject = "a toy"
rooms = ["{package}"]

[[part]]
id = "theory"
title = "Theory"

[[part]]
id = "suite"
title = "The suite itself"

[[claim]]
id = "P1"
text = "One is one"

[[claim]]
id = "P2"
text = "Two is small"
"""

ALPHA_CLAIMS = """
[group]
title = "First group"
part = "theory"

[[claim]]
id = "A1"
title = "One is one"
statement = "$1 = 1$"
source = { kind = "proved here", where = "here" }
evidence = "algebra"
expected = "holds"
profiles = ["quick", "cpu", "gpu"]
falsifier = "tests/test_toy.py::test_one"
  [[claim.check]]
  id = "A1.one"
  quantity = "one"
  relation = "="
  bound = 1.0
  tolerance = 1e-12
  origin = "rounding"

[[claim]]
id = "A2"
title = "Two is at most one"
statement = "$2 \\\\le 1$"
source = { kind = "abstract", where = "there" }
evidence = "exact law"
expected = "refuted"
profiles = ["quick", "cpu", "gpu"]
falsifier = "tests/test_toy.py::TestToy::test_two"
  [[claim.check]]
  id = "A2.two"
  quantity = "two"
  relation = "<="
  bound = 1.0
  tolerance = 0.0
  origin = "stated margin: none"
"""

BETA_CLAIMS = """
[group]
title = "Second group"
part = "suite"

[[claim]]
id = "B1"
title = "Three is at least one"
statement = "$3 \\\\ge 1$"
source = { kind = "authors' code", where = "beyond" }
evidence = "Monte Carlo"
expected = "holds"
profiles = ["quick", "cpu", "gpu"]
falsifier = "tests/test_toy.py::test_one"
  [[claim.check]]
  id = "B1.three"
  quantity = "three"
  relation = ">="
  bound = 1.0
  tolerance = 0.0
  origin = "algebra"

[[claim]]
id = "B2"
title = "Only at length"
statement = "text"
source = { kind = "related paper", where = "table 1" }
evidence = "experiment"
expected = "holds"
profiles = ["cpu"]
falsifier = "tests/test_toy.py::test_one"
  [[claim.check]]
  id = "B2.four"
  quantity = "four"
  relation = "="
  bound = 4.0
  tolerance = 0.0
  origin = "algebra"
"""

ALPHA_SETTINGS = """
from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    steps: int = 3
"""

ALPHA = """
from verdicts import Measurement, check
from {package}.alpha.settings import Settings
from {package}.common import ONE


@check("A1.one")
def one(settings: Settings) -> Measurement:
    return Measurement(value=ONE, seeds=(1, 2), n=settings.steps)


@check("A2.two")
def two(settings: Settings) -> Measurement:
    return Measurement(value=2 * ONE, low=1.9, high=2.1)
"""

ALPHA_FIGURES = """
from verdicts import Figure, Table, save_figure
from {package}.common import ONE


def figures(settings, folder):
    from matplotlib import pyplot

    drawing, axes = pyplot.subplots(figsize=(2, 1))
    axes.plot([0, ONE])
    return [save_figure(drawing, folder, "line", "a line, $y = x$", ["A1"])]


def tables(settings):
    return [Table(id="numbers", caption="numbers", header=("n", "value"), rows=((1, ONE), (2, 2.5)), claims=("A1",))]
"""

BETA_SETTINGS = """
from pydantic import BaseModel


class Settings(BaseModel):
    steps: int = 3
"""

BETA = """
from verdicts import Measurement, Unavailable, check


@check("B1.three")
def three(settings):
    return Measurement(value=3)


@check("B2.four")
def four(settings):
    return Measurement(value=4)
"""

MODULES = {
    "common": "ONE = 1.0\n",
    "alpha/settings": ALPHA_SETTINGS,
    "alpha/checks": ALPHA,
    "alpha/figures": ALPHA_FIGURES,
    "beta/settings": BETA_SETTINGS,
    "beta/checks": BETA,
}

TESTS = """
def test_one(): ...

class TestToy:
    def test_two(self): ...
"""


@dataclass(frozen=True)
class Toy:
    """The repository at `root`, whose modules of checks lie in `package`."""

    root: Path
    package: str

    @classmethod
    def make(cls, root: Path) -> Self:
        toy = cls(root, f"toy{next(NUMBERS)}_{os.getpid()}")
        toy.write("paper/outline.toml", OUTLINE.replace("{package}", toy.package))
        toy.write(f"{toy.package}/alpha/claims.toml", ALPHA_CLAIMS)
        toy.write(f"{toy.package}/beta/claims.toml", BETA_CLAIMS)
        toy.write("config/quick.toml", "one_process = true\nnotebooks = false\n[groups.alpha]\nsteps = 3\n")
        toy.write("config/cpu.toml", "[resources]\ndefault = { threads = 1, mem_mb = 100, runtime = 1 }\n")
        toy.write("tests/test_toy.py", TESTS)
        for name in MODULES:
            toy.restore_module(name)
        for name in ("Snakefile", "paper/paper.typ"):
            shutil.copy(REPOSITORY / name, root / name)
        return toy

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def write_module(self, name: str, text: str) -> Path:
        return self.write(f"{self.package}/{name}.py", text)

    def restore_module(self, name: str) -> None:
        """Write a module of checks as it was, and let the next import in this process see it."""
        self.write_module(name, MODULES[name].replace("{package}", self.package))
        self._forget()

    def _forget(self) -> None:
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
        self._forget()

    def replace_in_claims(self, group: str, old: str, new: str) -> None:
        self.replace(f"{self.package}/{group}/claims.toml", old, new)

    def add_notebook(self, group: str, text: str, kind: str = "md") -> Path:
        return self.write(f"{self.package}/{group}/notebook.{kind}", text)

    def workspace(self, profile: str = "quick") -> Workspace:
        return Workspace.open(self.root, Profile(profile), None, PROJECT)

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
        command = [sys.executable, "-m", "ams_suite", *arguments]
        return subprocess.run(
            command, cwd=self.root, env=self.environment(), capture_output=True, text=True, timeout=120, check=False
        )
