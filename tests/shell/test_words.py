"""The command line of `reproduce.sh`, what it hands over, and checkouts and environments in odd
places.
"""

import shutil
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest

from ams_suite.commands import Certify, Reproduce
from tests.shell.conftest import REPOSITORY

pytestmark = pytest.mark.shell


@pytest.fixture
def complete(checkout):
    """A checkout beside an active Python that satisfies the requirements."""
    checkout.python(complete=True)
    return checkout


def test_the_active_python_is_used_as_it_is(complete) -> None:
    given = [
        "--only",
        "P1",
        "alpha",
        "--force=P1",
        "--profile",
        "full",
        "--jobs",
        "2",
        "-v",
        "--fetch",
    ]
    done = complete.run(*given, PYTHONPATH="/users/own", AMS_EXIT="3")
    assert done.err == "", "what needs no work is not told"
    assert (done.code, done.child["arguments"]) == (3, ["reproduce", *given])
    assert (done.child["python"], done.child["cwd"]) == (
        str(complete.bin / "python3"),
        str(complete.root),
    )
    assert done.child["PYTHONPATH"] == f"{complete.root}/src:{complete.root}:/users/own"
    assert (done.child["OMP_NUM_THREADS"], done.child["AMS_SETUP_SECONDS"]) == ("1", None)
    assert not complete.venv.exists()


def test_an_active_python_without_pytest_runs_no_tests(complete) -> None:
    real, lacking = (
        (complete.bin / "python3").read_text(),
        'case "$*" in *" suite test") exit ;; esac',
    )
    complete.stub("python3", real.replace("\n", f"\n{lacking}\n", 1))
    assert complete.run("test", "-q").out == "pytest: -m pytest -q\n" and complete.venv.exists()


def test_the_child_is_told_what_the_set_up_took(complete) -> None:
    assert int(complete.run(SECONDS="7").child["AMS_SETUP_SECONDS"]) >= 7, (
        "which bash takes for its own clock"
    )


@pytest.mark.parametrize(
    ("given", "handed"),
    [
        (["certify", "--minutes", "5"], ["certify", "--minutes", "5"]),
        (["docs", "--offline", "--site", "a b"], ["docs", "--site", "@/a b"]),
        (
            ["bench", "--out=a b", "--list"],
            ["reproduce", "--profile", "bench", "--out=@/a b", "--list"],
        ),
        (
            ["--list", "--out", "a b", "--strict"],
            ["reproduce", "--list", "--out", "@/a b", "--strict"],
        ),
        (["--out", "/a", "--check"], ["reproduce", "--out", "/a", "--check"]),
        (["--out="], ["reproduce", "--out="]),
    ],
)
def test_a_path_is_relative_to_the_caller(
    complete, tmp_path: Path, given: list[str], handed: list[str]
) -> None:
    done = complete.run(*given, cwd=tmp_path)
    assert done.child["arguments"] == [word.replace("@", str(tmp_path)) for word in handed]
    assert done.child["AMS_OFFLINE"] == ("1" if "--offline" in given else None)


def test_help_needs_no_python(checkout) -> None:
    (checkout.bin / "python3").unlink()
    done = checkout.run("--profile", "quick", "--help")
    assert done.code == 0 and checkout.run("certify", "-h").out == done.out
    options = {
        option.name.replace("_", "-")
        for command in (Reproduce, Certify)
        for option in fields(command)
    }
    assert all(f" --{option} " in done.out for option in options | {"site"}), (
        "else it would be refused"
    )


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (
            ["figures"],
            (
                "'figures' is not known: 'certify', 'verify', 'test', 'lint', 'bench', "
                "'docs' or options are expected"
            ),
        ),
        (["--profil", "quick"], "unknown option --profil; see --help"),
        (["certify", "--minute=5"], "unknown option --minute=5; see --help"),
        (["bench", "--out", "x", "-w"], "unknown option -w; see --help"),
    ],
)
def test_an_unknown_word_is_refused_before_an_environment_is_made(
    checkout, given: list[str], line: str
) -> None:
    done = checkout.run(*given)
    assert (done.code, done.err.count("\n"), done.err.startswith(f"reproduce.sh: {line}")) == (
        2,
        1,
        True,
    )
    assert not checkout.venv.exists()


def test_tests_get_their_own_arguments_but_offline(complete) -> None:
    done = complete.run("test", "-k", "law and not slow", "--offline", "tests/laws")
    assert done.out == "pytest: -m pytest -k law and not slow tests/laws\n"
    assert (
        complete.run("test").out == "pytest: -m pytest -n auto --maxprocesses 4 --dist loadfile\n"
    )


@pytest.mark.parametrize(("failing", "called"), [("mypy", 3), ("lint-imports", 4)])
def test_lint_stops_at_the_first_complaint(complete, failing: str, called: int) -> None:
    for tool in ("ruff", "mypy", "lint-imports"):
        complete.stub(tool, f'echo {tool} "$@"; [ {tool} != {failing} ]')
    done = complete.run("lint")
    calls = ["ruff check .", "ruff format --check .", "mypy", "lint-imports --no-cache"]
    assert (done.code, done.out.splitlines(), done.err) == (1, calls[:called], "")


