"""The command line of `reproduce.sh`, and what it hands over."""

import pytest

pytestmark = pytest.mark.shell


@pytest.fixture
def complete(checkout):
    """A checkout beside an active Python that satisfies the requirements."""
    checkout.python(complete=True)
    return checkout


def test_the_active_python_is_used_as_it_is(complete) -> None:
    done = complete.run("--profile", "quick")
    assert done.code == 0 and done.child["arguments"] == ["reproduce", "--profile", "quick"]
    assert done.child["python"] == str(complete.bin / "python3")
    assert done.err == "", "what needs no work is not told"
    assert not complete.venv.exists()


def test_the_child_works_in_the_checkout_with_one_thread(complete) -> None:
    child = complete.run(OMP_NUM_THREADS="3", PYTHONPATH="/users/own").child
    assert child["cwd"] == str(complete.root)
    assert child["PYTHONPATH"] == f"{complete.root}/src:{complete.root}:/users/own"
    assert (child["OMP_NUM_THREADS"], child["MKL_NUM_THREADS"], child["OPENBLAS_NUM_THREADS"]) == ("3", "1", "1")


@pytest.mark.parametrize("code", [0, 1, 2, 3])
def test_the_exit_code_is_the_childs(complete, code: int) -> None:
    assert complete.run(AMS_EXIT=str(code)).code == code


def test_help_needs_no_python(checkout) -> None:
    (checkout.bin / "python3").unlink()
    done = checkout.run("--profile", "quick", "--help")
    assert done.code == 0
    options = ("profile", "only", "force", "list", "check", "offline", "strict", "jobs", "cluster", "out")
    assert all(f"  --{option}" in done.out for option in options)


def test_an_unknown_word_is_refused_at_once(checkout) -> None:
    done = checkout.run("figures")
    assert done.code == 2
    expected = "'certify', 'test', 'lint', 'bench', 'docs' or options are expected"
    assert done.err.startswith(f"reproduce.sh: 'figures' is not known: {expected}") and done.err.count("\n") == 1
    assert not checkout.venv.exists()


@pytest.mark.parametrize("value", ["0", "soon", "-1", "2.5", ""])
def test_a_time_limit_is_whole_seconds(complete, value: str) -> None:
    done = complete.run(AMS_CONDA_TIMEOUT=value)
    assert done.code == (0 if value == "" else 2)
    assert value == "" or f"AMS_CONDA_TIMEOUT={value}: whole seconds are expected" in done.err


@pytest.mark.parametrize("given", [["--out", "a b"], ["--out=a b"]])
def test_out_is_relative_to_the_caller(complete, given: list[str]) -> None:
    caller = complete.root.parent / "caller"
    caller.mkdir()
    arguments = complete.run("--list", *given, "--strict", cwd=caller).child["arguments"]
    assert "=".join(arguments[2:-1]).removeprefix("--out=") == str(caller / "a b")
    assert (arguments[:2], arguments[-1]) == (["reproduce", "--list"], "--strict")


CLAIMS = """[group]
title = "A group"
[[claim]]
id = "P1"
title = "Of $\\\\beta$"
paper = ["C1", "C2"]
expected = "holds"
  [[claim.check]]
  id = "P1.check"
[[claim]]
id = "D2"
title = "Another"
supports = ["C1"]
paper = ["C2"]
expected = "refuted"
"""
OUTLINE = """subject = "a paper"
[[part]]
id = "theory"
[[claim]]
id = "C1"
[[claim]]
id = "C2"
"""


