"""Commands at work: a certificate, two runs beside one another, the site of docs/."""

import importlib.util
import json
import re
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import yaml

from ams.errors import UserError
from ams_suite import certify as certifying
from ams_suite.maintenance import build_site, compare
from ams_suite.project import PROJECT
from tests.verdicts.report.pages import kept_values
from tests.verdicts.toy import REPOSITORY, Toy
from verdicts.claims.loading import load_claims
from verdicts.claims.schema import Profile, Verdict
from verdicts.records.expected import expected_path
from verdicts.records.workspace import Workspace
from verdicts.report import certificate
from verdicts.report.report_texts import load_findings
from verdicts.report.templating import render
from verdicts.studies.kept import Archive, KeptCell

FINDING = """
[[finding]]
paper = "P1"
needs = { A1 = "holds" }
fact = "One is one."
figure = "line"
number = { check = "A1.one", label = "units" }
"""


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """Return a toy in the current folder: A1 restates P1, B1 restates P2; the certificate's alpha
    is smaller.
    """
    toy = Toy.make(tmp_path)
    toy.replace_in_claims("alpha", 'where = "here" }', 'where = "here" }\npaper = ["P1"]')
    toy.replace_in_claims("beta", 'where = "beyond" }', 'where = "beyond" }\npaper = ["P2"]')
    second = FINDING.replace("P1", "P2").replace("A1.one", "B1.three").replace("A1", "B1")
    toy.write("paper/findings.toml", FINDING + second)
    toy.write(
        "config/certificate.toml", 'profile = "cpu"\nkept = false\n[groups.alpha]\nsteps = 2\n'
    )
    toy.write(
        "tests/test_toy.py",
        "def test_one(): pass\nclass TestToy:\n    def test_two(self): assert False\n",
    )
    (toy.root / "paper/expected").mkdir()
    claims = load_claims(toy.root)
    verdicts = {claim.id: claim.expected for claim in claims.claim}
    kept_values("cpu", claims, verdicts, 1.0).write(expected_path(toy.root, Profile.CPU))
    monkeypatch.chdir(toy.root)
    for name, text in toy.environment().items():
        monkeypatch.setenv(name, text)
    return toy


@pytest.mark.parametrize("minutes", [0.0, -1.0, float("nan"), float("inf")])
def test_minutes_that_are_no_positive_number_are_refused(minutes, tmp_path):
    with pytest.raises(UserError, match="positive number"):
        certifying.certify(minutes, tmp_path, 1, print)


def test_what_rests_on_kept_cells_is_stored_and_decides_no_row(toy):
    about = {"value": 0, "sources": "", "commit": None, "computed_on": {}, "started": ""}
    cell = KeptCell(function="beta.f", arguments={}, data={}, seconds=40.0, **about)
    Archive(toy.root / "paper/kept", dict).write("beta", [cell])
    own, larger = certifying.opened(toy.root, toy.root / "results/certificates/now")
    findings = load_findings(toy.root, own.all_claims)
    assert certificate.needed(own, findings) == {"P1": ["A1"], "P2": []}
    facts = certificate.facts_of(own, certificate.seen(own, larger), findings, [], 1.0, 0.0, False)
    states = {row["id"]: [each["state"] for each in row["claims"]] for row in facts["rows"]}
    assert states == {"P1": ["not reached"], "P2": ["stored"]}
    assert not any(row["decided"] for row in facts["rows"]) and certifying.exit_code(facts) == 1


@pytest.mark.parametrize(
    ("verdict", "wanted", "state"),
    [
        ("holds", "holds", "decided here"),
        ("refuted", "refuted", "decided here"),
        ("inconclusive", "inconclusive", "decided here"),
        ("inconclusive", "holds", "not decided"),
        ("not run", "holds", "not reached"),
        ("refuted", "holds", "contradicted"),
        ("holds", "inconclusive", "contradicted"),
    ],
)
def test_a_claim_is_decided_by_its_stored_verdict_alone(verdict, wanted, state):
    assert certificate.state_of(Verdict(verdict), Verdict(wanted)) == state


