"""The files that name the requirements agree with one another."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
BASE = [Requirement(line) for line in PROJECT["dependencies"] + EXTRAS["suite"]]
ON_CONDA = {"torch": "pytorch", "matplotlib": "matplotlib-base"}
LEFT_TO_PIP = {"snakemake", "latex2mathml", "typst", "efficientnet-lite-pytorch"}


def pins() -> dict[str, Requirement]:
    lines = (REPOSITORY / "constraints.txt").read_text().splitlines()
    wanted = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(pin.name): pin for pin in wanted}


def test_every_requirement_is_pinned_within_its_range_and_torch_is_not() -> None:
    for wanted in BASE + [Requirement(line) for extra in ("test", "paper") for line in EXTRAS[extra]]:
        pin = next(iter(pins()[canonicalize_name(wanted.name)].specifier))
        assert (pin.operator == "==") == (wanted.name != "torch"), wanted
        assert pin.operator != "==" or wanted.specifier.contains(pin.version), wanted


def test_conda_is_asked_for_the_same_ranges() -> None:
    *listed, pip = yaml.safe_load((REPOSITORY / "environment.yml").read_text())["dependencies"]
    assert pip == {"pip": ["-e .[suite]"]}, "which adds the rest, so that the environment satisfies"
    for wanted in BASE:
        name = canonicalize_name(wanted.name)
        entry = f"{ON_CONDA.get(name, name)} {wanted.specifier}"
        assert (entry in listed) == (name not in LEFT_TO_PIP), entry


def test_the_oldest_python_is_the_same_everywhere() -> None:
    script = (REPOSITORY / "reproduce.sh").read_text()
    assert PROJECT["requires-python"] == ">=3.11"
    assert set(re.findall(r"(3\.\d+) or later", script)) == {"3.11"}
    assert "for PYTHON in python3 python3.13 python3.12 python3.11 python; do" in script
    assert "- python >=3.11," in (REPOSITORY / "environment.yml").read_text()


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
@pytest.mark.parametrize("script", ["reproduce.sh", ".ci/run", ".ci/bounds"])
def test_shellcheck_is_content(script: str) -> None:
    done = subprocess.run(["shellcheck", "-x", REPOSITORY / script], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
