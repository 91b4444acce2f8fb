"""The command line of `reproduce.sh`, and what it hands over."""

from dataclasses import fields
from pathlib import Path

import pytest

from ams_suite.commands import Certify, Reproduce

pytestmark = pytest.mark.shell


@pytest.fixture
def complete(checkout):
    """A checkout beside an active Python that satisfies the requirements."""
    checkout.python(complete=True)
    return checkout


def test_the_active_python_is_used_as_it_is(complete) -> None:
    given = ["--only", "P1", "alpha", "--force=P1", "--profile", "full", "--jobs", "2", "-v", "--fetch"]
    done = complete.run(*given, PYTHONPATH="/users/own", AMS_EXIT="3")
    assert done.err == "", "what needs no work is not told"
    assert (done.code, done.child["arguments"]) == (3, ["reproduce", *given])
    assert (done.child["python"], done.child["cwd"]) == (str(complete.bin / "python3"), str(complete.root))
    assert done.child["PYTHONPATH"] == f"{complete.root}/src:{complete.root}:/users/own"
    assert (done.child["OMP_NUM_THREADS"], done.child["AMS_SETUP_SECONDS"]) == ("1", None)
    assert not complete.venv.exists()


def test_an_active_python_without_pytest_runs_no_tests(complete) -> None:
    real, lacking = (complete.bin / "python3").read_text(), 'case "$*" in *" suite test") exit ;; esac'
    complete.stub("python3", real.replace("\n", f"\n{lacking}\n", 1))
    assert complete.run("test", "-q").out == "pytest: -m pytest -q\n" and complete.venv.exists()


def test_the_child_is_told_what_the_set_up_took(complete) -> None:
    assert int(complete.run(SECONDS="7").child["AMS_SETUP_SECONDS"]) >= 7, "which bash takes for its own clock"


@pytest.mark.parametrize(
    ("given", "handed"),
    [
        (["certify", "--minutes", "5"], ["certify", "--minutes", "5"]),
        (["docs", "--offline", "--site", "a b"], ["docs", "--site", "@/a b"]),
        (["bench", "--out=a b", "--list"], ["reproduce", "--profile", "bench", "--out=@/a b", "--list"]),
        (["--list", "--out", "a b", "--strict"], ["reproduce", "--list", "--out", "@/a b", "--strict"]),
        (["--out", "/a", "--check"], ["reproduce", "--out", "/a", "--check"]),
        (["--out="], ["reproduce", "--out="]),
    ],
)
def test_a_path_is_relative_to_the_caller(complete, tmp_path: Path, given: list[str], handed: list[str]) -> None:
    done = complete.run(*given, cwd=tmp_path)
    assert done.child["arguments"] == [word.replace("@", str(tmp_path)) for word in handed]
    assert done.child["AMS_OFFLINE"] == ("1" if "--offline" in given else None)


def test_help_needs_no_python(checkout) -> None:
    (checkout.bin / "python3").unlink()
    done = checkout.run("--profile", "quick", "--help")
    assert done.code == 0 and checkout.run("certify", "-h").out == done.out
    options = {option.name.replace("_", "-") for command in (Reproduce, Certify) for option in fields(command)}
    assert all(f" --{option} " in done.out for option in options | {"site"}), "else it would be refused"


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (["figures"], "'figures' is not known: 'certify', 'test', 'lint', 'bench', 'docs' or options are expected"),
        (["--profil", "quick"], "unknown option --profil; see --help"),
        (["certify", "--minute=5"], "unknown option --minute=5; see --help"),
        (["bench", "--out", "x", "-w"], "unknown option -w; see --help"),
    ],
)
def test_an_unknown_word_is_refused_before_an_environment_is_made(checkout, given: list[str], line: str) -> None:
    done = checkout.run(*given)
    assert (done.code, done.err.count("\n"), done.err.startswith(f"reproduce.sh: {line}")) == (2, 1, True)
    assert not checkout.venv.exists()


def test_tests_get_their_own_arguments_but_offline(complete) -> None:
    done = complete.run("test", "-k", "law and not slow", "--offline", "tests/laws")
    assert done.out == "pytest: -m pytest -k law and not slow tests/laws\n"
    assert complete.run("test").out == "pytest: -m pytest -n auto --maxprocesses 4 --dist loadfile\n"


@pytest.mark.parametrize(("failing", "called"), [("mypy", 3), ("lint-imports", 4)])
def test_lint_stops_at_the_first_complaint(complete, failing: str, called: int) -> None:
    for tool in ("ruff", "mypy", "lint-imports"):
        complete.stub(tool, f'echo {tool} "$@"; [ {tool} != {failing} ]')
    done = complete.run("lint")
    calls = ["ruff check .", "ruff format --check .", "mypy", "lint-imports --no-cache"]
    assert (done.code, done.out.splitlines(), done.err) == (1, calls[:called], "")


def test_another_shell_hands_over_to_bash(complete) -> None:
    done = complete.run(command=[str(complete.bin / "sh"), str(complete.root / "reproduce.sh"), "--list"])
    assert done.child["arguments"] == ["reproduce", "--list"]


def test_a_script_without_its_checkout_says_so(complete) -> None:
    (complete.root / "pyproject.toml").unlink()
    done = complete.run()
    assert (done.code, "has no pyproject.toml: run this script in a whole checkout" in done.err) == (2, True)
