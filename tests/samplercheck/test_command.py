"""`ams conform` on samplers in a file of the user's own: verdicts, exit codes, JSON, page, badge,
changes.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ams.errors import UserError
from ams_suite.__main__ import main
from samplercheck import Sampler, as_used, command
from samplercheck.beside import changes, read
from samplercheck.sampler import Types

SAMPLERS = """
import torch
from samplercheck import Sampler, noise_level

def made(heun=False, wrong=1.0, noise=0.0, order=1, fail=False):
    def run(network, x, steps, draws):
        sigmas = torch.cat([torch.logspace(1, -1.3, steps), torch.zeros(1)])
        for a, b in zip(sigmas, sigmas[1:]):
            if fail:
                raise RuntimeError("out\\nof luck")
            d = (x - network("x0", x, noise_level(1, a))) / a
            if noise:
                down = b * b / a
                added = (b * b - down * down).clamp_min(0).sqrt()
                x = x + (down - a) * d + noise * added * torch.randn_like(x)
            elif heun and b > 0:
                y = x + (b - a) * d
                after = (y - network("x0", y, noise_level(1, b))) / b
                x = x + (b - a) * (d + wrong * after) / (1 + wrong)
            else:
                x = x + (b - a) * d
        return x
    return Sampler("mine", "0", run, lambda steps: 10.0, order, 1.0 if noise else 0.0)

heun = made(heun=True, order=2)
tilted = made(heun=True, wrong=0.9, order=2)
loud = made(noise=1.1)
failing = made(fail=True)


def called(*change):  # Heun's method with other arguments of the network
    def run(network, x, steps, draws):
        def changed(*given):
            return network(*(f(value) for f, value in zip(change, given)))
        return heun.run(changed, x, steps, draws)
    return Sampler("called", "0", run, lambda steps: 10.0)

same = lambda value: value
joined = called(same, lambda x: torch.cat([x, 2 * x]), same)
bare = called(same, same, lambda level: level.sigma)
without = Sampler("without", "0", lambda network, x, steps, draws: x, lambda steps: 10.0)

def shares(network, x, steps, draws):
    return heun.run(network, x, steps, draws) + 0.1 * torch.randn(1)

shared = Sampler("shared", "0", shares, lambda steps: 10.0, noise=None)

def stuck(network, x, steps, draws):
    return network("x0", x, noise_level(1, 5.0)) + network("x0", x, noise_level(1, 5.0)) * (1 / 0)

repeated = Sampler("repeated", "0", stuck, lambda steps: 10.0)

def leaves(network, x, steps, draws):
    raise SystemExit(0)