@pytest.mark.parametrize(
    ("decided", "against", "failed", "code"),
    [
        (True, [], False, 0),
        (False, [], False, 1),
        (True, ["A1"], False, 1),
        (True, [], True, 3),
        (False, [], True, 3),
    ],
)
def test_exit_codes_of_a_certificate(decided, against, failed, code):
    facts = {
        "rows": [{"decided": True}, {"decided": decided}],
        "against": against,
        "failed": failed,
    }
    assert certifying.exit_code(facts) == code


def test_each_claim_that_a_row_needs_is_computed_or_rests_on_kept_cells():
    """In the repository itself each row has claims that a certificate can decide, so that none is
    decided by words.
    """
    own, larger = certifying.opened(REPOSITORY, REPOSITORY / "results/none")
    needed = certificate.needed(own, load_findings(REPOSITORY, own.all_claims))
    assert all(needed.values()) and len(needed) == len(own.all_claims.outline.stated)
    assert not own.config.kept and larger.config.kept


def test_a_command_that_outlives_its_time_is_ended_with_its_children(tmp_path):
    child = (
        "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; "
        "time.sleep(60)'])"
    )
    began = time.monotonic()
    assert (
        certifying.in_time([sys.executable, "-c", child], tmp_path / "log", tmp_path, began + 0.5)
        is None
    )
    assert time.monotonic() - began < 30


def certified(toy, monkeypatch) -> tuple[int, Path, dict[str, Any]]:
    """Write a certificate of the toy; return its exit code, its folder and its facts."""
    monkeypatch.setattr(certifying, "WORTHWHILE", 0.0)
    code = certifying.certify(2.0, None, 1, print)
    folder = next((toy.root / "results/certificates").iterdir())
    return code, folder, json.loads((folder / "certificate.json").read_text())


@pytest.mark.slow
def test_a_certificate_decides_its_rows_and_enlarges_what_was_smaller(toy, monkeypatch, capsys):
    code, folder, facts = certified(toy, monkeypatch)
    assert code == 0 and [row["decided"] for row in facts["rows"]] == [True, True]
    (one,), (three,) = (row["claims"] for row in facts["rows"])
    assert (one["state"], one["smaller"], three["smaller"]) == ("decided here", "", "")
    record = json.loads((folder / "cpu/records/A1.json").read_text())
    assert record["checks"][0]["n"] == 2, "its own sizes decided it first"
    assert json.loads((folder / "larger/cpu/records/A1.json").read_text())["checks"][0]["n"] == 3
    assert not (folder / "larger/cpu/records/B1.json").exists(), "its sizes are cpu's already"
    assert {each["claim"]: each["flipped"] for each in facts["falsified"]} == {
        "A1": True,
        "B1": True,
    }
    assert "2 of 2 rows decided here" in capsys.readouterr().out
    assert (folder / "certificate.pdf").read_bytes().startswith(b"%PDF")
    check = yaml.safe_load((folder / "codecheck.yml").read_text())
    assert "certificate" not in check and check["summary"].startswith("2 of 2 rows")
    kinds = facts["checksums"]
    assert (
        "tests/test_toy.py" in kinds["tests"]
        and f"{toy.package}/alpha/claims.toml" in kinds["claims"]
    )
    assert (
        f"{toy.package}/alpha/checks.py" in kinds["sources"]
        and "config/certificate.toml" in kinds["sizes"]
    )
    listed = subprocess.run(
        ["sha256sum", "-c", folder / "checksums.txt"], cwd=toy.root, capture_output=True
    )
    assert listed.returncode == 0


@pytest.mark.slow
def test_a_certificate_says_what_it_contradicts_and_why_a_number_differs(toy, monkeypatch):
    toy.replace_in_module("beta/checks", "value=3", "value=0.5")
    toy.replace_in_module("alpha/checks", "value=ONE,", "value=ONE + 1e-13 * settings.steps,")
    toy.replace("tests/test_toy.py", "pass", "assert False")
    code, folder, facts = certified(toy, monkeypatch)
    row, changed = facts["rows"]
    assert (code, facts["against"]) == (1, ["A1", "B1"]), "B1 is refuted, and no falsifier flipped"
    assert row["decided"] and changed["claims"][0]["state"] == "contradicted"
    assert (changed["number"]["apart"], changed["number"]["equal"]) == (
        "at equal sizes: another source or machine",
        True,
    )
    assert facts["same"]["moved"] == ["B1.three"]
    assert (
        "not within the stored interval: at equal sizes"
        in (folder / "certificate.html").read_text()
    )


