"""Each house keeps to its budget; what a code line is; files in git are few."""

import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.verdicts.toy import REPOSITORY
from tools import mass
from tools.mass import Mass, code_lines, houses

FILES = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["tracked-files"]
TEXT = '''"""A module."""

import os
from sys import (
    path,  # a comment in an import
)

# a comment
def one():
    """Say.

    More.
    """
    return """text
    of two lines"""  # code


class Two:
    "Its docstring."

    x = "no docstring"
    "a text that is code"
'''


def test_a_code_line_is_not_blank_no_comment_no_docstring_and_no_import() -> None:
    assert code_lines(TEXT) == 6
    assert code_lines("") == 0 and code_lines("x = 1\n\n# y\n") == 1


def test_every_house_keeps_to_its_budget() -> None:
    above = [house for house in houses(REPOSITORY) if not 0 < house.lines <= house.limit >= house.target]
    assert above == [], "python -m tools.mass"


def test_every_package_has_a_budget() -> None:
    packages = {path.parent.relative_to(REPOSITORY).as_posix() for path in REPOSITORY.glob("src/*/__init__.py")}
    budgets = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["budgets"]
    of_houses = {place for budget in budgets.values() for place in budget["of"]}
    assert {*packages, "analysis", "experiments", "related", "beyond", "survey", "tools", "tests"} <= of_houses


def test_files_in_git_are_few() -> None:
    done = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("no checkout with git")
    assert len(done.stdout.splitlines()) <= FILES["limit"]


def test_a_house_above_its_budget_is_1_and_named(tmp_path: Path, monkeypatch, capsys) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one/a.py").write_text("x = 1\ny = 2\n")
    (tmp_path / "two.py").write_text("z = 3\n")
    of = '[tool.budgets]\none = { of = ["one", "two.py"], limit = LIMIT, target = 2 }\n'
    monkeypatch.setattr(mass, "ROOT", tmp_path)
    for limit, code, end in ((3, 0, "code lines of 3, target 2"), (2, 1, "code lines of 2  ABOVE ITS BUDGET")):
        (tmp_path / "pyproject.toml").write_text(of.replace("LIMIT", str(limit)))
        assert Mass()() == code
        assert capsys.readouterr().out.rstrip().endswith(end)
