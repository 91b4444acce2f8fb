"""The kit in a repository of somebody else's: cases of pytest, and the action for pull requests.

Each verdict comes to a case that passes, fails or is skipped. The action judges two commits beside each other, and ends
with a comment and an exit code.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from samplercheck import beside, pytest_plugin, report
from samplercheck.affine_map import AFFINE
from samplercheck.invariants import SINGLE, TIGHT
from samplercheck.report import HOLDS, INCONCLUSIVE, REFUTED, Judgement
from samplercheck.stated_levels import ALLOWED

pytest_plugins = ["pytester"]
DOCS = Path(__file__).resolve().parents[2] / "docs/sampler_reference.md"


def test_a_repository_of_somebody_else(pytester: pytest.Pytester) -> None:
    shutil.copytree(Path(__file__).parent / "example_repo", pytester.path, dirs_exist_ok=True)
    done = pytester.runpytest_inprocess("-v", "-rs", "-p", "no:cacheprovider", "--import-mode=prepend")
    assert done.ret == 0 and done.parseoutcomes()["passed"] >= 12
    done.stdout.fnmatch_lines(["*test_heun.py::test_conformance?order on the mixture? PASSED*"])


def test_the_docs_have_every_check_with_its_threshold() -> None:
    rows = re.findall(r"^\| ([a-z0-9 ]+) \|.*\| (.*) \|$", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert {name for name, _ in rows} >= {*pytest_plugin.CHECKS}
    stated = {"limit": report.LIMIT, "end": report.END, "start": report.START, "order": report.ORDER_SHORT}
    stated |= {
        "affine": AFFINE,
        "distribution on the mixture": report.TRANSPORTED,
        "error on the mixture": report.FAR,
    }
    stated |= {"rotation": TIGHT, "float32": SINGLE, "levels": ALLOWED}
    for checks, cause in report.CAUSES.items():
        first = ", with each step right" if checks == ("order",) else ""
        assert re.search(
            rf"^\| {', '.join(checks)}{first} \|.*\| {re.escape(cause)} \|$", DOCS.read_text(), re.MULTILINE
        )
    for name, value in stated.items():
        assert f"{value:g}".replace("e-0", "e-") in dict(rows)[name], name


@pytest.mark.parametrize(
    ("case", "outcome", "words"),
    [
        ("limit", None, ""),
        ("order", pytest.fail.Exception, "mine: order: measured 1.00"),
        ("affine", pytest.skip.Exception, "inconclusive: mine: affine: by 0.1"),
        ("evaluations", pytest.skip.Exception, "not made: none is stated"),
        ("others", pytest.fail.Exception, "mine: a new check: off"),
    ],
)
def test_a_case_ends_as_its_check(monkeypatch, case: str, outcome: type[BaseException] | None, words: str) -> None:
    made = [("limit", HOLDS, ""), ("order", REFUTED, "measured 1.00"), ("affine", INCONCLUSIVE, "by 0.1")]
    judgements = [Judgement(*each) for each in [*made, ("a new check", REFUTED, "off")]]
    mine = SimpleNamespace(name="mine", judgements=judgements, not_made={"evaluations": "none is stated"})
    monkeypatch.setattr(pytest_plugin, "conform", lambda tested: mine)
    checks = {each.id: each.values[0] for each in pytest_plugin.conformance_cases(None)}
    if outcome is None:
        return checks[case]()
    with pytest.raises(outcome) as ended:
        checks[case]()
    assert words in str(ended.value)


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