@pytest.fixture
def bare(checkout):
    """A checkout with claims and no environment."""
    (checkout.root / "analysis/alpha").mkdir(parents=True)
    (checkout.root / "analysis/alpha/claims.toml").write_text(CLAIMS)
    (checkout.root / "paper").mkdir()
    (checkout.root / "paper/outline.toml").write_text(OUTLINE)
    return checkout


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (["--only", "P1", "Z9z"], "unknown claim or group Z9z; see --list"),
        (["--only=P1.check"], "unknown claim or group P1.check; see --list"),
        (["--only", "theory"], "unknown claim or group theory; see --list"),
        (["--only", "*"], "unknown claim or group *; see --list"),
        (["--force", "d2"], "unknown claim or group d2: did you mean D2?"),
        (["--list", "C7"], "unknown claim or group C7: did you mean C1 or C2?"),
        (["--only", "alhpa"], "unknown claim or group alhpa: did you mean alpha?"),
        (["--only", "alpa"], "unknown claim or group alpa: did you mean alpha?"),
        (["--profil", "quick"], "unknown option --profil; see --help"),
        (["--profile", "big"], "--profile big: quick, cpu, full, gpu or bench is expected"),
        (["--jobs", "0"], "--jobs 0: a whole number above 0 is expected"),
        (["--cluster", "pbs"], "--cluster pbs: slurm is expected"),
        (["--check", "P1"], "'P1' is not expected; see --help"),
        (["--only"], "--only: a value is expected; see --help"),
        (["--out", "--strict"], "--out: a value is expected; see --help"),
        (["--out", ""], "--out '': a folder is expected"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_an_environment_is_made(bare, given: list[str], line: str) -> None:
    done = bare.run(*given)
    assert (done.code, done.err) == (2, f"reproduce.sh: {line}\n")
    assert not bare.venv.exists()


def test_what_can_be_meant_is_handed_over(complete) -> None:
    given = ["--only", "P1", "alpha", "C2", "--force=P1", "--profile", "full", "--jobs", "2", "--out", "/a", "-v"]
    assert complete.run(*given, "--fetch").child["arguments"] == ["reproduce", *given, "--fetch"]


def test_the_list_needs_no_environment(bare) -> None:
    one, other = (
        "P1    alpha            expected holds        Of $\\beta$\n",
        "D2    alpha            expected refuted      ",
    )
    assert bare.run("--list").out == f"{one}{other}Another\n"
    assert bare.run("--only", "P1", "--list").out == bare.run("--list", "P1").out == one
    assert bare.run("--list", "C1").out == bare.run("--list", "--only", "C1").out == one
    assert bare.run("--list", "C2", "P1").out == f"{one}{other}Another\n", "each once"
    assert not bare.venv.exists()


@pytest.mark.parametrize("folder", ["analysis/beta", "experiments/beta", "experiments/parts/beta"])
def test_a_group_is_known_wherever_it_may_stand(bare, folder: str) -> None:
    (bare.root / folder).mkdir(parents=True)
    (bare.root / folder / "claims.toml").write_text(CLAIMS.replace('"P1"', '"E1"').replace('"D2"', '"E2"'))
    listed = bare.run("--list", "--only", "beta").out.splitlines()
    assert [line.split()[:2] for line in listed] == [["E1", "beta"], ["E2", "beta"]]


def test_the_child_is_told_what_the_set_up_took(complete) -> None:
    program = "import os; print(os.environ.get('AMS_SETUP_SECONDS'))"
    (complete.root / "src/ams_suite/__main__.py").write_text(program)
    assert complete.run().out == "None\n", "there was none"
    real, slow = (complete.bin / "python3").read_text(), "case $* in *missing*) sleep 5.2 ;; esac"
    complete.stub("python3", real.replace("\n", f"\n{slow}\n", 1))
    assert int(complete.run().out) >= 5


def test_tests_get_their_own_arguments_but_offline(complete) -> None:
    done = complete.run("test", "-k", "law and not slow", "--offline", "tests/laws")
    assert done.out == "pytest: -m pytest -k law and not slow tests/laws\n"


def test_all_tests_are_run_on_several_cores(complete) -> None:
    assert complete.run("test").out == "pytest: -m pytest -n auto --maxprocesses 4 --dist loadfile\n"


def test_lint_stops_at_the_first_complaint(complete) -> None:
    complete.stub(
        "python3",
        'case "$*" in *version*) echo 3.11.7 ;; *missing*) echo satisfied ;; *) echo "$*"; [ "$3" != format ] ;; esac',
    )
    done = complete.run("lint")
    assert (done.code, done.out) == (1, "-m ruff check .\n-m ruff format --check .\n")


def test_a_closed_stdin_does_no_harm(complete) -> None:
    script = 'exec bash "$0" <&-'
    done = complete.run(command=[str(complete.bin / "bash"), "-c", script, str(complete.root / "reproduce.sh")])
    assert (done.code, done.child["stdin"]) == (0, "open")


def test_another_shell_hands_over_to_bash(complete) -> None:
    done = complete.run(command=[str(complete.bin / "sh"), str(complete.root / "reproduce.sh"), "--list"])
    assert done.child["arguments"] == ["reproduce", "--list"]


def test_a_script_without_its_checkout_says_so(complete) -> None:
    (complete.root / "pyproject.toml").unlink()
    done = complete.run()
    assert (done.code, "has no pyproject.toml: run this script in a whole checkout" in done.err) == (2, True)
