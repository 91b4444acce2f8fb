"""The certificate: computed anew in its time, every row beside the kept one, falsifiers run, what differs named."""

import json
import sys
import time

import pytest
import yaml

from ams.errors import UserError
from ams_suite import certify as certifying
from tests.verdicts.toy import Toy
from verdicts.claims.loading import load_claims
from verdicts.claims.schema import Profile
from verdicts.records.expected import Expected, expected_path
from verdicts.studies.kept import Archive, KeptCell

FINDING = """
[[finding]]
paper = "P1"
needs = { A1 = "holds" }
sentence = "One is one."
figure = "line"
number = { check = "A1.one", label = "units" }
"""


def kept(claims, profile, seconds, value=1.0):
    """Return the kept values of a run in which each claim took so many seconds, as its group's study did."""
    rows = {
        claim.id: {
            "verdict": claim.expected,
            "seconds": seconds,
            "peak_mib": 1.0,
            "checks": {
                check.id: {"value": value, "low": value, "high": value, "verdict": claim.expected}
                for check in claim.check
            },
        }
        for claim in claims.claim
        if profile in claim.profiles
    }
    studies = {group.id: seconds for group in claims.group}
    origin = {"newest": "2031-02-03T04:05", "processor": "Abacus", "device": "cpu", "commit": None, "studies": studies}
    return Expected.model_validate({**origin, "profile": profile, "claims": rows})


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """Return a toy in the current folder whose A1 restates P1, with a finding, falsifiers, and kept values."""
    toy = Toy.make(tmp_path)
    toy.replace_in_claims("alpha", 'where = "here" }', 'where = "here" }\npaper = ["P1"]')
    toy.write("paper/findings.toml", FINDING)
    toy.write("tests/test_toy.py", "def test_one(): pass\nclass TestToy:\n    def test_two(self): assert False\n")
    (toy.root / "paper/expected").mkdir()
    kept(load_claims(toy.root), Profile.QUICK, 0.1).write(expected_path(toy.root, Profile.QUICK))
    monkeypatch.chdir(toy.root)
    for name, text in toy.environment().items():
        monkeypatch.setenv(name, text)
    return toy


@pytest.mark.parametrize("minutes", [0.0, -1.0, float("nan"), float("inf")])
def test_minutes_that_are_no_positive_number_are_refused(minutes, tmp_path):
    with pytest.raises(UserError, match="positive number"):
        certifying.certify(minutes, tmp_path, 1, print)


def test_groups_take_cpu_s_settings_where_they_fit_else_quick_s_and_what_does_not_fit_is_named(toy):
    claims = load_claims(toy.root)
    runs = {Profile.CPU: kept(claims, "cpu", 20.0), Profile.QUICK: kept(claims, "quick", 1.0)}
    order = [claim for claim in claims.claim if claim.id in ("A1", "B1")]

    def made(room):
        plans, left_out = certifying.planned(claims, runs, order, room)
        return [(plan.group, plan.profile) for plan in plans], left_out

    assert made(1000.0) == ([("alpha", "cpu"), ("beta", "cpu")], [])
    assert made(70.0) == ([("alpha", "cpu"), ("beta", "quick")], [])
    assert made(4.0) == ([("alpha", "quick")], ["B1"])


def test_a_certificate_computes_what_is_kept_and_counts_its_seconds(toy, monkeypatch):
    about = {"value": 0, "sources": "", "commit": None, "computed_on": {}, "started": ""}
    archive = Archive(toy.root / "paper/kept", dict)
    archive.add("beta", [KeptCell(function="beta.f", arguments={}, data={}, seconds=40.0, **about)])
    run = certifying.without_kept_cells(kept(load_claims(toy.root), "cpu", 20.0), archive)
    assert run.studies == {"alpha": 20.0, "beta": 60.0}
    commands = []
    monkeypatch.setattr(certifying, "in_time", lambda command, *_: commands.append(command))
    certifying._measure([certifying.Planned("beta", Profile.CPU, 1.0)], toy.root, 1, 0.0, lambda text: None)
    assert commands[0][commands[0].index("--force") + 1] == "beta"


def test_a_command_that_outlives_its_time_is_ended_with_its_children(tmp_path):
    child = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
    began = time.monotonic()
    assert certifying.in_time([sys.executable, "-c", child], tmp_path / "log", tmp_path, began + 0.5) is None
    assert time.monotonic() - began < 30


@pytest.mark.slow
def test_a_certificate_shows_what_its_own_run_saw_and_which_formula_was_changed(toy, capsys):
    toy.replace_in_claims("beta", 'where = "beyond" }', 'where = "beyond" }\npaper = ["P2"]')
    toy.write(
        "paper/findings.toml", FINDING + FINDING.replace("P1", "P2").replace("A1.one", "B1.three").replace("A1", "B1")
    )
    toy.replace_in_module("beta/checks", "value=3", "value=0.5")
    code = certifying.certify(2.0, None, 1, print)
    folder = next((toy.root / "results/certificates").iterdir())
    facts = json.loads((folder / "certificate.json").read_text())
    row, changed = facts["rows"]
    assert (row["word"], row["number"]["own"], row["number"]["agrees"]) == ("Holds", "1", True)
    assert row["seen"] == [{"claim": "A1", "verdict": "holds", "alike": True}]
    assert (folder / row["figure"]).is_file()
    flipped = {each["claim"]: each["flipped"] for each in facts["falsified"]}
    assert flipped == {"A1": True, "A2": False, "B1": True, "B2": True}
    assert (code, facts["against"]) == (1, ["A2", "B1"]), "a falsifier that does not flip is against expectation"
    assert changed["number"]["agrees"] is False and "B1.three" in facts["same"][0]["moved"]
    assert changed["seen"] == [{"claim": "B1", "verdict": "refuted", "alike": False}]
    assert facts["same"][0]["equal"] >= 1
    assert (folder / "certificate.pdf").read_bytes().startswith(b"%PDF")
    check = yaml.safe_load((folder / "codecheck.yml").read_text())
    assert "certificate" not in check and check["summary"].startswith(capsys.readouterr().out.splitlines()[-2][:20])
