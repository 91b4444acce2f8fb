"""Counts and exit codes of a ledger, and its published schema."""

import json

import pytest

from tests.verdicts.records.test_record import CLAIM
from verdicts.claims.schema import Verdict
from verdicts.records.ledger import Ledger, exit_code, ledger_of, row_unreached

BLANK = row_unreached(CLAIM, "theory", "why", selected=True, failed=False)


def row(verdict, *, expected=Verdict.HOLDS, selected=True, failed=False):
    agrees = None if verdict is Verdict.NOT_RUN else verdict is expected
    update = {"verdict": verdict, "expected": expected, "agrees": agrees, "selected": selected, "failed": failed}
    return BLANK.model_copy(update=update)


@pytest.mark.parametrize(
    ("rows", "code", "strict"),
    [
        ([row(Verdict.HOLDS)], 0, 0),
        ([row(Verdict.REFUTED, expected=Verdict.REFUTED)], 0, 0),
        ([row(Verdict.HOLDS), row(Verdict.NOT_RUN)], 0, 1),
        ([row(Verdict.REFUTED)], 1, 1),
        ([row(Verdict.INCONCLUSIVE)], 1, 1),
        ([row(Verdict.HOLDS, expected=Verdict.INCONCLUSIVE)], 1, 1),
        ([row(Verdict.REFUTED), row(Verdict.NOT_RUN, failed=True)], 3, 3),
        ([row(Verdict.REFUTED, selected=False), row(Verdict.NOT_RUN, selected=False)], 0, 0),
    ],
)
def test_exit_codes(rows, code, strict):
    summary = ledger_of("quick", None, tuple(rows)).summary
    assert exit_code(summary, strict=False) == code and exit_code(summary, strict=True) == strict


def test_every_verdict_is_counted():
    ledger = ledger_of("quick", None, (row(Verdict.HOLDS), row(Verdict.HOLDS), row(Verdict.NOT_RUN)))
    assert ledger.summary.verdicts == {"holds": 2, "refuted": 0, "inconclusive": 0, "not run": 1}
    assert ledger.summary.total == 3


def test_the_file_reads_back_and_its_schema_names_every_field(tmp_path):
    ledger = ledger_of("quick", "2026", (BLANK,))
    ledger.write(tmp_path / "ledger.json")
    content = json.loads((tmp_path / "ledger.json").read_text())
    assert Ledger.model_validate(content) == ledger
    published = Ledger.model_json_schema()
    assert set(content) == set(published["properties"])
    assert set(content["claims"][0]) == set(published["$defs"]["ClaimRow"]["properties"])