def ledger(path: Path, **checks: tuple[float | None, float | None, float | None, str]) -> Path:
    rows = [
        {"id": name, "value": v, "low": low, "high": high, "verdict": word}
        for name, (v, low, high, word) in checks.items()
    ]
    path.write_text(json.dumps({"claims": [{"id": "A1", "checks": rows}]}))
    return path


@pytest.mark.parametrize(
    ("before", "after", "change", "code"),
    [
        ((1.0, 1.0, 1.0, "holds"), (1.0 + 1e-12, 1.0, 1.0, "holds"), "equal", 0),
        ((1.0, 1.0, 1.0, "holds"), (1.1, 1.1, 1.1, "holds"), "moved", 1),
        ((1.0, 0.8, 1.2, "holds"), (1.1, 0.9, 1.3, "holds"), "within the intervals", 0),
        ((1.0, 0.8, 1.2, "holds"), (1.1, 0.9, 1.3, "refuted"), "within the intervals", 1),
        ((1.0, 0.9, 1.1, "holds"), (2.0, 1.9, 2.1, "holds"), "moved", 1),
        ((None, None, None, "not run"), (None, None, None, "not run"), "measured in neither", 0),
        ((None, None, None, "not run"), (1.0, 1.0, 1.0, "holds"), "measured in one", 1),
    ],
)
def test_a_check_in_both_runs(tmp_path: Path, before, after, change: str, code: int) -> None:
    lines: list[str] = []
    one, other = ledger(tmp_path / "a", x=before), ledger(tmp_path / "b", x=after)
    assert compare(one, other, tmp_path / "out.csv", lines.append, {}) == code
    assert (tmp_path / "out.csv").read_text().strip().endswith(f",{change}")
    assert lines[-1].startswith(f"1 checks: 1 {change}")


def test_a_rounding_error_may_change_within_its_tolerance(tmp_path: Path) -> None:
    one = ledger(tmp_path / "a", x=(1e-5, 1e-5, 1e-5, "holds"))
    other = ledger(tmp_path / "b", x=(3e-5, 3e-5, 3e-5, "holds"))
    lines: list[str] = []
    assert compare(one, other, None, lines.append, {"x": 1e-4}) == 0 and lines[0].endswith(
        "tolerance of rounding"
    )
    assert compare(one, other, None, lines.append, {"x": 1e-5}) == 1 and lines[-2].endswith("moved")


def test_what_is_gone_counts_and_what_is_new_does_not(tmp_path: Path) -> None:
    value = (1.0, 1.0, 1.0, "holds")
    one, two = ledger(tmp_path / "a", x=value), ledger(tmp_path / "b", x=value, y=value)
    lines: list[str] = []
    assert compare(one, two, None, lines.append, {}) == 0 and "y,,,,,1.0" in lines[0]
    assert compare(two, one, None, lines.append, {}) == 1 and "1 gone" in lines[-1]


def test_kept_values_are_a_run_too(tmp_path: Path) -> None:
    kept = {
        "claims": {
            "A1": {"checks": {"x": {"value": 1.0, "low": 1.0, "high": 1.0, "verdict": "holds"}}}
        }
    }
    (tmp_path / "kept").write_text(json.dumps(kept))
    lines: list[str] = []
    run = ledger(tmp_path / "a", x=(1.0, 1.0, 1.0, "holds"))
    assert compare(tmp_path / "kept", run, None, lines.append, {}) == 0


@pytest.mark.parametrize(
    "content", ["", "[]", '{"claims": 3}', '{"claims": [{"checks": [{"id": "x"}]}]}']
)
def test_any_other_file_is_refused_in_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "a").write_text(content)
    with pytest.raises(UserError, match="neither a ledger nor kept values; give results"):
        compare(tmp_path / "a", tmp_path / "a", None, print, {})
    with pytest.raises(UserError, match="No such file"):
        compare(tmp_path / "none", tmp_path / "a", None, print, {})


