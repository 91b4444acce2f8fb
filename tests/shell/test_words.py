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
    assert f"environment: {complete.bin / 'python3'} (3.11.7), ready in" in done.err
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
    for option in ("--profile", "--only", "--force", "--list", "--check", "--offline", "--strict", "--jobs", "--out"):
        assert option in done.out


def test_an_unknown_word_is_refused_at_once(checkout) -> None:
    done = checkout.run("figures")
    assert done.code == 2
    expected = "'test', 'lint', 'bench', 'docs' or options are expected"
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


@pytest.mark.parametrize("given", [["--out"], ["--out", ""], ["--out", "/absolute"], ["--out", "--strict"]])
def test_out_is_otherwise_left_to_the_child(complete, given: list[str]) -> None:
    assert complete.run(*given).child["arguments"] == ["reproduce", *given]


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
