"""Failures that an author expects, what a report shows of them, and what a test leaves of its
caller's process.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch._dynamo  # noqa: F401 - a run within drops what it imports first, and this only once

from ams.errors import UserError
from ams_suite.__main__ import main
from samplercheck import Sampler, command, conform, expected, page, pytest_plugin
from samplercheck.limits import Limit
from samplercheck.report import Report
from tests.samplercheck.test_judgement import order, report

pytest_plugins = ["pytester"]
OFF: dict[str, Any] = {
    "limit": Limit(0.03, 0.01),
    "settings": {"a": "<b>"},
    "command": "samplercheck x --set a='<b>'",
}
FAILING = {"limit": "ends early"}


@pytest.mark.parametrize(
    ("fields", "failures", "verdict", "words"),
    [
        (OFF, FAILING, "holds", "holds but for 1 expected failure ("),
        (
            OFF,
            FAILING,
            "holds",
            "  e limit                        W2 of the limit to the target 3.0e-02 +- 1e-02",
        ),
        (OFF, FAILING, "holds", "0.01 allowed; expected: ends early"),
        (OFF, {}, "refuted", "smallest failing run: N = 16, 0.1 of the data's scale"),
        (
            OFF | {"end": Limit(0.1, 0.0)},
            FAILING,
            "refuted",
            "smallest failing run: N = 5, 0.2 of the data's scale",
        ),
        (
            {},
            FAILING,
            "refuted",
            "limit is expected to be refuted (ends early), its verdict is holds: expect",
        ),
        (
            {},
            {"evaluations": "so"},
            "refuted",
            "evaluations is expected to be refuted (so), its verdict is not made",
        ),
        ({"limit": Limit(0.03, 0.025)}, FAILING, "inconclusive", "? limit"),
        (
            OFF,
            {},
            "refuted",
            "  Settings: a='<b>'\n  Command: samplercheck x --set a='<b>'\n\n  x limit  ",
        ),
    ],
)
def test_a_report_says_what_was_expected(
    fields: Any, failures: dict[str, str], verdict: str, words: str
) -> None:
    made = report(**fields, expected=failures)
    curve = made.convergence
    assert curve is not None
    made = replace(made, convergence=curve._replace(w2=(0.1,) * len(curve.steps)))
    assert made.verdict == verdict and words in made.text()
    values, html = json.loads(made.json()), page.html(made)
    assert values["expected"] == failures and "<b>" not in html
    rows = [html.index(f"<td>{each.check}<td") for each in made.ranked]
    assert rows == sorted(rows) and [*made.ranked] != [*made.judgements]


def test_the_first_pair_of_runs_whose_error_falls_too_slowly_is_named() -> None:
    curve = report().convergence
    assert curve is not None
    slow = curve._replace(steps=(8, 16, 32), w2=(0.4, 0.1, 0.06), order=order(1.0))
    assert "smallest failing run: N = 16 and 32, W2 0.1 and 0.06" in report(convergence=slow).text()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[x]\nlimit = 'so'\n", ""),
        ("['my x']\nlimit = 'so'\n", ""),
        ("[x]\nlimit = 1\n", "x: write a table"),
        ("limit = 'so'\n", "limit: write a table"),
        ("[x]\nlimt = 'so'\n", "[x]: unknown check 'limt': did you mean limit"),
        ("[x", "name a TOML file of expected failures"),
        (None, "No such file"),
    ],
)
def test_expected_failures_in_a_file(
    tmp_path: Path, monkeypatch: Any, capsys: Any, text: str, words: str
) -> None:
    def judged(*_: object, expected_failed_checks: dict[str, str], **__: object) -> Report:
        return report(limit=Limit(0.03, 0.01), expected=expected_failed_checks)

    monkeypatch.setattr(command, "conform", judged)
    sampler = (
        "from samplercheck import Sampler\nx = Sampler('my x', '0', lambda n, x, s, d: x, "
        "lambda s: 1.0)"
    )
    (tmp_path / "x.py").write_text(sampler, encoding="utf-8")
    name, file = f"{tmp_path / 'x.py'}:x", tmp_path / "expected.toml"
    if text:
        file.write_text(text.replace("[x]", f'["{name}"]'), encoding="utf-8")
    assert main(["conform", name, "--expected", str(file)]) == (2 if words else 0)
    out, err = capsys.readouterr()
    assert words.replace("x:", name + ":").replace("[x]", f"[{name}]") in err and err.count(
        "\n"
    ) == bool(words)
    assert ("holds but for 1 expected failure" in out) is not bool(words)
    assert main(["conform", name]) == 1


def test_an_unknown_check_is_told_before_anything_runs() -> None:
    for ask in (conform, pytest_plugin.conformance_cases):
        with pytest.raises(UserError, match="unknown check 'limt': did you mean limit"):
            ask(
                Sampler("x", "", lambda *run: run[1], lambda steps: 1.0),
                expected_failed_checks={"limt": "so"},
            )


SUITE = """
import math, random
from pathlib import Path
import numpy as np
import pytest
import torch
from samplercheck import Sampler, Sampler, conform, noise_level, pytest_plugin

