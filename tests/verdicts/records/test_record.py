"""Records are read with suspicion, byte for byte; the ledger of their verdicts has counts, exit
codes and a schema.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings, strategies as st

from verdicts.claims.check import Relation
from verdicts.claims.measurement import Measurement
from verdicts.claims.schema import Claim, Expectation, Verdict
from verdicts.records.files import canonical_json, sha256_of
from verdicts.records.keys import KeyParts
from verdicts.records.ledger import JudgedCheck, Ledger, exit_code, ledger_of, row_unreached
from verdicts.records.provenance import Environment, Stopwatch
from verdicts.records.record import (
    CheckResult,
    NotCurrent,
    Record,
    current_record,
)

PARTS = KeyParts(entry="e", config="c", sources={"a.py": "1"}, data={}, device="cpu")
ENVIRONMENT = Environment(
    python="3",
    packages={},
    platform="p",
    processor="c",
    device="cpu",
    threads=1,
    commit=None,
    dirty=None,
)
CHECK = {"quantity": "q", "measure": "m.f", "origin": "algebra"}
CLAIM = Claim(
    id="X",
    group="g",
    title="t",
    statement="s",
    source={"kind": "abstract", "where": "w"},
    evidence="algebra",
    expected="holds",
    profiles=["quick"],
    falsifier="t.py::t",
    check=[
        CHECK | {"id": "X.a", "relation": "<=", "bound": 2, "tolerance": 0, "unit": "s"},
        CHECK | {"id": "X.b", "relation": "=", "bound": 0, "tolerance": 1},
    ],
)


def provenance():
    return Stopwatch().provenance(ENVIRONMENT, "quick", "digest")


def made(**changes):
    first, second = CLAIM.check
    results = (
        CheckResult.of(
            first,
            Measurement(value=1.0, seeds=(1, 2), n=3, detail={"why": ["é", 0.1]}),
            0.5,
            "a.py:3",
        ),
        CheckResult.of(second, Measurement(value=0.5, low=0.4, high=0.6), 0.1, "a.py:9"),
    )
    return Record.of(
        "X", PARTS, provenance(), **{"checks": results, "verdict": Verdict.HOLDS} | changes
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("records") / "X.json"
    made().write(path)
    return path.read_bytes()


def test_a_record_reads_back_as_it_was(tmp_path):
    record = made()
    record.write(tmp_path / "X.json")
    assert current_record(CLAIM, tmp_path / "X.json", PARTS) == record
    first = record.checks[0]
    assert (first.low, first.high, first.unit, first.tightness) == (1.0, 1.0, "s", 0.5)


@settings(deadline=None, max_examples=300)
@given(data=st.data())
def test_no_flipped_byte_is_accepted(tmp_path_factory, written, data):
    place = data.draw(st.integers(0, len(written) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != written[place]))
    refused(tmp_path_factory, written[:place] + bytes([byte]) + written[place + 1 :])


@settings(deadline=None, max_examples=100)
@given(share=st.floats(0, 1, exclude_max=True), rest=st.binary(min_size=1, max_size=20))
@example(0.0, b"\n")
def test_no_shorter_or_longer_record_is_accepted(tmp_path_factory, written, share, rest):
    for content in (written[: int(share * len(written))], written + rest):
        refused(tmp_path_factory, content)


@pytest.mark.parametrize(
    "content", [b"[]", b"3", b"{}", b"[" * 100_000, b"\xff", b'{"schema_version": 1}']
)
def test_what_was_never_a_record_is_refused(tmp_path_factory, content):
    refused(tmp_path_factory, content)


def refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "damaged.json"
    path.write_bytes(content)
    with pytest.raises(NotCurrent):
        current_record(CLAIM, path, PARTS)


def forged(tmp_path, change):
    """Write a record whose content was edited and whose digest was made anew."""
    content = json.loads(made().to_bytes())
    del content["digest"]
    change(content)
    content["digest"] = sha256_of(canonical_json(content))
    path = tmp_path / "X.json"
    path.write_text(canonical_json(content, indent=1) + "\n")
    return path


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda content: content["checks"][0].update(value=5.0, low=5.0, high=5.0),
            "does not follow from its values",
        ),
        (lambda content: content["checks"][0].update(low=9.0), "does not follow from its values"),
        (
            lambda content: content["checks"][0].update(verdict="refuted"),
            "does not follow from its values",
        ),
        (lambda content: content.update(verdict="refuted"), "does not follow from its values"),
        (lambda content: content["checks"].pop(), "does not follow from its values"),
        (lambda content: content.update(id="Y"), "does not follow from its values"),
        (lambda content: content.update(key="0"), "stale"),
        (lambda content: content.update(more=1), "fields are not those of a record"),
        (lambda content: content.update(schema_version=2), "its schema is not 1"),
    ],
)
def test_a_forged_digest_does_not_help(tmp_path, change, reason):
    with pytest.raises(NotCurrent, match=reason):
        current_record(CLAIM, forged(tmp_path, change), PARTS)


def test_a_stale_record_says_why(tmp_path):
    made().write(tmp_path / "X.json")
    with pytest.raises(NotCurrent, match=r"stale: a\.py changed"):
        current_record(
            CLAIM, tmp_path / "X.json", PARTS.model_copy(update={"sources": {"a.py": "2"}})
        )


def test_a_missing_or_unreadable_record_says_so(tmp_path):
    with pytest.raises(NotCurrent, match="no record"):
        current_record(CLAIM, tmp_path / "X.json", PARTS)
    with pytest.raises(NotCurrent, match="unreadable"):
        current_record(CLAIM, tmp_path, PARTS)


def test_a_measurement_in_another_unit_is_refused():
    with pytest.raises(ValueError, match="measured in m and claimed in s"):
        CheckResult.of(CLAIM.check[0], Measurement(value=1.0, unit="m"), 0.0, "")


BLANK = row_unreached(CLAIM, "theory", "why", selected=True, failed=False)


def row(verdict, *, expected="holds", selected=True, failed=False):
    expected = Expectation(expected)
    agrees = expected.is_met_by(verdict)
    update = {
        "verdict": verdict,
        "expected": expected,
        "agrees": agrees,
        "selected": selected,
        "failed": failed,
    }
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
    ledger = ledger_of(
        "quick",
        None,
        (row(Verdict.HOLDS), row(Verdict.HOLDS), row(Verdict.NOT_RUN, expected="open")),
    )
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
            check = CLAIM.check[0].model_copy(
                update={"relation": relation, "bound": 1.0, "tolerance": 0.2, "unit": ""}
            )
            result = CheckResult.of(
                check, Measurement(value=low, low=low, high=high), 0.0, "a.py:1"
            )
            checks.append(JudgedCheck.beside(check, result))
    assert {check.verdict for check in checks} == {
        Verdict.HOLDS,
        Verdict.INCONCLUSIVE,
        Verdict.REFUTED,
    }
    false = checks[0].model_copy(update={"verdict": Verdict.HOLDS})
    text = (Path(__file__).parents[3] / "docs/verdicts.md").read_text(encoding="utf-8")
    script = re.search(r"```python\n(import json.*?)```", text, re.DOTALL)[1]
    for each, told in (((), ""), ((false,), f"{false.id} refuted\n")):
        ledger_of("quick", None, (BLANK.model_copy(update={"checks": (*checks, *each)}),)).write(
            tmp_path / "ledger.json"
        )
        command = [sys.executable, "-c", script, str(tmp_path / "ledger.json")]
        assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == told
