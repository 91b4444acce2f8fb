"""The report of a small repository: complete, offline, honest about gaps, and only what is current.

What it shows after an edit of the repository is a table of cases; each has what a reader sees, and
what not.
"""

import re
from urllib.parse import unquote

import pytest

from tests.verdicts.report.pages import Page
from tests.verdicts.report.test_findings import FINDING, WORK
from tests.verdicts.toy import Toy
from verdicts.claims.schema import Profile
from verdicts.errors import UserError
from verdicts.records.expected import expected_of, expected_path
from verdicts.records.ledger import collect
from verdicts.records.workspace import Workspace
from verdicts.report import images as pictures, page as report
from verdicts.run.drawing import make_page
from verdicts.run.publish import publish

CLAIMS, CHECKS = "PACKAGE/alpha/claims.toml", "PACKAGE/alpha/checks.py"
FIGURES, BETA = "PACKAGE/alpha/figures.py", "PACKAGE/beta/claims.toml"


def text_of(workspace: Workspace) -> str:
    return report.build(workspace, collect(workspace))[report.REPORT]


def seen(html: str) -> str:
    """Return what a reader sees, in one line."""
    return " ".join("".join(Page(html).text).split())


def edit(toy: Toy, *edits: tuple[str, ...]) -> None:
    """Write files (name, text), or replace a text in them (name, old, new)."""
    for name, *change in edits:
        path = name.replace("PACKAGE", toy.package)
        (toy.write if len(change) == 1 else toy.replace)(path, *change)
    toy.forget()


