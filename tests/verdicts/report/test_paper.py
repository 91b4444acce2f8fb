"""The paper of a small repository: from records alone, the same bytes, nothing spilt, nothing left out in silence."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.verdicts.toy import REPOSITORY, Toy
from verdicts.records.ledger import collect
from verdicts.report import paper as document
from verdicts.run.pages import make_page
from verdicts.run.publish import faults, publish

NOTE = '# %% [markdown]\n# # Title\n# ## Why\n# Since $a < b$,\n\n# %%\nimport sympy\nsympy.Symbol("q") ** 2\n'


@pytest.fixture
def toy(toy: Toy) -> Toy:
    shutil.copy(REPOSITORY / document.SOURCE, toy.root / document.SOURCE)
    toy.replace_in_claims(
        "alpha", 'kind = "proved here", where = "here" }', 'kind = "abstract", where = "a" }\npaper = ["P1"]'
    )
    return toy


def data_of(workspace):
    return document.data_of(workspace, collect(workspace))


def words(pieces):
    return "".join(piece.get("text", "") for piece in pieces)


def text_of(pdf: Path) -> str:
    return subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, text=True, check=True).stdout


needs_poppler = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler-utils is not installed")


def test_the_same_records_give_the_same_bytes(toy):
    workspace = toy.run_all()
    pdf = document.write(workspace, collect(workspace))
    first = pdf.read_bytes()
    again = document.build(toy.workspace(), collect(toy.workspace()))
    assert first == again["paper.pdf"] and first.startswith(b"%PDF")
    assert json.loads((workspace.folder / "paper/data.json").read_text()) == data_of(workspace)


def test_it_holds_every_claim_check_figure_and_table(toy):
    data = data_of(toy.run_all())
    assert {claim["id"]: claim["verdict"] for claim in data["claims"]} == {
        "A1": "holds", "A2": "refuted", "B1": "holds", "B2": "not run",
    }  # fmt: skip
    assert data["tally"].endswith("Of our 4: 2 hold, 1 refuted, 1 not run.")
    two = data["claims"][1]["checks"][0]
    assert (two["measured"], two["required"], two["verdict"]) == ("2 [1.9, 2.1]", "≤ 1", "refuted")
    assert data["claims"][0]["statement"] == [{"math": r"1 \= 1", "display": False}]
    assert "not part of the quick profile" in words(data["claims"][3]["reason"])
    group = data["parts"][0]["groups"][0]
    assert group["figures"][0]["path"] == "/figures/alpha/line.svg" and group["claims"] == ["A1", "A2"]
    assert group["figures"][0]["number"] == "1"
    assert group["tables"][0]["rows"][1] == [[{"text": "2"}], [{"text": "2.5"}]]


def test_a_deviation_comes_with_its_measured_effect(toy):
    toy.lay("texts")
    (deviation,) = data_of(toy.run_all())["deviations"]
    assert deviation["effects"][0] == {"check": "A1.one", "measured": "1"}


def test_a_derivation_has_the_results_once_its_notebook_is_executed(toy):
    toy.add_notebook("alpha", NOTE, kind="py")
    workspace = toy.run_all("cpu")
    before = data_of(workspace)["parts"][0]["groups"][0]
    assert [block["kind"] for block in before["derivation"]] == ["heading", "paragraph"] and not before["executed"]
    assert make_page(workspace, workspace.claims.group[0]) == ""
    after = data_of(workspace)["parts"][0]["groups"][0]
    assert after["executed"] and after["derivation"][-1]["body"] == [{"math": "attach(q, t: 2)", "display": True}]


def test_before_any_run_there_is_a_paper_that_says_so(toy):
    workspace = toy.workspace()
    assert not workspace.folder.exists()
    built = document.build(workspace, collect(workspace))
    assert built["paper.pdf"].startswith(b"%PDF")
    assert json.loads(built["paper/data.json"])["tally"].endswith("Of our 4: 4 not run.")


def test_data_that_do_not_fit_are_refused(toy, tmp_path):
    with pytest.raises(document.NotSet, match="not set: "):
        document.compiled(toy.root / document.SOURCE, tmp_path, "{}", "")


def test_a_paper_that_cannot_be_set_takes_nothing_else_with_it(toy):
    workspace = toy.run_all()
    toy.write(document.SOURCE, "#panic(sys.inputs.data.len() < 0, [no\nway])")
    published = publish(workspace)
    assert published.reason.startswith("not set: ") and "\n" not in published.reason
    assert published.page.is_file() and not published.paper.exists()
    assert dict(faults(workspace))["paper.pdf"] == published.reason


def test_a_paper_without_its_source_is_no_paper_and_says_so(toy):
    workspace = toy.run_all()
    (toy.root / document.SOURCE).unlink()
    assert publish(workspace).reason == "paper/paper.typ cannot be read: No such file or directory"


@needs_poppler
def test_every_glyph_is_there_and_no_word_leaves_the_page(toy):
    workspace = toy.run_all()
    pdf = document.write(workspace, collect(workspace))
    text = text_of(pdf)
    assert "Two is at most one" in text and "2 [1.9, 2.1]" in text and "\ufffd" not in text
    assert misplaced(pdf) == []


def misplaced(pdf: Path, margin: float = 40.0) -> list[str]:
    """Return the words that lie in the margins (page numbers apart), by their boxes in points."""
    boxes = subprocess.run(["pdftotext", "-bbox", pdf, "-"], capture_output=True, text=True, check=True).stdout
    width = float(re.search(r'page width="([\d.]+)"', boxes)[1])
    words = re.findall(r'xMin="([\d.-]+)" yMin="[\d.-]+" xMax="([\d.-]+)" yMax="[\d.-]+">(.*?)</word>', boxes)
    return [word for left, right, word in words if float(left) < margin or float(right) > width - margin]