leaving = Sampler("leaving", "0", leaves, lambda steps: 10.0)
silent = Sampler("silent", "0", lambda network, x, steps, draws: None, lambda steps: 10.0)
"""
BROKEN = {
    "lost.py": "import no_such.module",
    "syntax.py": "heun = (",
    "three.py": (
        "from samplercheck import Sampler\nx = Sampler('x', '0', lambda n, x, s: x, lambda s: 1.0)"
    ),
    "number.py": (
        "from samplercheck import Sampler\nx = Sampler('x', '0', lambda *given: None, 80.0)"
    ),
    "kinds.py": (
        "from samplercheck import Sampler\n"
        "def load(name, settings):\n"
        "    return Sampler('x', '0', lambda *given: None, lambda s: 1.0, **settings)"
    ),
    "takes.py": (
        "from mine import heun\ndef load(name, settings):\n    settings.clear()\n    return heun"
    ),
}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("conform") / "mine.py"
    path.write_text(SAMPLERS, encoding="utf-8")
    for name, text in BROKEN.items():
        path.with_name(name).write_text(text, encoding="utf-8")
    return path


def test_verdict_reason_and_json(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conform", f"{file}:loud", "--json", "--steps", "7"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["verdict"] == "refuted" and report["why"].startswith(
        "limit: W2 of the limit to the target"
    )
    assert {
        "name",
        "version",
        "order",
        "order_conditions",
        "limit",
        "w2",
        "invariants",
        "seconds",
    } <= set(report)
    assert (
        report["not_made"]["evaluations"] == "no number of evaluations is stated"
        and report["torch"]
    )
    assert list(report["w2"]) == ["5", "7", "10", "20"] and report["superposition_defect"] < 1e-10


@pytest.mark.parametrize(("kind", "noise"), [("ode", 0.0), ("sde", 1.0), ("churn", None)])
def test_the_kind_states_the_noise(
    file: Path, monkeypatch, capsys, kind: str, noise: float | None
) -> None:  # type: ignore[no-untyped-def]
    def stopped(tested: Sampler, *_: object, **__: object) -> None:
        raise UserError(f"noise {tested.noise}")

    monkeypatch.setattr(command, "conform", stopped)
    assert main(["conform", f"{file}:silent", "--kind", kind]) == 2
    assert f"noise {noise}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--set", "steps=20"], "--set steps: the kit varies the number of steps itself"),
        (["--set", "num_inference_steps=5"], "--set num_inference_steps: the kit varies"),
        (
            ["--dtype", "half"],
            "--dtype half: expected one of float64, float32, bfloat16, float16, or state=TYPE,",
        ),
        (["--dtype", "network=float32"], "--dtype network=float32: expected one of"),
        (["--dtype", "state=bfloat16,levels=double"], "or state=TYPE,network=TYPE,levels=TYPE"),
    ],
)
def test_what_fixes_the_steps_or_is_no_type_is_refused_in_a_line(
    file: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    assert main(["conform", f"{file}:heun", *options]) == 2
    assert said in (err := capsys.readouterr().err) and len(err.splitlines()) == 1


def test_types_are_stated_together_or_apart() -> None:
    assert command.types("float32") == Types(torch.float32)
    apart = Types(torch.bfloat16, torch.float32, torch.float64)
    assert command.types("state=bfloat16,network=float32,levels=float64") == apart
    assert str(apart) == "state bfloat16, network float32, levels float64"


def test_several_samplers_are_tested_a_line_each(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By patterns too; what raises takes no other with it, and the worst decides the exit code."""
    assert main(["conform", f"{file}:lou*", f"{file}:silent", "ams:Euler*"]) == 1
    out, err = capsys.readouterr()
    assert (
        re.match(rf"x {re.escape(str(file))}:loud refuted \(.* s\): ", out)
        and "? " in err
        and ":silent" in err
    )
    assert len(out.splitlines()) == 2
    assert main(["conform", "ams:Euler*", "ams:Heun ODE", "--json"]) in (0, 1, 4)
    assert [each["name"] for each in json.loads(capsys.readouterr().out)] == [
        "ams:Euler ODE",
        "ams:Heun ODE",
    ]
    for arguments, said in (
        (
            [f"{file}:loud", f"{file}:silent", "--guidance", "3"],
            "--guidance: of one sampler alone, and 2 are named",
        ),
        (["ams:no*"], "ams:no*: no sampler of ams is named so"),
        ([f"{file}:no*"], "mine.py is named so; there are heun, tilted, loud"),
    ):
        assert main(["conform", *arguments]) == 2 and said in capsys.readouterr().err


