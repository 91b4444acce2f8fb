"""Each sampler is judged in a process of its own, and a test leaves the process of its caller as
it found it.
"""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from ams_suite.__main__ import main
from samplercheck import Sampler, command, in_process
from samplercheck.in_process import Ended, clean
from samplercheck.report import Report
from samplercheck.sampler import trajectory

MINE = """
import os, signal, subprocess, sys, time
import torch
from samplercheck import Sampler, noise_level

def made(act):
    def run(network, x, steps, draws):
        end = network("x0", x, noise_level(1, 5.0))
        return act(end)
    return Sampler("mine \\x1b[31m", "0", run, lambda steps: 10.0)

def prints(end):
    os.write(1, b"\\x1b[2Jto one\\n")
    os.write(2, b"to two\\x07\\n")
    return end

def raises(end):
    raise RuntimeError("\\x1b[2Jout of luck")

right = made(lambda end: end)
printing = made(prints)
raising = made(raises)
leaving = made(lambda end: sys.exit(0))
exiting = made(lambda end: os.write(1, b"loading\\n") and os._exit(0))
killed = made(lambda end: os.kill(os.getpid(), signal.SIGKILL))
hanging = made(lambda end: (subprocess.Popen(["sleep", "60"]), time.sleep(60)))
interrupted = made(lambda end: (_ for _ in ()).throw(KeyboardInterrupt))
waiting = made(lambda end: input())
complex_ = made(lambda end: end + 1j)
whole = made(lambda end: end.long())
turned = made(lambda end: end.reshape(2, 4))
listed = made(lambda end: end.tolist())
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a file of samplers, for each of which one run stands for all checks."""

    def judged(sampler: Sampler, *_: Any, **__: Any) -> Report:
        from samplercheck.answered_draws import Draws
        from samplercheck.model import Recorded

        network = Recorded(lambda x, level: (x, x))
        trajectory(sampler, network, torch.ones(4, 2, dtype=torch.float64), 1, Draws())
        return Report(sampler.name, "0", {}, None, 0.0, None, None, None, 0.0, {}, {}, 0.1)

    monkeypatch.setattr(command, "conform", judged)
    path = tmp_path / "mine.py"
    path.write_text(MINE, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("raising", "raised RuntimeError: out of luck (FILE, line 18)"),
        ("leaving", "raised SystemExit: 0 (FILE, line 23)"),
        ("interrupted", "raised KeyboardInterrupt (FILE, line 27)"),
        ("exiting", "gave no report: its process ended with exit code 0, without a report"),
        ("killed", "gave no report: its process ended by SIGKILL, without a report"),
        ("hanging", "gave no report: no report after 2 s: state more with --timeout"),
        ("waiting", "raised EOFError: EOF when reading a line (FILE, line 28)"),
        (
            "complex_",
            "run returned a tensor of shape (4, 1, 1, 2) and type torch.complex128, expected",
        ),
        ("whole", "type torch.int64, expected a tensor of shape (4, 1, 1, 2), of real numbers"),
        ("turned", "run returned a tensor of shape (2, 4)"),
        ("listed", "expected a tensor of shape (4, 1, 1, 2), of real numbers"),
    ],
)
def test_what_ends_without_a_report_fails_in_one_line(
    file: str, capsys: Any, name: str, words: str
) -> None:
    began = time.monotonic()
    assert main(["conform", f"{file}:{name}", "--json", "--timeout", "2"]) == 3
    out, err = capsys.readouterr()
    assert (
        err.startswith("loading\n" * (name == "exiting") + f"{file}:{name} ")
        and words.replace("FILE", file) in err
        and err.count("\n") == 1 + (name == "exiting")
    )
    assert json.loads(out) == json.loads(out) | {
        "schema": 1,
        "asked": f"{file}:{name}",
        "verdict": "raised",
    }
    assert "\x1b" not in out + err and time.monotonic() - began < 20


def test_each_of_several_has_its_own_report_whatever_becomes_of_the_others(
    file: str, capsys: Any
) -> None:
    names = [f"{file}:{name}" for name in ("right", "exiting", "absent", "printing", "raising")]
    assert main(["conform", *names, "--json"]) == 3
    out, err = capsys.readouterr()
    reports = json.loads(out)
    assert [each["verdict"] for each in reports] == ["holds", "raised", "raised", "holds", "raised"]
    assert [each["asked"] for each in reports] == names and all(
        each["schema"] == 1 for each in reports
    )
    assert "to one\nto two\n" in err and "\x1b" not in err + out and "\x07" not in err
    assert main(["conform", *names[:1], names[3]]) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_what_was_judged_and_is_not_is_worse(file: str, tmp_path: Path, capsys: Any) -> None:
    old, names = tmp_path / "old.json", [f"{file}:right", f"{file}:printing"]
    assert main(["conform", *names, "--json"]) == 0
    old.write_text(capsys.readouterr().out, encoding="utf-8")
    for now, code, words in (
        (names, 0, "Nothing changed."),
        (names[:1], 1, "no longer judged"),
        ([*names[:1], f"{file}:raising"], 1, ":printing: no longer judged"),
    ):
        assert main(["conform", *now, "--against", str(old)]) == code
        assert words in capsys.readouterr().out


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", "{}", '{"schema": 9, "verdict": "holds"}', '{"verdict": "holds"}']
)
def test_what_is_no_report_is_told_before_anything_runs(
    file: str, tmp_path: Path, capsys: Any, text: str
) -> None:
    (tmp_path / "old.json").write_text(text, encoding="utf-8")
    assert main(["conform", f"{file}:raising", "--against", str(tmp_path / "old.json")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def _sum(*numbers: int) -> int:
    print("printed")
    return sum(numbers)


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_a_process_is_forked_or_started_anew(
    monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    monkeypatch.setattr(in_process.sys, "platform", platform)
    assert in_process.in_process(sum, [1, 2], seconds=60) == (3, "")


def test_no_process_outlives_the_test(tmp_path: Path) -> None:
    """Neither what a sampler starts, nor what is left of a test that is killed."""

    def leaves() -> None:
        if not os.fork():
            (tmp_path / "left").write_text(str(os.getpid()), encoding="utf-8")
            time.sleep(60)
        while not (tmp_path / "left").exists():
            time.sleep(0.01)
        os._exit(1)

    with pytest.raises(Ended):
        in_process.in_process(leaves, seconds=1)
    left = int((tmp_path / "left").read_text(encoding="utf-8"))
    with pytest.raises(ProcessLookupError):
        for _ in range(100):
            os.kill(left, 0)
            time.sleep(0.05)


def test_escape_codes_go_and_words_stay() -> None:
    assert clean("\x1b[31mred\x1b[0m \x1b]0;title\x07\u202ea\tb\n\x00ü") == "red a\tb\nü"
