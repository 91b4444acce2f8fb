"""Counts and exit codes of a ledger, and its published schema."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.verdicts.records.test_record import CLAIM
from verdicts.claims.check import Relation
from verdicts.claims.measurement import Measurement
from verdicts.claims.schema import Expectation, Verdict
from verdicts.records.ledger import JudgedCheck, Ledger, exit_code, ledger_of, row_unreached
from verdicts.records.record import CheckResult

BLANK = row_unreached(CLAIM, "theory", "why", selected=True, failed=False)


def row(verdict, *, expected="holds", selected=True, failed=False):
    expected = Expectation(expected)
    agrees = expected.is_met_by(verdict)
    update = {"verdict": verdict, "expected": expected, "agrees": agrees, "selected": selected, "failed": failed}
    return BLANK.model_copy(update=update)


@pytest.mark.parametrize(
    ("rows", "code", "strict"),
    [
        ([row(Verdict.HOLDS)], 0, 0),
        ([row(Verdict.REFUTED, expected="refuted")], 0, 0),
        ([row(Verdict.HOLDS), row(Verdict.NOT_RUN)], 0, 1),
        ([row(Verdict.REFUTED)], 1, 1),
        ([row(Verdict.INCONCLUSIVE)], 1, 1),
        ([row(Verdict.HOLDS, expected="inconclusive")], 1, 1),
        ([row(verdict, expected="open") for verdict in Verdict], 0, 1),
        ([row(Verdict.REFUTED), row(Verdict.NOT_RUN, failed=True)], 3, 3),
        ([row(Verdict.REFUTED, selected=False), row(Verdict.NOT_RUN, selected=False)], 0, 0),
    ],
)
def test_exit_codes(rows, code, strict):
    summary = ledger_of("quick", None, tuple(rows)).summary
    assert exit_code(summary, strict=False) == code and exit_code(summary, strict=True) == strict


def test_every_verdict_is_counted():
    ledger = ledger_of("quick", None, (row(Verdict.HOLDS), row(Verdict.HOLDS), row(Verdict.NOT_RUN, expected="open")))
    assert ledger.summary.verdicts == {"holds": 2, "refuted": 0, "inconclusive": 0, "not run": 1}
    assert (ledger.summary.total, ledger.summary.open) == (3, (BLANK.id,))


def test_the_file_reads_back_and_its_schema_names_every_field(tmp_path):
    ledger = ledger_of("quick", "2026", (BLANK,))
    ledger.write(tmp_path / "ledger.json")
    content = json.loads((tmp_path / "ledger.json").read_text())
    assert Ledger.model_validate(content) == ledger
    published = Ledger.model_json_schema()
    assert set(content) == set(published["properties"])
    assert set(content["claims"][0]) == set(published["$defs"]["ClaimRow"]["properties"])


def test_the_script_of_the_docs_tells_every_verdict_again_from_the_ledger_alone(tmp_path):
    checks = []
    for relation in Relation:
        for low, high in ((0.5, 0.6), (0.5, 1.0), (1.0, 1.1), (1.0, 1.5), (1.4, 1.5)):
            check = CLAIM.check[0].model_copy(update={"relation": relation, "bound": 1.0, "tolerance": 0.2, "unit": ""})
            result = CheckResult.of(check, Measurement(value=low, low=low, high=high), 0.0, "a.py:1")
            checks.append(JudgedCheck.beside(check, result))
    assert {check.verdict for check in checks} == {Verdict.HOLDS, Verdict.INCONCLUSIVE, Verdict.REFUTED}
    false = checks[0].model_copy(update={"verdict": Verdict.HOLDS})
    text = (Path(__file__).parents[3] / "docs/verdicts.md").read_text(encoding="utf-8")
    script = re.search(r"```python\n(import json.*?)```", text, re.DOTALL)[1]
    for each, told in (((), ""), ((false,), f"{false.id} refuted\n")):
        ledger_of("quick", None, (BLANK.model_copy(update={"checks": (*checks, *each)}),)).write(
            tmp_path / "ledger.json"
        )
        command = [sys.executable, "-c", script, str(tmp_path / "ledger.json")]
        assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == told
