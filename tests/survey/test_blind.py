"""The blind trial: its list, its code, and the falsifier of its claims."""

import ast
from collections import Counter

import pytest

from survey.conformance import blind
from survey.conformance.settings import Settings
from tests.claims import verdict_of

FULL = Settings(rows="full")
ROWS = {row["id"]: row for row in blind.samplers(FULL)}


def test_the_list_has_each_sampler_of_the_code_once() -> None:
    bodies = [ast.parse(file.read_text(encoding="utf-8")).body for file in blind.CODE.glob("[!_]*.py")]
    assigned = [node.targets[0].id for body in bodies for node in body if isinstance(node, ast.Assign)]
    defined = [node.name for body in bodies for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    written = [name for name in (*assigned, *defined) if name.split("_")[0][1:].isdigit()]
    assert sorted(written) == sorted(row["name"] for row in ROWS.values())
    assert Counter(row["right"] for row in ROWS.values()) == {True: 40, False: 60}


def test_the_first_trial_is_on_record() -> None:
    first = Counter((row["right"], row["first"]) for row in ROWS.values())
    assert (first[True, "refuted"], first[False, "refuted"]) == (0, 49)


def turned(*names: str) -> object:
    def verdict(row: dict[str, object]) -> dict[str, str]:
        return {"verdict": "holds" if row["right"] is not (row["id"] in names) else "refuted", "why": ""}

    return verdict


def test_a_verdict_that_turns_breaks_each_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = [name for name, row in ROWS.items() if not row["right"]]
    monkeypatch.setattr(blind, "verdict", turned(*wrong[:6]))
    assert verdict_of("F28", settings=FULL) == verdict_of("F29", settings=FULL) == "holds"
    assert Counter(row[1] for row in blind.table().rows) == {"holds": 46, "refuted": 54}
    monkeypatch.setattr(blind, "verdict", turned("r40", *wrong[:7]))
    assert verdict_of("F28", settings=FULL) == verdict_of("F29", settings=FULL) == "refuted"


@pytest.mark.parametrize(("name", "verdict"), [("r15", "holds"), ("w60", "refuted")])
def test_a_blind_sampler_is_judged_truly(name: str, verdict: str) -> None:
    assert blind.verdict(ROWS[name])["verdict"] == verdict


def test_the_profile_cpu_asks_a_few_right_samplers_and_quick_none() -> None:
    few = [row["right"] for row in blind.samplers(Settings(rows="cpu"))]
    assert few == [True] * 8 and len(blind.cells(Settings(rows="cpu"))) == 8
    assert not blind.samplers(Settings())
