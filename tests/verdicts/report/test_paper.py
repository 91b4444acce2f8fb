"""Paper and supplement: from records alone, the same bytes, nothing spilt, nothing there that
was not run.
"""

import json
import re
import shutil
import subprocess
from itertools import combinations
from pathlib import Path

import pytest
from matplotlib import pyplot

from ams_suite.project import PROJECT
from tests.claims import claims
from tests.verdicts.report.pages import kept_values
from tests.verdicts.toy import REPOSITORY, Toy
from verdicts import save_figure
from verdicts.claims.schema import Profile, Verdict
from verdicts.records.expected import kept_runs
from verdicts.records.ledger import collect
from verdicts.records.run_record import RunRecord
from verdicts.records.workspace import Workspace
from verdicts.report import findings, paper as document, views
from verdicts.report.findings import Decisions
from verdicts.report.page import REPORT, build
from verdicts.report.report_texts import load_findings
from verdicts.run.drawing import make_page
from verdicts.run.publish import faults, publish

NOTE = """# Title
## Empty
## Why
Since $a < b$,

```python
import sympy
sympy.Symbol("q") ** 2
```
"""


@pytest.fixture
def toy(toy: Toy) -> Toy:
    for name in ("paper.typ", "supplement.typ", "style.typ", "references.bib"):
        shutil.copy(REPOSITORY / "paper" / name, toy.root / "paper" / name)
    toy.replace_in_claims(
        "alpha",
        'kind = "proved here", where = "here" }',
        'kind = "abstract", where = "a" }\npaper = ["P1"]',
    )
    return toy


def data_of(workspace):
    return document.data_of(workspace, collect(workspace))


def text_of(pdf: Path) -> str:
    return subprocess.run(
        ["pdftotext", "-layout", pdf, "-"], capture_output=True, text=True, check=True
    ).stdout


needs_poppler = pytest.mark.skipif(
    shutil.which("pdftotext") is None, reason="poppler-utils is not installed"
)


def test_the_same_records_give_the_same_bytes_and_every_claim_that_was_run_is_there(toy):
    workspace = toy.run_all()
    publish(workspace)
    RunRecord.begin(workspace)  # another run, which finds every record current
    again = document.build(toy.workspace(), collect(toy.workspace()))
    for name in ("paper.pdf", "supplement.pdf"):
        assert (workspace.folder / name).read_bytes() == again[name] and again[name].startswith(
            b"%PDF"
        )
    data = json.loads((workspace.folder / "paper/data.json").read_text())
    assert data == data_of(workspace)
    ran = [(view["claim"]["id"], view["row"]["verdict"]) for view in data["claims"]]
    assert ran == [("A1", "holds"), ("A2", "refuted"), ("B1", "holds")]
    assert "B2" not in data["verdicts"] and data["values"]["A2.two"] == "2 [1.9, 2.1]"
    assert data["measured"] == {"A1.one": "1", "A2.two": "2 [1.9, 2.1]", "B1.three": "3"}
    assert data["markup"]["$1 = 1$"] == [{"math": r"1 \= 1", "display": False}]
    assert data["figures"]["line"]["path"] == "/figures/alpha/line.svg"
    assert data["tables"][0]["columns"][1]["cells"] == ["1", "2.5"]
    for name in document.DOCUMENTS if shutil.which("pdftotext") else ():
        pdf = workspace.folder / f"{name}.pdf"
        text = text_of(pdf)
        assert (
            misplaced(pdf) == []
            and "\ufffd" not in text
            and "not part of the quick profile" not in text
        )
        if name == "supplement":
            assert (
                "Two is at most one" in text
                and "2 [1.9, 2.1]" in text
                and "none to speak of." in text
            )
            assert "(exact law)" in text and "Restates P1" in text


def test_a_figure_has_one_number_in_page_and_paper_in_the_order_of_the_claims(toy):
    one = '[save_figure(drawing, folder, "line", "a line, $y = x$", ["A1"])]'
    first = 'save_figure(drawing, folder, "later", "another", ["A2"])'
    toy.replace_in_module("alpha/figures", one, f"[{first}, *{one}]")
    workspace = toy.run_all()
    figures = data_of(workspace)["figures"].values()
    assert [(each["name"], each["number"]) for each in figures] == [("line", 1), ("later", 2)]
    page = build(workspace, collect(workspace))[REPORT]
    shown = re.findall(r'id="figure-(\w+)">.*?<strong>Figure (\d+)\.', page, re.DOTALL)
    assert shown == [("line", "1"), ("later", "2")]


def test_a_proof_is_there_with_its_formulas_once_its_notebook_is_executed(toy):
    toy.add_notebook("alpha", NOTE)
    workspace = toy.run_all("cpu")
    assert data_of(workspace)["derivations"] == {}
    assert make_page(workspace, workspace.claims.group[0]) == ""
    proof = data_of(workspace)["derivations"]["alpha"]
    assert [block["kind"] for block in proof] == ["heading", "paragraph", "paragraph"], (
        "nor a heading above nothing"
    )
    assert proof[0]["body"] == [{"text": "Why"}]
    assert proof[-1]["body"] == [{"math": "attach(q, t: 2)", "display": True}]