CONDITION = (
    (CLAIMS, '[[claim]]\nid = "A2"', '[[condition]]\nid = "A2"'),
    (CLAIMS, '  [[claim.check]]\n  id = "A2', '  [[condition.check]]\n  id = "A2'),
    (CLAIMS, 'expected = "refuted"', 'sees = "a half"\nafter_a_look = "The bound."'),
)
PARTICULARS = 'target = "a Gaussian"\nconditions = ["Only once."]\nevidence = "algebra"'
ANSWER = """[answer]
subject = "It adds one."
line = [{ question = "Is it?", paper = ["P1"], needs = { A1 = "holds" }, text = "It is." }]
[answer.forest]
axis = "ones"
claimed = [2.0, 5.0]
caption = "Ones, drawn."
row = [{ label = "one", dot = "A2.two" }]
"""
NOTATION = "step = ['$$x + a s$$']\ncode = ['tests/test_toy.py:test_one']\n"
SYMBOL = f"{NOTATION}[[symbol]]\nsign = '$s$'\nmeaning = 'the score'\n"
ROWS = "rows=((1, ONE), (2, 2.5))"
CASES = {
    "a contradiction, at the top": (
        [(CLAIMS, 'expected = "refuted"', 'expected = "holds"')],
        ["Against expectation: A2.", "expected verdict: holds"],
        ["No verdict that was reached differs"],
    ),
    "an open claim is contradicted by nothing": (
        [(CLAIMS, 'expected = "refuted"', 'expected = "open"')],
        [
            "Among them: 1 open (no evidence yet).",
            "Open (no evidence yet, any verdict agrees), 1: A2.",
        ],
        ["Against expectation"],
    ),
    "a condition is measured and not counted": (
        CONDITION,
        [
            "Beside them: 1 conditions",
            "1 comparisons",
            "Chosen after a lookThe bound.",
            "Of our 3 claims",
        ],
        ["Against expectation"],
    ),
    "a claim's particulars": (
        [(CLAIMS, 'evidence = "algebra"', PARTICULARS)],
        ["Targeta Gaussian", "ConditionsOnly once."],
        ["Tuning"],
    ),
    "a failure, with its log": (
        [("PACKAGE/beta/checks.py", "Measurement(value=3)", "1 / 0")],
        ["A run failed: B1.", "failed: ZeroDivisionError", "logs/B1.log"],
        [],
    ),
    "what is outside of the profile, once": (
        [(CLAIMS, '["quick", "cpu", "paper"]', '["cpu"]')],
        ["A1, A2, B2: not part of the quick profile: run with --profile cpu."],
        ["bash reproduce.sh --profile quick --only A2"],
    ),
    "a deviation, beside the checks that measure it": (
        [],
        ["none to speak of.A1.one one: 1", "2 [1.9, 2.1] (≤ 1)"],
        [],
    ),
    "exhibits": (
        [],
        ["8 x 8; it is quick", "A1, alpha, Figure 1, numbers, nowhere", "no weights"],
        [],
    ),
    "commit, device, rates of chance": (
        [],
        ["unknown (not a git checkout)", "device cpu", "checks draw."],
        ["Benchmarks", "Kept values, and what moved", "Limitations"],
    ),
    "the beginning of a long table": (
        [(FIGURES, ROWS, "rows=tuple((n, 1000 + n) for n in range(61))")],
        ["1029", "and 31 more rows: numbers.csv"],
        ["1030"],
    ),
    "subject, answers, signs and caption": (
        [("paper/findings.toml", ANSWER)],
        ["It adds one.", "Is it?It is.", "Ones, drawn.", "Signs: ✓ holds, ◐ holds in part"],
        [],
    ),
    "a formula as plain text in the sidebar": (
        [(FIGURES, '"a line, $y = x$"', r'r"a line of $\sqrt{\kappa} \le W_2$; and more"')],
        ["Figure 1 a line of √κ ≤ W2 What is scaled"],
        [],
    ),
    "the notation, with the code": (
        [("paper/notation.toml", SYMBOL)],
        ["def test_one", "the score"],
        [],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_reader_sees(toy, case):
    edits, shown, hidden = CASES[case]
    edit(toy, *edits)
    text = seen(text_of(toy.run_all()))
    assert [each for each in shown if each not in text] == []
    assert [each for each in hidden if each in text] == []


def test_pages_are_whole_offline_and_lead_to_one_another(toy):
    edit(
        toy,
        (BETA, 'part = "suite"', 'part = "suite"\nown_page = "others"'),
        ("paper/related_work.toml", WORK),
    )
    edit(toy, ("paper/findings.toml", ANSWER))
    workspace = toy.run_all()
    publish(workspace)
    files = sorted(workspace.folder.glob("*.html"))
    texts = {path.name: path.read_text(encoding="utf-8") for path in files}
    pages = {name: Page(text) for name, text in texts.items()}
    assert set(pages) == {"report.html", "report-others.html"}
    for name, page in pages.items():
        assert "http" not in re.sub(r"src='data:[^']*'", "", texts[name])
        assert len(page.ids()) == len(set(page.ids()))
        for address in (each for each in page.addresses() if not each.startswith("data:")):
            file, _, anchor = address.partition("#")
            assert (workspace.folder / (file or name)).is_file()
            assert not anchor or anchor in pages[file or name].ids()
    assert (
        "claim-B1" in pages["report-others.html"].ids()
        and "claim-B1" not in pages["report.html"].ids()
    )
    own = seen(texts["report-others.html"])
    assert (
        "2 claims: 1 holds, 1 not run." in own
        and "It is 1 (A1)." in own
        and "Never shown" not in own
    )
    assert 'href="report.html#claim-A1">A1</a>)' in texts["report-others.html"]


def test_a_claim_s_row_has_verdict_value_figure_source_and_commands(toy):
    text = text_of(toy.run_all())
    rows = {row.attributes["data-id"]: row.attributes for row in Page(text).with_class("claim")}
    verdicts = {name: row["data-verdict"] for name, row in rows.items()}
    assert verdicts == {"A1": "holds", "A2": "refuted", "B1": "holds", "B2": "not run"}
    first, second = text.partition('id="claim-A1"')[2].split('id="claim-A2"')
    assert '<a href="#figure-line">Figure 1</a>' in first and 'data-figure="figure-line"' in first
    assert f'href="../../{toy.package}/alpha/checks.py"' in first
    entry = " ".join(re.sub(r"<[^>]+>", "", second).split())
    assert "two: 2 required ≤ 1" in entry and "2 [1.9, 2.1]" in entry
    assert "bash reproduce.sh --profile quick --only A2 --force A2" in entry
    assert "bash reproduce.sh test tests/test_toy.py::TestToy::test_two" in entry
    assert "= 1 ± 1e−12" in text and "n = 3. Seeds: 1, 2." in text
    assert text.partition('id="figure-line"')[2].count("src='data:image/svg+xml,<svg") == 1
    assert all(
        f'href="figures/alpha/{name}"' in text for name in ("line.svg", "line.pdf", "numbers.csv")
    )
    assert text.count('class="evidence-of"') == 1, "a group without figures has no place for them"


def test_a_row_of_the_paper_has_word_sentence_number_conditions_command_and_claims(toy):
    named = 'evidence = "exact law"\npaper = ["P2"]\nsupports = ["P1"]'
    number = 'figure = "line"\nnumber = { check = "A2.two", label = "two, measured" }\n'
    condition = '[[finding.condition]]\nclaim = "A1"\nverdict = "holds"\ntext = "As one is one."\n'
    finding = (
        FINDING.replace("P1", "P2")
        .replace("holds", "refuted")
        .replace("{A2.two}", "Two is not small.")
    )
    edit(
        toy,
        (CLAIMS, 'evidence = "exact law"', named),
        ("paper/findings.toml", finding + number + condition),
    )
    text = text_of(toy.run_all())
    row = text.partition('id="paper-P2"')[2].partition("</details></li>")[0]
    said = " ".join(re.sub(r"<[^>]+>", "", row).split())
    assert (
        "✗ Refuted" in said and "Two is not small." in said and "2 [1.9, 2.1] two, measured" in said
    )
    assert (
        "As one is one. (A1)" in said
        and f"{toy.package}/alpha/checks.py:" in said
        and "tests/test_toy.py" in said
    )
    assert (
        "bash reproduce.sh --profile quick --only P2" in said and 'data-figure="figure-line"' in row
    )
    other = text.partition('id="paper-P1"')[2].partition('id="paper-P2"')[0]
    assert "Not decided by this suite yet" in other
    assert "(restates P2) (supports P1)" in seen(text)


def test_before_any_run_nothing_is_shown_as_found(toy):
    text = text_of(toy.workspace())
    found = re.sub(r'<p class="soft legend">.*?</p>', "", text, flags=re.DOTALL)
    assert not Page(found).with_class("holds") and "contradict the paper): 4 not run" in text


def test_what_is_stale_or_edited_is_not_shown(toy):
    toy.add_notebook("alpha", "```python\n1 + 1\n```\n")
    workspace = toy.run_all("cpu")
    assert make_page(workspace, workspace.claims.group[0]) == ""
    assert 'href="notebooks/alpha.html"' in text_of(workspace) and 'id="figure-line"' in text_of(
        workspace
    )
    toy.add_notebook("alpha", "```python\n1 + 2\n```\n")
    (workspace.folder / "figures/alpha/line.svg").write_text("<svg/>")
    text = text_of(toy.workspace("cpu"))
    assert "notebooks/alpha.html" not in text, "of another notebook"
    assert (
        "line.svg was edited" in text
        and "figures of First group" in text
        and 'id="figure-line"' not in text
    )


def test_a_picture_is_its_svg_or_pixels_that_are_much_smaller_in_an_address(tmp_path):
    picture = pictures.Picture(tmp_path / "signs.svg")
    picture.file.write_text('<svg><text fill="#333">it\'s 5% &amp; more</text></svg>')
    picture.file.with_suffix(".png").write_bytes(b"pixels")
    address = Page(f"<img src='{picture.address()}'>").addresses()[0]
    assert not set(address) & {"#", "'"} and picture.kinds() == ["svg", "png"]
    assert picture.file.read_text() == unquote(address.removeprefix("data:image/svg+xml,"))
    picture.file.write_bytes(b"<svg/>" + b" " * pictures.LARGEST_SVG)
    assert picture.address().startswith("data:image/png;base64,")


def test_expected_values_stand_beside_the_measured_ones_with_what_moved(toy):
    expected_of(collect(toy.run_all()), {}, 0.0, 1.0).write(expected_path(toy.root, Profile.QUICK))
    same = text_of(toy.workspace())
    assert (
        "3 checks are where they were, 0 moved" in same
        and "Kept value 2 [1.9, 2.1]: as kept." in same
    )
    edit(toy, (CHECKS, "value=2 * ONE, low=1.9, high=2.1", "value=3.5, low=3.4, high=3.6"))
    page = text_of(toy.run_all())
    text = seen(page)
    assert (
        "2 checks are where they were, 1 moved" in text
        and "Kept value 2 [1.9, 2.1]: moved." in text
    )
    assert '<td class="n">3.5 [3.4, 3.6]</td><td class="n">≤ 1</td>' in page
    assert '<td class="n">2 [1.9, 2.1]</td><td class="n">3.5 [3.4, 3.6]</td>' in page


def test_code_that_is_not_there_is_refused_and_results_elsewhere_have_no_address_of_it(
    toy, tmp_path_factory
):
    folder, file = tmp_path_factory.mktemp("elsewhere"), f"{toy.package}/alpha/checks.py"
    assert report.address_of(toy.root, folder, f"{file}:3") == ""
    edit(toy, ("paper/notation.toml", "code = ['tests/test_toy.py:gone']"))
    with pytest.raises(UserError, match=r"tests/test_toy\.py:gone: there is no such function"):
        text_of(toy.workspace())


def test_benchmarks_are_shown_apart_and_only_while_current(toy):
    edit(toy, (BETA, 'profiles = ["cpu"]', 'profiles = ["bench"]'))
    edit(toy, ("PACKAGE/beta/checks.py", "value=4", "value=4.37"))
    toy.write("config/bench.toml", "one_process = true\nnotebooks = false\n")
    quick = toy.run_all()
    assert 'id="benchmarks"' not in (text := text_of(quick)) and "4.37" not in text
    assert 'id="benchmarks"' not in text_of(toy.run_all("bench"))
    assert "4.37" in (text := text_of(quick)) and "bash reproduce.sh bench" in text
    edit(toy, ("PACKAGE/beta/checks.py", "4.37", "4.38"))
    assert "4.37" not in text_of(toy.workspace())