def test_another_shell_hands_over_to_bash(complete) -> None:
    done = complete.run(
        command=[str(complete.bin / "sh"), str(complete.root / "reproduce.sh"), "--list"]
    )
    assert done.child["arguments"] == ["reproduce", "--list"]


def test_a_script_without_its_checkout_says_so(complete) -> None:
    (complete.root / "pyproject.toml").unlink()
    done = complete.run()
    assert (
        done.code,
        "has no pyproject.toml: run this script in a whole checkout" in done.err,
    ) == (2, True)


@pytest.mark.parametrize(
    "name", ["a checkout, with spaces", "día – Überprüfung 検証", "-dash", 'it\'s $HOME `x` "q"']
)
def test_any_name_of_the_checkout(copy_of, name: str) -> None:
    checkout = copy_of(name)
    checkout.python()
    first, second = checkout.run(), checkout.run()
    assert first.child["cwd"] == second.child["cwd"] == str(checkout.root)
    assert len(checkout.pip_calls) == 1 and (checkout.venv / "finished").exists()


def test_a_colon_cannot_be(copy_of) -> None:
    checkout = copy_of("a:b")
    done = checkout.run()
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "cannot hold a colon; move the checkout" in done.err


def test_through_links_from_another_folder(checkout, tmp_path: Path) -> None:
    checkout.python(complete=True)
    links = tmp_path / "links"
    links.mkdir()
    (links / "relative").symlink_to("../checkout/reproduce.sh")
    (links / "twice").symlink_to(links / "relative")
    done = checkout.run(command=[str(checkout.bin / "bash"), "twice"], cwd=links, CDPATH="/")
    assert done.child["cwd"] == str(checkout.root)


def test_ams_env_names_the_place_and_checkouts_do_not_share_it(copy_of, tmp_path: Path) -> None:
    places = set()
    for name in ("one", "two"):
        checkout = copy_of(name)
        checkout.python()
        places.add(checkout.run(AMS_ENV="environments", cwd=tmp_path).child["python"])
        assert not checkout.venv.exists()
    assert len(places) == 2 and all(
        place.startswith(f"{tmp_path}/environments/") for place in places
    )


@pytest.mark.usefixtures("needs_git")
def test_git_ignores_links_to_an_environment_and_to_results(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    shutil.copy(REPOSITORY / ".gitignore", tmp_path)
    for name in (".venv", "results"):
        (tmp_path / name).symlink_to("/")
    status = subprocess.run(
        ["git", "status", "--porcelain"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert status.stdout == "?? .gitignore\n"


def test_a_place_that_cannot_be_made(checkout, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = checkout.run(AMS_ENV="file", cwd=tmp_path)
    told = f"{tmp_path}/file{checkout.root} cannot be written: name another folder with AMS_ENV"
    assert (done.code, done.err) == (2, f"reproduce.sh: {told}\n")


def test_a_read_only_checkout_keeps_its_environment_in_the_cache(read_only) -> None:
    cache = read_only.root.parent / "cache"
    for _ in range(2):
        done = read_only.run("--out", "results", XDG_CACHE_HOME=str(cache))
        assert done.child["python"].startswith(f"{cache}/ams-suite/")
        assert (
            f"{read_only.venv} does not serve, and was not made here or cannot be written"
            in done.err
        )
    assert len(read_only.pip_calls) == 1
    del read_only.variables["HOME"]
    done = read_only.run()
    assert done.code == 2 and done.err.endswith(
        "cannot be written: name another folder with AMS_ENV\n"
    )


def test_a_venv_made_by_hand_is_used_if_it_serves_and_else_left_alone(checkout) -> None:
    (checkout.venv / "bin").mkdir(parents=True)
    checkout.python("complete", complete=True).rename(checkout.venv / "bin/python")
    before = sorted(checkout.venv.rglob("*"))
    assert checkout.run().child["python"] == str(checkout.venv / "bin/python")
    (checkout.venv / "bin/python").write_text("")
    done = checkout.run()
    assert done.child["python"].startswith(f"{checkout.variables['HOME']}/.cache/ams-suite/")
    assert f"{checkout.venv} does not serve, and was not made here" in done.err
    assert sorted(checkout.venv.rglob("*")) == before


def test_an_empty_venv_is_another_run_that_has_not_made_its_lock_yet(checkout) -> None:
    checkout.venv.mkdir()
    done = checkout.run()
    assert (
        done.child["python"] == str(checkout.venv / "bin/python")
        and "left as it is" not in done.err
    )


def test_a_link_to_the_venv_of_another_checkout_leaves_that_as_it_is(checkout, copy_of) -> None:
    theirs = copy_of("theirs")
    assert checkout.run().code == theirs.run().code == 0
    shutil.rmtree(checkout.venv)
    checkout.venv.symlink_to(theirs.venv)
    before = {path: path.stat().st_mtime_ns for path in theirs.venv.rglob("*")}
    assert checkout.run().child["python"] == str(checkout.venv / "bin/python")
    lock = checkout.root / "constraints.txt"
    lock.write_text(f"{lock.read_text()}# another\n")
    assert checkout.run("test").code == 0 and "left as it is" in checkout.run("test").err
    assert {path: path.stat().st_mtime_ns for path in theirs.venv.rglob("*")} == before