needs_mkdocs = pytest.mark.skipif(
    not importlib.util.find_spec("mkdocs"), reason="mkdocs is not installed"
)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.open(REPOSITORY, Profile.QUICK, tmp_path / "results", PROJECT)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, lines = tmp_path_factory.mktemp("site"), list[str]()
    workspace = Workspace.open(REPOSITORY, Profile.QUICK, folder / "results", PROJECT)
    assert (
        build_site(workspace, folder / "site", [], lines.append) == 0 and "index.html" in lines[-1]
    )
    return folder / "site"


@needs_mkdocs
def test_it_holds_every_page_and_asks_for_nothing(site: Path) -> None:
    pages = {path.relative_to(site).as_posix(): path.read_text() for path in site.rglob("*.html")}
    assert {"index.html", "design.html", "how-to/add-a-claim.html", "reference.html"} <= set(pages)
    assert "langevin" in pages["reference.html"]
    for name, text in pages.items():
        assert not re.search(r'(?:src|href)="https?://[^"]*\.(?:js|css|woff2?)"', text), name


def test_without_mkdocs_it_says_what_to_do(
    workspace: Workspace, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr("ams_suite.maintenance.find_spec", lambda name: None)
    with pytest.raises(
        UserError, match=r"mkdocs is not installed: `bash reproduce\.sh docs` adds it"
    ):
        build_site(workspace, tmp_path, [], print)


def test_notebooks_are_announced_with_their_time_and_named_as_they_begin(
    toy: Toy, monkeypatch
) -> None:
    for group in ("alpha", "beta"):
        toy.add_notebook(group, "# A derivation\n")
    kept = kept_values(
        "cpu", load_claims(toy.root), dict.fromkeys(("A1", "A2", "B1", "B2"), "holds"), seconds=60.0
    )
    kept.write(expected_path(toy.root, Profile.CPU))
    workspace, lines, ran = toy.workspace("cpu"), list[str](), list[dict[str, str]]()
    monkeypatch.setattr("ams_suite.maintenance.find_spec", lambda name: name)

    run = subprocess.run

    def build(command: list[str], **options: Any) -> Any:
        if "mkdocs" not in command:
            return run(command, **options)
        ran.append(options["env"])
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr("ams_suite.maintenance.subprocess.run", build)
    assert build_site(workspace, toy.root / "site", workspace.claims.group, lines.append) == 0
    assert (
        lines[0] == "2 notebooks to execute in the cpu profile, one after another: about 3 to 6 min"
    )
    assert (
        lines[1:3] == ["1 of 2: alpha", "2 of 2: beta"] and ran[0]["PYTHONDONTWRITEBYTECODE"] == "1"
    )
    lines.clear()
    assert build_site(workspace, toy.root / "site", workspace.claims.group, lines.append) == 0
    assert len(lines) == 1, "their pages are current"


@pytest.fixture
def hooks(tmp_path: Path, monkeypatch) -> ModuleType:
    """Return the hooks of the site, beside a folder with one notebook page."""
    spec = importlib.util.spec_from_file_location("hooks", REPOSITORY / "docs/hooks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = render(
        "notebook.html.j2", title="One", source="", profile="quick", blocks=[], highlighting=""
    )
    (tmp_path / "one.html").write_text(page)
    monkeypatch.setenv("AMS_GALLERY", str(tmp_path))
    return module


def test_in_the_site_a_notebook_page_leads_back_to_the_list_of_notebooks(
    hooks: ModuleType, tmp_path: Path
) -> None:
    hooks.on_post_build({"site_dir": str(tmp_path / "site")})
    text = (tmp_path / "site/gallery/one.html").read_text()
    assert 'href="../gallery.html">Notebooks</a>' in text and "report.html" not in text


def test_no_bytecode_is_published(workspace: Workspace) -> None:
    site = yaml.safe_load((workspace.root / "mkdocs.yml").read_text())
    assert "__pycache__/" in site["exclude_docs"].split()


def test_formulas_become_mathml_outside_of_code_and_plain_text_in_headings(
    hooks: ModuleType,
) -> None:
    text = hooks.on_page_markdown("So $x^2$, but `$y$`.\n\n```\n$z$\n```\n<!-- gallery -->")
    assert (
        text.count("<math") == 1
        and "`$y$`" in text
        and "$z$" in text
        and "- [One](gallery/one.html)" in text
    )
    assert hooks.on_page_markdown("## Near $\\sqrt{\\kappa}$\n\nSo.") == "## Near √κ\n\nSo."
