"""The action for pull requests: two commits judged beside each other, a comment, an exit code."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from samplercheck import beside

ACTION = Path(__file__).parents[2] / ".github" / "actions" / "conform"
HEUN = (Path(__file__).parent / "example_repo" / "heun.py").read_text(encoding="utf-8")
WRONG = HEUN.replace("+ (ahead - denoiser(ahead, b)) / b) / 2", "+ (ahead - denoiser(ahead, b)) / a) / 2")


@pytest.fixture
def repository(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository with Heun's method in its first commit, and programs that stand for pip, gh and the kit.

    The kit tests each text of a file once, for all tests here.
    """
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in {
        "samplercheck": f'told={tmp_path_factory.getbasetemp()}/$(cksum <heun.py | cut -d" " -f1); [ -f $told.code ] ||'
        f' {{ {sys.executable} -m samplercheck "$@" >$told; echo $? >$told.code; }}; cat $told; exit $(cat $told.code)',
        "python": f'exec {sys.executable} "$@"',
        "gh": f'printf "%s\\n" "$*" >{tmp_path}/gh; while [ $# -gt 1 ]; do shift; done; cat "$1" >>{tmp_path}/gh',
    }.items():
        (programs / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        (programs / name).chmod(0o755)
    project = tmp_path / "project"
    project.mkdir()
    (project / "heun.py").write_text(HEUN, encoding="utf-8")
    for command in ("init -q", "add .", "-c user.name=a -c user.email=a@b commit -qm first"):
        subprocess.run(["git", *command.split()], cwd=project, check=True)
    return project


def judged(project: Path) -> tuple[int, str, str]:
    """Run the action's script in the working tree against its last commit: exit code, what it prints, what gh got."""
    base = subprocess.run(["git", "rev-parse", "HEAD"], cwd=project, capture_output=True, text=True, check=True)
    tmp = project.parent
    asked = {"SAMPLERS": "heun.py:sample --network denoiser --order 2", "INSTALL": "true", "PULL_REQUEST": "7"}
    environment = {**os.environ, **asked, "BASE": base.stdout.strip(), "PATH": f"{tmp / 'bin'}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", ACTION / "conform.sh"], cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, (tmp / "gh").read_text(encoding="utf-8")


def test_a_method_that_is_worse_fails_with_the_weight_to_look_at(repository: Path) -> None:
    (repository / "heun.py").write_text(WRONG, encoding="utf-8")
    code, printed, commented = judged(repository)
    assert code == 1
    assert "| holds → refuted |" in printed and "weight of" in printed and "**worse**" in printed
    assert commented.startswith("pr comment 7 ") and printed.strip() in commented
    assert (repository / "heun.py").read_text(encoding="utf-8") == WRONG  # the working tree is left as it is


def test_a_method_that_is_the_same_passes(repository: Path) -> None:
    code, printed, _ = judged(repository)
    assert code == 0 and "Nothing changed." in printed and "of 2 |" in printed


@pytest.mark.parametrize(("verdict", "code"), [("holds", 0), ("refuted", 1)])
def test_a_new_sampler_is_worse_if_it_is_refuted(
    tmp_path: Path, verdict: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    report = dict.fromkeys(("order", "stated_order", "limit", "first")) | {"name": "x", "verdict": verdict, "why": "so"}
    (tmp_path / "base.json").write_text("[]", encoding="utf-8")
    (tmp_path / "head.json").write_text(json.dumps(report), encoding="utf-8")
    assert beside.main([str(tmp_path / "base.json"), str(tmp_path / "head.json")]) == code
    assert f"| x | {verdict} |" in capsys.readouterr().out