def test_a_document_that_cannot_be_set_takes_no_page_with_it_and_says_why(toy):
    workspace = toy.run_all()
    toy.write("paper/supplement.typ", "#panic(sys.inputs.data.len() < 0, [no\nway])")
    published = publish(workspace)
    assert (
        published.reason.startswith("paper/supplement.typ is not set: ")
        and "\n" not in published.reason
    )
    assert published.page.is_file() and not (workspace.folder / "paper.pdf").exists()
    assert dict(faults(workspace))["paper.pdf"] == published.reason
    (toy.root / "paper/paper.typ").unlink()
    assert publish(workspace).reason == "paper/paper.typ cannot be read: No such file or directory"


def test_what_the_paper_says_of_claims_and_checks_follows_from_their_expected_verdicts():
    text = (REPOSITORY / "paper/paper.typ").read_text()
    needed = re.findall(r'\b(\w+): "(holds|refuted|inconclusive)"', text)
    assert needed and set(needed) <= {(claim.id, claim.expected) for claim in claims().claim}
    values = set(re.findall(r'#num\("(\w+\.\w+)"\)', text))
    assert values <= set(claims().checks)
    assert {claims().claim_of(check).id for check in values} <= {claim for claim, _ in needed}
    prose = re.sub(r"#given\(\(.*?\)\)|#?num\(.*?\)|given\(\(.*?\)\)", "", text)
    assert not re.findall(r"\b(?!C\d)[A-Z]\d+[a-z]?\b", prose), (
        "no ids of claims in the running text"
    )


HEIGHTS = {"speed_up_curves": 5.2, "pretrained_quality": 4.6}
"""Inches: of figures of two panels; others have about 2.6."""


@needs_poppler
def test_with_the_kept_values_and_all_figures_the_paper_has_eight_pages(tmp_path, monkeypatch):
    """A claim that has no kept value yet has the value that a stand-in gives it."""
    workspace = Workspace.open(REPOSITORY, Profile.CPU, tmp_path, PROJECT)
    verdicts = {
        each.id: each.expected or Verdict.INCONCLUSIVE
        for each in claims().claim
        if each.expected != "open"
    }
    stand_in = kept_values(Profile.CPU, claims(), verdicts)
    evidence = Decisions.strongest(kept_runs(REPOSITORY)).completed(Decisions.of(stand_in))
    monkeypatch.setattr(views, "evidence_of", lambda *_: evidence)
    rows = findings.rows_of(claims(), load_findings(REPOSITORY, claims()), evidence)
    assert all(row.word is not findings.Word.NOT_RUN and row.number for row in rows)
    data = data_of(workspace)
    drawn = [_column_figure(workspace.folder, n, row.figure) for n, row in enumerate(rows, 41)]
    data |= {"figures": {each["name"]: each for each in drawn}}
    pdf = tmp_path / "paper.pdf"
    pdf.write_bytes(
        document.compiled(REPOSITORY / "paper", "paper", workspace.folder, json.dumps(data), "")
    )
    text = text_of(pdf)
    assert text.count("\f") == 8 and misplaced(pdf) == [] and overlapping(pdf) == []
    assert text.count("Figure 46") == 2, "in its caption, and in the text"
    first = text.partition("\f")[0]
    shown = [row.number.value.partition("e")[0] for row in rows]  # a power of ten is set as such
    assert all(row.id in first for row in rows) and all(
        value in " ".join(first.split()) for value in shown
    )


def _column_figure(folder: Path, number: int, name: str) -> dict[str, object]:
    """Return an empty figure as wide as a column, with a caption of usual length."""
    drawing = pyplot.figure(figsize=(3.4, HEIGHTS.get(name, 2.6)))
    drawn = Path(save_figure(drawing, folder, name, "").file).name
    about = {"path": f"/{drawn}", "name": name, "number": number, "width": 245, "claims": ["D1"]}
    return about | {"caption": "What is shown. " * 20}


def boxes_of(pdf: Path) -> str:
    """Return the words of a document with their boxes in points, page by page."""
    return subprocess.run(
        ["pdftotext", "-bbox", pdf, "-"], capture_output=True, text=True, check=True
    ).stdout


def overlapping(pdf: Path) -> list[str]:
    """Return the pairs of words of four letters or more of which one is printed over the other."""
    found = []
    for page in boxes_of(pdf).split("<page ")[1:]:
        words = re.findall(
            r'xMin="(\S+)" yMin="(\S+)" xMax="(\S+)" yMax="(\S+)">(\w{4,})</word>', page
        )
        boxes = [(*map(float, box), word) for *box, word in words]
        for (left, top, right, bottom, one), (start, high, end, low, other) in combinations(
            boxes, 2
        ):
            shared = min(bottom, low) - max(top, high)
            if min(right, end) > max(left, start) and shared > 0.4 * min(bottom - top, low - high):
                found.append(f"{one} {other}")
    return found


def misplaced(pdf: Path, margin: float = 40.0) -> list[str]:
    """Return the words that lie in the margins (page numbers apart), by their boxes in points."""
    boxes = boxes_of(pdf)
    width = float(re.search(r'page width="([\d.]+)"', boxes)[1])
    words = re.findall(
        r'xMin="([\d.-]+)" yMin="[\d.-]+" xMax="([\d.-]+)" yMax="[\d.-]+">(.*?)</word>', boxes
    )
    return [
        word for left, right, word in words if float(left) < margin or float(right) > width - margin
    ]
