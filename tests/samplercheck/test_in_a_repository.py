"""The kit in a repository of somebody else's: cases of pytest, each of which ends as its check
does.
"""

import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from samplercheck import Sampler, pytest_plugin, report
from samplercheck.affine_map import AFFINE
from samplercheck.invariants import SINGLE, TIGHT
from samplercheck.report import Judgement
from samplercheck.stated_levels import ALLOWED
from samplercheck.verdict_words import HOLDS, INCONCLUSIVE, REFUTED

pytest_plugins = ["pytester"]
DOCS = Path(__file__).resolve().parents[2] / "docs/sampler_reference.md"


def test_a_repository_of_somebody_else(pytester: pytest.Pytester) -> None:
    shutil.copytree(Path(__file__).parent / "example_repo", pytester.path, dirs_exist_ok=True)
    done = pytester.runpytest_inprocess(
        "-v", "-rs", "-p", "no:cacheprovider", "--import-mode=prepend"
    )
    assert done.ret == 0 and done.parseoutcomes()["passed"] >= 12
    done.stdout.fnmatch_lines(
        ["*test_heun.py::test_conformance?heun, order on the mixture? PASSED*"]
    )


def test_the_docs_have_every_check_with_its_threshold() -> None:
    rows = re.findall(
        r"^\| ([a-z0-9 ]+) \|.*\| (.*) \|$", DOCS.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert {name for name, _ in rows} >= {*pytest_plugin.CHECKS}
    stated = {
        "limit": report.LIMIT,
        "end": report.END,
        "start": report.START,
        "order": report.ORDER_SHORT,
    }
    stated |= {
        "affine": AFFINE,
        "distribution on the mixture": report.TRANSPORTED,
        "error on the mixture": report.FAR,
    }
    stated |= {"rotation": TIGHT, "float32": SINGLE, "levels": ALLOWED}
    for checks, cause in report.CAUSES.items():
        first = ", with each step right" if checks == ("order",) else ""
        assert re.search(
            rf"^\| {', '.join(checks)}{first} \|.*\| {re.escape(cause)} \|$",
            DOCS.read_text(),
            re.MULTILINE,
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
def test_a_case_ends_as_its_check(
    monkeypatch, case: str, outcome: type[BaseException] | None, words: str
) -> None:
    made = [
        ("limit", HOLDS, ""),
        ("order", REFUTED, "measured 1.00"),
        ("affine", INCONCLUSIVE, "by 0.1"),
    ]
    judgements = [Judgement(*each) for each in [*made, ("a new check", REFUTED, "off")]]
    mine = SimpleNamespace(
        name="mine", judgements=judgements, not_made={"evaluations": "none is stated"}
    )
    monkeypatch.setattr(pytest_plugin, "conform", lambda tested: mine)
    checks = {
        each.id.removeprefix("mine, "): each.values[0]
        for each in pytest_plugin.conformance_cases(
            Sampler("mine", "", lambda *run: run[1], lambda steps: 1.0)
        )
    }
    if outcome is None:
        return checks[case]()
    with pytest.raises(outcome) as ended:
        checks[case]()
    assert words in str(ended.value)