def test_page_badge_options_and_changes(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(as_used, "STEPS", (8, 12, 16, 24, 32, 48))
    monkeypatch.setattr(as_used, "TOLERANCE", 1e-5)
    page, mark, old = tmp_path / "page.html", tmp_path / "badge.svg", tmp_path / "old.json"
    assert main(["conform", f"{file}:heun", "--json"]) == 0
    better = json.loads(capsys.readouterr().out)
    better["order"] |= {"low": 3.0, "high": 3.1}
    old.write_text(json.dumps(better), encoding="utf-8")
    assert main(["conform", f"{file}:heun", "--json", "--against", str(old)]) == 1, (
        "it holds, but its order is worse"
    )
    out, err = capsys.readouterr()
    assert "measured order: [3.00, 3.10] -> [1.9" in err and json.loads(out)["verdict"] == "holds"
    old.write_text(out, encoding="utf-8")
    assert changes(*read(old), *read(old)) == []
    options = [
        "--html",
        str(page),
        "--badge",
        str(mark),
        "--against",
        str(old),
        "--guidance",
        "2",
        "--clip",
        "1",
    ]
    assert main(["conform", f"{file}:tilted", *options]) == 1
    text = capsys.readouterr().out
    assert "With guidance 2: the end moves by" in text and "With x0 clipped at 1" in text
    assert "evaluations                  not made: no number of evaluations is stated" in text
    assert "verdict: holds -> refuted" in text and "order of each step: holds -> refuted" in text
    written = page.read_text(encoding="utf-8")
    assert "<title>mine: refuted</title>" in written and 'role="img"' in written
    assert not re.search(r"(src|href)=", written), "the page asks for something from elsewhere"
    assert "conformance" in mark.read_text(encoding="utf-8") and "refuted" in mark.read_text(
        encoding="utf-8"
    )


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["FILE:failing"], 3, "FILE:failing raised RuntimeError: out of luck (FILE, line 10)"),
        (
            ["FILE:silent"],
            3,
            "raised TypeError: run returned None, expected a tensor of shape (4, 1, 1, 2)",
        ),
        (["FOLDER/syntax.py:x"], 3, "raised SyntaxError: '(' was never closed (syntax.py, line 1)"),
        (["FILE:leaving"], 3, "raised SystemExit: 0 (FILE, line 54)"),
        (
            ["FILE:repeated"],
            3,
            "of 20 steps, calls 1 and 2 pass one noise level: length 0 (FILE, line 49)",
        ),
        (
            ["FOLDER/three.py:x"],
            3,
            "run takes (n, x, s): it is called as run(network, x, steps, draws) (FOLDER/three",
        ),
        (
            ["FOLDER/number.py:x"],
            3,
            "prior is 80.0: expected a function, as lambda steps: 80.0 (FOLDER/number.py, l",
        ),
        (
            ["FOLDER/kinds.py:x", "--set", "order='3'"],
            3,
            "order is '3': expected a whole number above 0, or None (FOLDER/k",
        ),
        (
            ["FOLDER/kinds.py:x", "--set", "noise=-1"],
            3,
            "noise is -1: expected a number, 0 or more, or None",
        ),
        (
            ["FOLDER/kinds.py:x", "--set", "evaluations=9"],
            3,
            "evaluations is 9: expected a function",
        ),
        (["FILE:joined"], 3, "network was called with 8 samples in a run of 4"),
        (
            ["FILE:bare"],
            3,
            (
                "network was passed the noise level 10.0: pass noise_level(scale, sigma) "
                "(FILE, line 34)"
            ),
        ),
        (["FILE:without"], 3, "run called the network not once"),
        (["FILE:heun", "--order", "0"], 2, "--order 0: an order is 1 or more"),
        (["FILE:heun", "--steps", "0"], 2, "--steps 0: a number of steps is 1 or more"),
        (["FILE:heun", "--guidance", "inf"], 2, "--guidance inf: expected a finite weight"),
        (["FILE:heun", "--clip", "nan"], 2, "--clip nan: expected a finite bound above 0"),
        (["FOLDER/lost.py:x"], 2, "needs no_such: python -m pip install no_such"),
        (["FILE:heun", "--set", "order=2"], 2, "--set: FILE has no function load(name, settings)"),
        (["FILE:absent"], 2, "has no Sampler 'absent'"),
        (["FILE:called"], 2, "called is no Sampler: say which of its parameters takes the network"),
        (["nowhere.py:x"], 2, "no file nowhere.py"),
        (["heun"], 2, "write LIBRARY:NAME"),
        (["diffuser:heun"], 2, "unknown library 'diffuser': did you mean diffusers"),
        (["FILE:heun", "--against", "nowhere.json"], 2, "nowhere.json: [Errno 2]"),
    ],
)
def test_one_line_for_what_cannot_be_tested(
    file: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, words: str
) -> None:
    *given, words = (
        each.replace("FILE", str(file)).replace("FOLDER", str(file.parent))
        for each in [*arguments, words]
    )
    assert main(["conform", *given]) == code
    err = capsys.readouterr().err
    assert words in err and err.count("\n") == 1


def test_settings_of_any_type_are_in_the_report(file: Path, tmp_path: Path, capsys) -> None:  # type: ignore[no-untyped-def]
    """A load that takes its settings out of what it is given, values that JSON lacks, and one that
    is no literal.
    """
    arguments = ["conform", f"{file.parent}/takes.py:x", "--json"]
    assert main([*arguments, "--set", "a={1}", "--set", "b={(1, 2): 3}", "--set", "c={[1]:2}"]) == 0
    out = capsys.readouterr().out
    assert json.loads(out)["settings"] == {"a": "{1}", "b": {"(1, 2)": 3}, "c": "{[1]:2}"}
    (tmp_path / "old.json").write_text(out, encoding="utf-8")
    assert changes(*read(tmp_path / "old.json"), json.loads(out)) == []


def test_an_option_that_cannot_be_measured_keeps_the_verdict(
    file: Path, tmp_path: Path, capsys
) -> None:  # type: ignore[no-untyped-def]
    page = tmp_path / "page.html"
    assert main(["conform", f"{file}:shared", "--guidance", "2", "--html", str(page)]) == 1
    text = capsys.readouterr().out
    assert (
        "x rows independent" in text
        and "With guidance 2: not measured: a normal draw of shape (1,)" in text
    )


def test_a_reader_that_has_seen_enough_is_no_error(file: Path) -> None:
    line = 'set -o pipefail; "$0" -m samplercheck "$1" | true'
    done = subprocess.run(
        ["bash", "-c", line, sys.executable, f"{file}:shared"], capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (141, b"")


def test_an_interrupted_test_keeps_nothing_and_says_so(file: Path, monkeypatch, capsys) -> None:  # type: ignore[no-untyped-def]
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("samplercheck.command.in_process", interrupted)
    assert main(["conform", f"{file}:heun"]) == 130
    assert capsys.readouterr().err == "ams: interrupted; nothing is kept\n"
