"""The library alone: `ams conform` and `ams replay` work where what the suite needs beside it
cannot be imported.
"""

import re
import subprocess
import tomllib
from importlib import import_module
from pathlib import Path

from setuptools import find_packages

from ams.lacking import BASE
from tests.docs.test_recipes import blocks
from tests.verdicts.toy import REPOSITORY, Toy

BLOCKED = """
import sys

sys.modules |= dict.fromkeys({blocked})
from ams_suite.__main__ import main

sys.exit(main({arguments}))
"""
# What the extra `suite` names, and what comes with it
SUITE = {
    *("pydantic", "pydantic_core", "jinja2", "markupsafe", "matplotlib", "PIL", "sklearn"),
    *("jupytext", "mistune", "nbformat", "IPython", "latex2mathml"),
    *("networkx", "psutil", "pygments", "flint"),
    *("safetensors", "typst", "yaml", "analysis", "experiments", "related", "beyond", "survey"),
}


# What the conformance kit does not need either: the rest of the library's own, and what pytest
# cases need
KIT = {"sympy", "pooch", "requests", "pytest", "hypothesis", "tqdm", "altair"}


def alone(
    tmp_path: Path, *arguments: str, blocked: set[str] = SUITE
) -> subprocess.CompletedProcess[str]:
    """Run the command line, in a process of its own, without the modules of the suite."""
    return Toy(tmp_path, "").python(
        "-c", BLOCKED.format(blocked=blocked, arguments=list(arguments))
    )


def test_replay(tmp_path):
    done = alone(tmp_path, "replay", str(REPOSITORY / "tests/golden/ncsn_a.npz"))
    assert done.returncode == 0, done.stderr
    assert "ncsn_a.npz" in done.stdout


def test_conform_on_the_sampler_of_the_docs(tmp_path):
    """With torch, NumPy, SciPy, tyro, rich and jaxtyping alone, the page's adapter gives the page's
    verdict.
    """
    files, _ = blocks("../sampler_adapters.md")
    (tmp_path / "my_sampler.py").write_text(files["my_sampler.py"], encoding="utf-8")
    done = alone(tmp_path, "conform", "my_sampler.py:mine", blocked=SUITE | KIT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("my Heun 1.0: holds")


def test_conform_names_a_base_dependency_that_is_missing(tmp_path):
    done = alone(tmp_path, "conform", "ams:Heun ODE", blocked=SUITE | {"jaxtyping"})
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert done.stderr.endswith(" needs jaxtyping: python -m pip install jaxtyping\n")


def test_the_base_dependencies_are_those_of_the_package():
    listed = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["dependencies"]
    assert [re.match(r"[\w-]+", each)[0] for each in listed] == list(BASE)


def test_the_wheel_has_all_of_the_library_and_the_kit_and_nothing_else():
    """With torch, NumPy and SciPy it needs three packages."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    where = project["tool"]["setuptools"]["packages"]["find"]
    packed = find_packages(REPOSITORY / "src", where["exclude"], where["include"])
    files = [
        file
        for name in ("ams", "samplercheck")
        for file in (REPOSITORY / "src" / name).rglob("*.py")
    ]
    assert {*packed} == {
        ".".join(file.parent.relative_to(REPOSITORY / "src").parts) for file in files
    }
    assert len({*BASE} - {"torch", "numpy", "scipy"}) <= 3
    module, _, name = project["project"]["scripts"]["samplercheck"].partition(":")
    assert callable(getattr(import_module(module), name))


def test_a_command_of_the_suite_says_what_it_needs(tmp_path):
    done = alone(tmp_path, "reproduce")
    assert done.returncode == 2 and done.stderr.startswith("ams: reproduce needs ")
    assert done.stderr.endswith(": pip install '.[suite]'\n") and done.stderr.count("\n") == 1


def test_help_and_an_unknown_command(tmp_path):
    assert alone(tmp_path, "--help").returncode == 0
    done = alone(tmp_path, "replya")
    assert (done.returncode, done.stderr) == (
        2,
        "ams: unknown command 'replya': did you mean replay?\n",
    )