def wrong(network, x, steps, draws):
    torch.set_default_dtype(torch.float16)
    torch.set_grad_enabled(False)
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(2)
    np.seterr(all="raise")
    random.seed(5), np.random.seed(5), torch.manual_seed(5)
    torch.randn = torch.Tensor.normal_ = np.random.normal = random.gauss = lambda *_: 1 / 0
    raise KeyError("so")

def state():
    modes = torch.get_default_dtype(), torch.is_grad_enabled()
    modes += (torch.are_deterministic_algorithms_enabled(),)
    functions = torch.randn, torch.Tensor.normal_, np.random.normal, np.float32
    draws = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    return modes, functions, draws, torch.get_num_threads(), np.geterr()

def right(network, x, steps, draws):
    random.random(), np.random.rand(), np.seterr(all="ignore"), torch.set_grad_enabled(True)
    return network("x0", x, noise_level(1.0, 10.0))

@pytest.mark.parametrize("run", [wrong, right])
def test_the_process_is_as_it_was(run):
    before = state()
    try:
        conform(Sampler("x", "0", run, lambda steps: 10.0), steps=(4, 8, 16))
    except KeyError:
        assert run is wrong
    assert state() == before

def run(network, x, steps, draws):
    return x - 10 * network("eps", x, noise_level(1.0, 10.0))

EULER = Sampler("x", "0", run, lambda steps: 10.0, evaluations=lambda steps: steps)
MADE = {"evaluations": "one call in all", "limit": "it holds"}

BY_NAME = pytest_plugin.conformance_cases(EULER, expected_failed_checks=MADE)
BY_FILE = pytest_plugin.conformance_cases(EULER, expected_failed_checks=Path("expected.toml"))

@pytest.mark.parametrize("check", BY_NAME)
def test_dictionary(check):
    check()

@pytest.mark.parametrize("check", BY_FILE)
def test_file(check):
    check()
"""


def test_in_a_suite_of_somebody_else(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_suite=SUITE)
    (pytester.path / "expected.toml").write_text(
        "[x]\nevaluations = 'one call in all'\n", encoding="utf-8"
    )
    done = pytester.runpytest_inprocess("-v", "-rxf", "-p", "no:cacheprovider")
    outcomes = done.parseoutcomes()
    assert outcomes["xfailed"] == 2, done.outlines
    done.stdout.fnmatch_lines(
        ["*the_process_is_as_it_was?wrong? PASSED*", "*the_process_is_as_it_was?right? PASSED*"]
    )
    done.stdout.fnmatch_lines(["*test_dictionary?x, limit? FAILED*", "*XPASS(strict)*it holds*"])
    assert expected.read(pytester.path / "expected.toml", "x") == {"evaluations": "one call in all"}


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (("a.py:x", "X"), "file"),  # the command, with the sampler's own name
        (("b.py:y", "Y"), "bare"),
        (("x",), "file"),  # pytest knows no file
        (("c.py:x", "X"), None),
        (("Z",), "own"),
        (("w",), None),  # of which file?
    ],
)
def test_a_table_has_a_name_with_its_file_or_without(
    tmp_path: Path, names: tuple[str, ...], reason: str | None
) -> None:
    file, tables = tmp_path / "expected.toml", {"a.py:x": "file", "y": "bare", "Z": "own"}
    tables |= {"a.py:w": "one", "b.py:w": "other"}
    text = "\n".join(f'["{name}"]\nend = "{why}"' for name, why in tables.items())
    file.write_text(text, encoding="utf-8")
    assert expected.read(file, *names).get("end") == reason


def test_a_comparison_has_a_curve_and_a_row_for_each(tmp_path: Path) -> None:
    shown = page.comparison(
        {"<a>": [(5, 9, 0.3), (10, 19, 0.02)], "b": [(5, 5, 0.5), (10, 10, 0.2)], "c": []}
    )
    assert shown.count("<polyline") == 3 and "&lt;a&gt;" in shown and "<a>" not in shown
    assert (
        "<td>10<td>19<td>0.02</tr>" in shown
        and "not measured" in shown
        and ">network calls</text>" in shown
    )


def test_compare_writes_network_calls_and_distances(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(command, "conform", lambda *_, **__: report())
    written = tmp_path / "page.html"
    assert main(["conform", "ams:Euler ODE", "ams:Heun ODE", "--compare", str(written)]) == 0
    text = written.read_text(encoding="utf-8")
    assert text.count("<circle") == 10 and "<td>20<td>20<td>" in text
