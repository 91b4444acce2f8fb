"""The command line: usage in one line, exit codes, commands of groups, and what the engine is told
of this suite.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
import types
from pathlib import Path

import pytest

from ams.data.registry import registered
from ams_suite import project
from ams_suite.__main__ import Interrupt, main
from ams_suite.commands import COMMANDS
from ams_suite.maintenance import TOOLS
from ams_suite.project import PROJECT
from tests.verdicts.toy import Toy
from verdicts.records.workspace import project_at


@pytest.fixture
def toy(tmp_path, monkeypatch):
    toy = Toy.make(tmp_path)
    monkeypatch.chdir(toy.root)
    return toy


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("reproduce --jobs 0", "--jobs 0: expected at least 1"),
        ("reproduce --profile slow", "invalid choice 'slow' for argument '--profile'"),
        ("reproduce --onyl A1", "Unrecognized options: --onyl, A1; did you mean --only?"),
        ("reproduce --profile quick --only", "--only: expected at least one ID; --list shows them"),
        ("reproduce --force --list", "--force: expected at least one ID"),
        (
            "reproduce --profile quick --only B2 --strict",
            "--strict: B2 is not part of the quick profile: run with",
        ),
        (
            "run B1 B2 --profile quick --strict",
            "not part of the quick profile: run with --profile cpu",
        ),
        ("reproduce --check --profile quick --out=", "--out '': expected a folder"),
        ("nonsense", "nonsense"),
        ("run", "run: name at least one claim or group"),
        ("run a11", "unknown claim or group 'a11': did you mean A1"),
        (
            "reproduce --profile quick --only A1 --only A3",
            "unknown claim or group 'A3': did you mean A",
        ),
        (
            "reproduce --profile quick --only P3",
            "unknown claim or group 'P3': did you mean P1 or P2?",
        ),
        ("reproduce --list P1", "P1: no claim here restates it; see --list"),
        ("reproduce --check --profile paper", "config/paper.toml cannot be read"),
        ("expect", "--profile"),
    ],
)
def test_bad_usage_is_one_line_and_2(toy, capsys, words, line):
    assert main(words.split()) == 2
    said = capsys.readouterr().err
    assert said.startswith("ams: ") and said.count("\n") == 1
    assert line in said


def test_a_group_of_which_a_part_runs_is_taken_a_claim_that_does_not_run_is_refused(toy, capsys):
    assert main(["reproduce", "--profile", "quick", "--only", "beta", "--strict"]) == 0
    assert main(["reproduce", "--profile", "quick", "--only", "A1", "B2"]) == 0
    capsys.readouterr()
    assert main(["reproduce", "--profile", "quick", "--only", "B2"]) == 2
    assert (
        capsys.readouterr().err
        == "ams: B2 is not part of the quick profile: run with --profile cpu\n"
    )


def test_help_needs_no_command(capsys):
    with pytest.raises(SystemExit) as ending:
        main([])
    assert ending.value.code == 0
    users, maintainers = capsys.readouterr().out.split("\nFor maintainers:\n")
    assert all(f"\n  {name} " in users and f"  {name} " not in maintainers for name in COMMANDS)
    assert all(f"\n  {name} " in f"\n{maintainers}" for name in TOOLS)


def test_reproduce_runs_lists_and_checks(toy, capsys):
    assert main(["reproduce", "--profile", "quick", "--check"]) == 1
    assert main(["reproduce", "--profile", "quick", "--only", "A1", "--only", "B1"]) == 0
    assert "2 to run on" in capsys.readouterr().out
    assert main(["reproduce", "--profile", "quick", "--check", "--only", "A1", "B1"]) == 0
    assert main(["reproduce", "--profile", "quick", "--list"]) == 0
    assert "A1    alpha            expected holds" in capsys.readouterr().out


def test_a_claim_of_the_paper_lists_those_that_restate_it(toy, capsys):
    toy.replace_in_claims("alpha", 'title = "One is one"', 'title = "One is one"\npaper = ["P1"]')
    for words in (
        "reproduce --list P1",
        "reproduce --list --only P1",
        "reproduce --only P1 --list",
    ):
        assert main([*words.split(), "--profile", "quick"]) == 0
        assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["A1"]


def test_where_the_console_has_no_other_letters_they_are_escaped(toy):
    done = toy.python(
        "-m", "ams_suite", "run", "A2", "--profile", "quick", PYTHONIOENCODING="ascii"
    )
    assert done.returncode == 0 and "\n\\u2717 A2 " in done.stdout
    assert "2 [1.9, 2.1] \\u2264 1 " in done.stdout


def test_run_works_in_this_process_with_any_profile(toy, capsys):
    assert main(["run", "B2", "--profile", "cpu", "--out", "elsewhere"]) == 0
    assert (toy.root / "elsewhere/cpu/records/B2.json").exists()
    assert main(["run", "B2", "--profile", "cpu", "--out", "elsewhere", "--force", "-v"]) == 0
    assert "forced" in capsys.readouterr().out


def test_offline_forbids_downloads(toy, monkeypatch):
    monkeypatch.setenv("AMS_OFFLINE", "0")
    toy.replace_in_module(
        "beta/checks", "value=3", "value=int(__import__('os').environ['AMS_OFFLINE'])"
    )
    assert main(["run", "B1", "--profile", "quick", "--offline"]) == 0
    assert json.loads(toy.record("B1").read_text())["checks"][0]["value"] == 1.0


def test_compare_reads_ledgers(toy, capsys):
    assert main(["reproduce", "--profile", "quick"]) == 0
    ledger = str(toy.folder() / "ledger.json")
    capsys.readouterr()
    assert main(["compare", ledger, ledger]) == 0
    assert "3 checks: 3 equal; 0 other verdicts" in capsys.readouterr().out
    assert main(["compare", ledger, "gone.json", "--out", "table.csv"]) == 2
    assert capsys.readouterr().err.startswith("ams: gone.json: ")


def test_a_reader_that_has_seen_enough_is_no_verdict(toy):
    command = [sys.executable, "-m", "ams_suite", "run", "A1", "--profile", "quick"]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=toy.root, env=toy.environment(), **streams) as run:
        run.stdout.close()
        said = run.stderr.read().decode()
        assert run.wait() == 128 + 13 and "Traceback" not in said


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KeyboardInterrupt(), 130, r"\A[^\n]+\n\Z"),
        (MemoryError(), 3, r"\Aams: there is not enough memory: [^\n]+\n\Z"),
        (
            OSError(27, "File too large"),
            3,
            r"\Aams: [^\n]+: make room or lift the limit, and run it again\n\Z",
        ),
        (RuntimeError("unforeseen"), 3, r"RuntimeError: unforeseen\n\Z"),
        (
            type("PanicException", (BaseException,), {})("of Rust"),
            3,
            r"PanicException: of Rust\n\Z",
        ),
    ],
)
def test_an_interrupt_or_a_crash_is_no_verdict(monkeypatch, capsys, error, code, said):
    def end(orders, console):
        raise error

    monkeypatch.setattr("verdicts.run.driver.reproduce", end)
    assert main(["reproduce"]) == code
    assert re.search(said, capsys.readouterr().err)


def test_an_interrupt_at_once_is_no_verdict(monkeypatch, capsys):
    def interrupted(sent, what):
        raise KeyboardInterrupt

    monkeypatch.setattr("ams_suite.__main__.signal.signal", interrupted)
    assert main(["schema"]) == 130 and capsys.readouterr().err.count("\n") == 1


def test_too_low_a_limit_on_memory_is_refused_in_a_line(capsys, monkeypatch):
    monkeypatch.setattr(
        "ams_suite.__main__.resource.getrlimit", lambda kind: (256 << 20, 256 << 20)
    )
    assert main(["schema"]) == 2
    assert (
        capsys.readouterr().err
        == "ams: memory is limited to 256 MiB (ulimit -v): lift it to 1 GiB or more\n"
    )


def test_12_gb_of_addresses_suffice_for_a_run_with_its_report(toy):
    """The converter of charts aborts Python below 64 GiB: it is not begun, and one line says what
    is left out.
    """
    chart = (
        "    from altair import Chart\n"
        "    from verdicts.records.figures import save_chart\n"
        "    moved = Chart({'values': [{}]}).mark_point()\n"
        "    return [save_chart(moved, folder, 'moved', 'a point', ['A1']), save_figure("
    )
    toy.replace_in_module("alpha/figures", "    return [save_figure(", chart)
    line = f'ulimit -v 12000000 && exec "{sys.executable}" -m ams_suite reproduce --profile quick'
    command = ["bash", "-c", line]
    done = subprocess.run(
        command, cwd=toy.root, env=toy.environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and "stack trace" not in done.stderr, done.stderr[-2000:]
    assert done.stdout.count("charts that move have no still picture") == 1
    report = (toy.folder() / "report.html").read_text()
    assert "No still picture of this chart" in report and 'id="figure-moved"' in report
    again = toy.ams("reproduce", "--profile", "quick")
    assert again.returncode == 0 and "no still picture" not in again.stdout
    assert "No still picture" not in (toy.folder() / "report.html").read_text(), (
        "drawn as soon as it can be"
    )


def test_an_interrupt_while_it_is_imported_needs_no_traceback(toy, tmp_path):
    (tmp_path / "early").mkdir()
    (tmp_path / "early/tyro.py").write_text(
        "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(9)\n"
    )
    heeds = lambda: signal.signal(signal.SIGINT, signal.default_int_handler)  # noqa: E731
    path = f"{tmp_path}/early:{toy.environment()['PYTHONPATH']}"
    command = [sys.executable, "-m", "ams_suite", "schema"]
    done = subprocess.run(
        command, env=toy.environment() | {"PYTHONPATH": path}, capture_output=True, preexec_fn=heeds
    )
    assert (done.returncode, done.stderr) == (-signal.SIGINT, b"")


SWALLOWED = """import os, signal
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    except KeyboardInterrupt:
        raise ValueError("a library closes its file")
    return"""


def test_an_interrupt_that_a_library_swallows_ends_the_run(toy):
    toy.replace_in_module(
        "alpha/checks", "return Measurement(value=ONE", f"{SWALLOWED} Measurement(value=ONE"
    )
    done = toy.ams("reproduce", "--profile", "quick")
    assert done.returncode == 130 and "interrupted" in done.stderr, done.stderr
    assert toy.record("A1").exists() and not toy.record("B1").exists(), (
        "the next claims are not begun"
    )
    assert "Traceback" not in done.stderr


LATE = """import atexit, os, signal
atexit.register(os.kill, os.getpid(), signal.SIGTERM)
"""


def test_a_signal_after_the_verdict_changes_neither_code_nor_words(toy):
    """What a library calls while Python ends is not to meet an interrupt."""
    path = toy.root / toy.package / "alpha/checks.py"
    path.write_text(LATE + path.read_text())
    done = toy.ams("reproduce", "--profile", "quick", "--only", "A1")
    assert done.returncode == 0 and done.stderr == "", done.stderr


@pytest.mark.parametrize("moment", ["signs", "A1 ", "report:"])
def test_two_signals_at_any_moment_end_in_at_most_a_line(toy, moment):
    """The second comes while the first is dealt with, or while Python ends."""
    command = [sys.executable, "-m", "ams_suite", "reproduce", "--profile", "quick"]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=toy.root, env=toy.environment(), **streams) as run:
        assert any(moment in line for line in run.stdout)
        for _ in range(2):
            run.send_signal(signal.SIGTERM)
            time.sleep(0.01)
        _, said = run.communicate()
    assert run.returncode in (0, 130), said
    assert said.count("\n") == (run.returncode == 130) and "Traceback" not in said, said


class Ended:
    """Is interrupted while Python frees it: what that raises is dropped."""

    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)


def test_an_interrupt_that_python_drops_is_one_line(monkeypatch, capfd):
    def dropped(orders, console):
        Ended()
        return 0

    theirs = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        monkeypatch.setattr("verdicts.run.driver.reproduce", dropped)
        assert main(["reproduce"]) == 130
        said = capfd.readouterr().err
        assert said.startswith("ams: interrupted") and said.count("\n") == 1, said
    finally:
        signal.signal(signal.SIGTERM, theirs)


@pytest.mark.parametrize("before", [signal.SIG_DFL, signal.SIG_IGN])
def test_a_signal_to_end_interrupts_unless_it_is_ignored(before):
    sent = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
    theirs = [signal.signal(each, before) for each in sent]
    try:
        assert main(["schema"]) == 0
        assert {isinstance(signal.getsignal(each), Interrupt) for each in sent} == {
            before is signal.SIG_DFL
        }
    finally:
        for each, handler in zip(sent, theirs, strict=True):
            signal.signal(each, handler)


@pytest.mark.parametrize(
    ("words", "streams", "code"),
    [
        ("schema", ">/dev/full", 3),
        ("reproduce --profile quick --only A1", ">&- 2>&-", 0),
        ("reproduce --jobs 0", "2>/dev/full", 2),
    ],
)
def test_streams_that_take_nothing_are_no_verdict(toy, words, streams, code):
    command = f'exec "{sys.executable}" -m ams_suite {words} {streams}'
    done = subprocess.run(
        ["bash", "-c", command], env=toy.environment(), stderr=subprocess.PIPE, check=False
    )
    assert done.returncode == code and done.stderr.count(b"\n") <= 1, done.stderr


def test_help_and_list_do_not_import_torch(toy):
    code = (
        "import sys; from ams_suite.__main__ import main; main(sys.argv[1:]); sys.exit('torch' "
        "in sys.modules)"
    )
    assert toy.python("-c", code, "reproduce", "--list", "--profile", "quick").returncode == 0


def fake_torch(works):
    cuda = types.SimpleNamespace(is_available=lambda: works, get_device_name=lambda: "Fake GPU")
    return types.SimpleNamespace(cuda=cuda, get_num_threads=lambda: 3)


@pytest.mark.parametrize("works", [True, False])
def test_the_accelerator_is_what_torch_says_where_there_is_a_driver(monkeypatch, works):
    monkeypatch.setattr(project.shutil, "which", lambda name: "/usr/bin/nvidia-smi")
    monkeypatch.setitem(sys.modules, "torch", fake_torch(works))
    assert PROJECT.accelerator() == ("Fake GPU" if works else None) and PROJECT.threads() == 3


def test_there_is_no_accelerator_without_driver_or_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr(project.shutil, "which", lambda name: "/usr/bin/nvidia-smi")
    assert PROJECT.accelerator() is None and PROJECT.threads() == os.cpu_count()
    monkeypatch.setattr(project.shutil, "which", lambda name: None)
    monkeypatch.setattr(Path, "exists", lambda self: False)
    assert PROJECT.accelerator() is None


def test_processes_that_a_run_starts_find_the_same_object():
    assert project_at(PROJECT.place) is PROJECT and PROJECT.registered() == registered()


@pytest.fixture
def greeting(toy, monkeypatch):
    """Return a toy whose group alpha adds a command, as its claims file says by module:class."""
    command = f'commands = {{ greet = "{toy.package}.common:Greet" }}'
    toy.replace_in_claims("alpha", 'part = "theory"', f'part = "theory"\n{command}')
    monkeypatch.setattr(sys, "path", list(sys.path))
    return toy


def complaint(capsys, *words) -> str:
    """Return the one line with which the command line refuses these words."""
    assert main(list(words)) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


def test_a_command_of_a_group_gets_its_options_and_gives_its_exit_code(greeting, capsys):
    assert main(["greet", "you", "--times", "2"]) == 7
    assert capsys.readouterr().out == "hello you hello you \n"


def test_it_is_found_from_any_folder_of_the_repository_in_a_process_of_its_own(greeting):
    done = greeting.python("-m", "ams_suite", "greet", "you", folder="paper")
    assert (done.returncode, done.stdout) == (7, "hello you \n")


def test_bad_usage_of_it_is_one_line_and_2(greeting, capsys):
    assert "--tmes" in complaint(capsys, "greet", "you", "--tmes", "2")


def test_help_lists_it(greeting, capsys):
    with pytest.raises(SystemExit) as ending:
        main(["--help"])
    said = capsys.readouterr().out
    assert (
        ending.value.code == 0
        and "greet" in said
        and "Greet somebody." in said
        and "reproduce" in said
    )


@pytest.mark.parametrize(
    ("word", "meant"), [("gret", "did you mean greet"), ("reprodcue", "did you mean reproduce")]
)
def test_an_unknown_command_is_one_line_and_2_and_the_nearest_is_named(
    greeting, capsys, word, meant
):
    assert complaint(capsys, word, "--profile", "quick").startswith(
        f"ams: unknown command '{word}': {meant}"
    )


@pytest.mark.parametrize(
    ("place", "reason"), [("gone:Greet", "No module named"), ("common:Gone", "has no attribute")]
)
def test_a_command_that_is_not_there_is_one_line_and_2(greeting, capsys, place, reason):
    greeting.replace_in_claims("alpha", "common:Greet", place)
    said = complaint(capsys, "greet", "you")
    assert place in said and reason in said


def test_a_claims_file_that_cannot_be_read_is_one_line_and_2(greeting, capsys):
    greeting.claims("beta").write_text("[group")
    assert "beta/claims.toml is not valid TOML" in complaint(capsys, "greet", "you")


def test_commands_of_the_suite_do_not_read_the_groups(greeting, capsys):
    greeting.claims("beta").write_text("[group")
    assert main(["schema"]) == 0


def test_a_group_cannot_replace_a_command_of_the_suite(greeting, capsys):
    greeting.replace_in_claims("alpha", "greet =", "schema =")
    assert main(["schema"]) == 0
    assert "properties" in capsys.readouterr().out


def test_outside_of_a_repository_there_are_none(tmp_path_factory, monkeypatch, capsys):
    from verdicts.records import workspace

    folder = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.setattr(workspace, "PACKAGE_ROOT", folder / "src")
    monkeypatch.chdir(folder)
    assert complaint(capsys, "zzzz").startswith("ams: unknown command 'zzzz': known: reproduce")
    with pytest.raises(SystemExit):
        main(["--help"])
