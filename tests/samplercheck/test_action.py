"""The action for pull requests: it judges two commits beside each other, and ends with a comment
and an exit code.

Most situations have a stand-in for the kit, a program that reads from a file what it is to print
and how it is to end. What the kit itself does of samplers that raise, hang or leave stands in
`test_processes`.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.samplercheck.test_policy import RIGHT

ACTION = Path(__file__).parents[2] / ".github" / "actions" / "conform"
HEUN = (Path(__file__).parent / "example_repo" / "heun.py").read_text(encoding="utf-8")
WRONG = HEUN.replace(
    "+ (ahead - denoiser(ahead, b)) / b) / 2", "+ (ahead - denoiser(ahead, b)) / a) / 2"
)
STATED = {
    "PULL_REQUEST": "7",
    "GH_TOKEN": "secret",
    "GITHUB_TOKEN": "secret",
    "GITHUB_PATH": "later",
}
STAND_IN = """
import json, os, sys
assert not {"GH_TOKEN", "GITHUB_TOKEN", "GITHUB_PATH"} & {*os.environ}, "the code has a token"
told = json.load(open("told.json"))
print("installed \\x1b[31m", file=sys.stderr)
if "--expected" in sys.argv:
    told = told["expected"]
print(told["out"] if isinstance(told["out"], str) else json.dumps(told["out"]))
sys.exit(told["code"])
"""


def report(
    name: str = "a", verdict: str = "holds", order: float = 2.0, **others: Any
) -> dict[str, Any]:
    """Return what the kit writes of a sampler, in short."""
    measured = {"value": order, "low": order - 0.1, "high": order + 0.1}
    empty: dict[str, Any] = dict.fromkeys(("curve", "limit", "stated_order", "first")) | {
        "judgements": [],
        "w2": {},
        "order": measured,
    }
    return empty | {
        "schema": 1,
        "asked": name,
        "name": name,
        "verdict": verdict,
        "why": "so",
        **others,
    }


def raised(name: str = "a") -> dict[str, Any]:
    return {
        "schema": 1,
        "asked": name,
        "name": name,
        "verdict": "raised",
        "why": "raised Error: \x1b[2Jno",
    }


def judged_as(verdict: str) -> list[dict[str, str]]:
    return [{"check": "limit", "verdict": verdict, "why": "W2"}]


def told(*reports: dict[str, Any], code: int = 0) -> dict[str, Any]:
    return {"out": reports[0] if len(reports) == 1 else list(reports), "code": code}


GONE, THREE = {"out": "", "code": 2}, [report(name) for name in "abc"]
SITUATIONS: dict[str, tuple[Any, Any, int, str]] = {
    "the same": (told(report()), told(report()), 0, "Nothing changed."),
    "raises": (
        told(report()),
        told(raised(), code=3),
        1,
        "**worse**, a: cannot be judged: raised Error: no",
    ),
    "raises in both": (told(raised(), code=3), told(raised(), code=3), 1, "No sampler was judged."),
    "is gone": (told(report()), GONE, 1, "**worse**, a: no longer judged"),
    "never was": (GONE, GONE, 1, "No sampler was judged."),
    "one of three raises": (
        told(*THREE),
        told(*THREE[:2], raised("c"), code=3),
        1,
        "worse**, c: cannot be judged",
    ),
    "one of three is gone": (told(*THREE), told(*THREE[:2]), 1, "**worse**, c: no longer judged"),
    "no samplers": (told(report()), told(), 1, "No sampler was judged."),
    "the kit is killed": (told(report()), {"out": "[{", "code": 137}, 1, "No sampler was judged."),
    "prints into the JSON": (told(report()), {"out": "loading [1/2]", "code": 0}, 2, ""),
    "another schema": (told(report()), told(report(schema=2)), 2, ""),
    "the base is broken": (
        told(raised(), code=3),
        told(report()),
        0,
        "nothing was judged in the base",
    ),
    "the base is broken, the head too": (
        GONE,
        told(report(verdict="refuted"), code=1),
        1,
        "**worse**, a: new",
    ),
    "the base is absent": (None, told(report()), 0, "nothing was judged in the base"),
    "a new sampler": (told(report()), told(report(), report("b")), 0, "- b: new"),
    "a new one is refuted": (
        told(report()),
        told(report(), report("b", "refuted"), code=1),
        1,
        "**worse**, b: new",
    ),
    "a new one raises": (
        told(report()),
        told(report(), raised("b"), code=3),
        1,
        "worse**, b: new, cannot be judged",
    ),
    "a worse verdict": (
        told(report()),
        told(report(verdict="refuted"), code=1),
        1,
        "holds -> refuted",
    ),
    "undecided now": (
        told(report()),
        told(report(verdict="inconclusive"), code=4),
        1,
        "holds -> inconclusive",
    ),
    "a worse order": (told(report()), told(report(order=1.0)), 1, "[1.90, 2.10] -> [0.90, 1.10]"),
    "it was refuted": (told(report(verdict="refuted"), code=1),) * 2 + (0, "Nothing changed."),
    "mended": (told(report(verdict="refuted"), code=1), told(report()), 0, "refuted -> holds"),
    "mended, no more": (
        told(report(verdict="refuted"), code=1),
        told(report()),
        0,
        "Nothing is worse.",
    ),
    "its name has marks of a table": (told(report("a|b")), told(report("a|b")), 0, "| a/b |"),
    "cannot be installed": (told(report()), "not installed", 1, "No sampler was judged."),
    "an expected failure": (
        told(report(judgements=judged_as("holds"))),
        {
            "expected": told(
                report(judgements=judged_as("expected"), expected={"order": "so"}, order=1.0)
            )
        },
        0,
        "limit: holds -> expected (W2)",
    ),
}


def commit(project: Path, content: Any) -> str:
    """Write what the stand-in is told, commit it, and return the commit."""
    (project / "told.json").write_text(json.dumps(content), encoding="utf-8")
    if isinstance(content, dict) and "expected" in content:
        (project / "expected.toml").touch()
    for command in ("add .", "-c user.name=a -c user.email=a@b commit -qm first", "rev-parse HEAD"):
        done = subprocess.run(
            ["git", *command.split()], cwd=project, check=True, capture_output=True, text=True
        )
    return done.stdout.strip()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a repository, and beside it the programs that the action calls."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (tmp_path / "stand_in.py").write_text(STAND_IN, encoding="utf-8")
    program(tmp_path, "samplercheck", f'exec {sys.executable} -I {tmp_path}/stand_in.py "$@"')
    program(tmp_path, "python", f'exec {sys.executable} "$@"')
    project = tmp_path / "project"
    subprocess.run(["git", "init", "-q", project], check=True)
    return project


def program(folder: Path, name: str, text: str) -> None:
    (folder / "bin" / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    (folder / "bin" / name).chmod(0o755)


def judged(project: Path, base: str, **stated: str) -> subprocess.CompletedProcess[str]:
    """Run the action's script in the working tree against a commit."""
    path = f"{project.parent / 'bin'}:{os.environ['PATH']}"
    environment = {
        **os.environ,
        "SAMPLERS": "a.py:a\n  b.py:b",
        "INSTALL": "true",
        "PATH": path,
        "BASE": base,
        **STATED,
        **stated,
    }
    script, comment = ACTION / "conform.sh", str(project.parent / "comment.md")
    environment["COMMENT"] = comment
    return subprocess.run(
        ["bash", script], cwd=project, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_gate_passes_what_it_could_judge_and_nothing_else(
    project: Path, situation: str
) -> None:
    base, head, code, words = SITUATIONS[situation]
    commit(project, {"out": "", "code": 2} if base is None else base)
    start = "" if base is None else commit(project, {**base, "": 0})
    commit(project, head)
    given = {"INSTALL": 'echo setup; ! grep -q "not installed" told.json'}
    done = judged(
        project,
        start,
        EXPECTED="expected.toml" if (project / "expected.toml").exists() else "",
        **given,
    )
    assert (done.returncode, words in done.stdout) == (code, True), done.stdout + done.stderr
    assert "\x1b" not in done.stdout and "setup" not in done.stdout
    assert (project.parent / "comment.md").read_text(encoding="utf-8") == done.stdout
    worktrees = subprocess.run(
        ["git", "worktree", "list"], cwd=project, capture_output=True, text=True, check=True
    )
    assert len(worktrees.stdout.splitlines()) == 1, "the base's folder is left behind"


def test_what_hangs_is_ended_while_it_is_installed(project: Path) -> None:
    start = commit(project, told(report()))
    done = judged(project, start, INSTALL="sleep 60", TIMEOUT="0.01")
    assert done.returncode == 1 and "not within 0.01 minutes" in done.stderr


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        (HEUN, 0, ("Nothing changed.", "of 2 |")),
        (WRONG, 1, ("| holds → refuted |", "weight of", "**worse**")),
        (
            f"import os\nos._exit(0)\n{HEUN}",
            1,
            ("| holds → raised |", "its process ended with exit code 0"),
        ),
    ],
)
def test_the_kit_itself_behind_the_action(
    project: Path,
    tmp_path_factory: pytest.TempPathFactory,
    text: str,
    code: int,
    words: tuple[str, ...],
) -> None:
    """The kit tests each text of a file once, for both cases here."""
    file, kept = project / "heun.py", tmp_path_factory.getbasetemp()
    kit = (
        f'{sys.executable} -P -m samplercheck "$@" >$told; echo $? >$told.code; }}; cat $told; '
        "exit $(cat $told.code)"
    )
    program(
        project.parent,
        "samplercheck",
        f"told={kept}/$(cksum <heun.py | cut -c1-9); [ -f $told.code ] || {{ {kit}",
    )
    file.write_text(HEUN, encoding="utf-8")
    # it is not taken for the kit
    (project / "samplercheck.py").write_text("1 / 0", encoding="utf-8")
    start = commit(project, {})
    file.write_text(text, encoding="utf-8")
    done = judged(project, start, SAMPLERS="heun.py:sample --network denoiser --order 2")
    assert done.returncode == code and all(each in done.stdout for each in words), done.stderr
    assert file.read_text(encoding="utf-8") == text  # the working tree is left as it is


def test_a_step_that_states_a_density_behind_the_action(project: Path) -> None:
    program(project.parent, "samplercheck", f'exec {sys.executable} -P -m samplercheck "$@"')
    (project / "step.py").write_text(RIGHT, encoding="utf-8")
    start = commit(project, {})
    (project / "step.py").write_text(RIGHT.replace("(2 * std**2)", "std**2"), encoding="utf-8")
    done = judged(project, start, SAMPLERS="step.py:step --policy")
    assert done.returncode == 1 and "| step.py:step | holds → refuted |" in done.stdout
    words = "density: holds -> refuted (the square in log_prob"
    assert f"**worse**, step.py:step: {words}" in done.stdout, done.stderr


def test_the_step_that_judges_has_no_token() -> None:
    steps = (ACTION / "action.yml").read_text(encoding="utf-8").split("\n    - ")
    tokens = ["github.token" in step for step in steps]
    assert sum(tokens) == 1 and not any(
        "conform.sh" in step for step, has in zip(steps, tokens, strict=True) if has
    )
