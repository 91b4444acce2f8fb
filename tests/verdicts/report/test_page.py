"""The report of a small repository: complete, offline, the same bytes for the same records, honest
about gaps.
"""

import re
from urllib.parse import unquote

import pytest

from tests.verdicts.report.pages import Page
from tests.verdicts.report.test_findings import WORK, made
from tests.verdicts.toy import Toy
from verdicts import Table
from verdicts.claims.schema import Profile
from verdicts.errors import UserError
from verdicts.records.expected import expected_of, expected_path
from verdicts.records.files import sha256_of
from verdicts.records.ledger import collect
from verdicts.records.workspace import PACKAGE_ROOT, Workspace
from verdicts.report import images as pictures, page as report, views
from verdicts.report.page import address_of
from verdicts.report.report_texts import SECTIONS
from verdicts.run.drawing import make_page
from verdicts.run.publish import publish


def text_of(workspace: Workspace) -> str:
    return report.build(workspace, collect(workspace))[report.REPORT]


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> tuple[Toy, str]:
    """Return a repository without deviations, and the page of its run, for all tests that change
    nothing.
    """
    toy = Toy.make(tmp_path_factory.mktemp("usual"))
    (toy.root / "paper/deviations.toml").unlink()
    return toy, text_of(toy.run_all())


def test_pages_are_whole_and_offline(toy):
    toy.replace_in_claims("beta", 'part = "suite"', 'part = "suite"\nown_page = "beta"')
    workspace = toy.run_all()
    publish(workspace)
    pages = {
        path.name: Page(path.read_text(encoding="utf-8"))
        for path in workspace.folder.glob("*.html")
    }
    assert set(pages) == {"report.html", "report-beta.html"}
    for name, page in pages.items():
        assert "http" not in re.sub(
            r"src='data:[^']*'", "", (workspace.folder / name).read_text(encoding="utf-8")
        )
        assert len(page.ids()) == len(set(page.ids()))
        for address in (each for each in page.addresses() if not each.startswith("data:")):
            file, _, anchor = address.partition("#")
            assert (workspace.folder / (file or name)).is_file()
            assert not anchor or anchor in pages[file or name].ids()
        assert not any(element.tag == "link" for element in page.elements)
    assert "evidence" not in pages["report-beta.html"].ids(), (
        "the group has neither figures nor tables"
    )
    assert (
        "claim-B1" in pages["report-beta.html"].ids()
        and "claim-B1" not in pages["report.html"].ids()
    )


def test_groups_of_one_page_share_it_with_what_the_paper_claims_and_what_was_found(toy):
    for group, part in (("alpha", "theory"), ("beta", "suite")):
        toy.replace_in_claims(group, f'part = "{part}"', f'part = "{part}"\nown_page = "others"')
    toy.write("paper/related_work.toml", WORK)
    workspace = toy.run_all()
    pages = report.build(workspace, collect(workspace))
    assert set(pages) == {"report.html", "report-others.html"}
    page, text = Page(pages["report-others.html"]), pages["report-others.html"]
    assert {
        "claimed",
        "found",
        "scaled",
        "claim-A1",
        "claim-B1",
        "group-alpha",
        "group-beta",
    } <= set(page.ids())
    assert len(page.ids()) == len(set(page.ids()))
    assert "4 claims: 2 hold, 1 refuted, 1 not run." in text
    assert (
        'It is 1 (<a href="report-others.html#claim-A1">A1</a>).' in text
        and "Never shown" not in text
    )


def test_each_claim_has_a_row_with_verdict_values_figures_sources_and_commands(usual):
    toy, text = usual
    rows = {row.attributes["data-id"]: row.attributes for row in Page(text).with_class("claim")}
    verdicts = {name: row["data-verdict"] for name, row in rows.items()}
    assert verdicts == {"A1": "holds", "A2": "refuted", "B1": "holds", "B2": "not run"}
    assert rows["A2"]["data-source"] == "abstract" and rows["B1"]["data-part"] == "suite"
    assert "bash reproduce.sh --profile quick --only A2 --force A2" in text
    assert "bash reproduce.sh --profile cpu --only B2 --force B2" in text
    assert "not part of the quick profile" in text
    assert "2 [1.9, 2.1]" in text and "≤ 1" in text and "= 1 ± 1e−12" in text
    assert "n = 3. Seeds: 1, 2." in text
    assert "bash reproduce.sh test tests/test_toy.py::TestToy::test_two" in text
    assert f"{toy.package}/alpha/checks.py:" in text
    row = text[text.index('id="claim-A1"') : text.index('id="claim-A2"')]
    assert '<a href="#figure-line">Figure 1</a>' in row and 'data-figure="figure-line"' in row
    assert f'href="../../{toy.package}/alpha/checks.py"' in row
    entry = text.partition('id="claim-A2"')[2]
    shown = Page(entry.partition('<summary class="row">')[2].partition("</summary>")[0])
    assert " ".join("".join(shown.text).split()).endswith("two: 2 required ≤ 1")


def test_contradiction_is_told_at_the_top(toy):
    toy.replace_in_claims("alpha", 'expected = "refuted"', 'expected = "holds"')
    text = text_of(toy.run_all())
    assert "Against expectation: A2." in text and "expected verdict: holds" in text
    toy.replace_in_claims("alpha", 'expected = "holds"', 'expected = "open"')
    text = text_of(toy.run_all())
    assert "Against expectation" not in text and "Among them: 2 open (no evidence yet)." in text
    assert re.search(r"Open [^:]*, 2: <a [^>]*>A1</a>, <a [^>]*>A2</a>\.", text)


def test_a_condition_is_measured_and_shown_and_no_run_contradicts_it(toy):
    toy.replace_in_claims("alpha", '[[claim]]\nid = "A2"', '[[condition]]\nid = "A2"')
    toy.replace_in_claims(
        "alpha", '  [[claim.check]]\n  id = "A2', '  [[condition.check]]\n  id = "A2'
    )
    toy.replace_in_claims(
        "alpha", 'expected = "refuted"', 'sees = "a half"\nafter_a_look = "The bound."'
    )
    workspace = toy.run_all()
    ledger, text = collect(workspace), text_of(workspace)
    assert (ledger.summary.conditions, ledger.summary.contradictions) == (1, ())
    assert (
        "A2" in {row.id for row in ledger.claims} and ledger.summary.total == len(ledger.claims) - 1
    )
    assert "Beside them: 1 conditions, without an expectation." in text
    assert "<summary>1 comparisons" in text and re.search(r">A2</a> .*<td>a half</td>", text)
    assert "<dt>Smallest effect that it could see</dt><dd>a half</dd>" in text
    assert "<dt>Chosen after a look</dt><dd>The bound.</dd>" in text


def test_a_claim_s_particulars_and_conditions_stand_in_its_entry(toy):
    fields = (
        'target = "a Gaussian"\nbudget = "$N = 9$"\nconditions = ["Only once.", "Only '
        '$x$."]\nevidence = "algebra"'
    )
    toy.replace_in_claims("alpha", 'evidence = "algebra"', fields)
    entry = text_of(toy.workspace()).partition('id="claim-A1"')[2].partition("</li>\n<li id=")[0]
    assert "<dt>Target</dt><dd>a Gaussian</dd>" in entry and "<dt>Budget</dt><dd><math" in entry
    assert "<li>Only once.</li><li>Only <math" in entry and "<dt>Tuning</dt>" not in entry


def test_a_row_has_word_sentence_number_conditions_command_and_claims(toy):
    named = 'evidence = "exact law"\npaper = ["P2"]\nsupports = ["P1"]'
    toy.replace_in_claims("alpha", 'evidence = "exact law"', named)
    number = 'number = { check = "A2.two", label = "two, measured" }'
    condition = '[[finding.condition]]\nclaim = "A1"\nverdict = "holds"\ntext = "As one is one."\n'
    finding = (
        'paper = "P2"\nneeds = { A2 = "refuted" }\nfact = "Two is not small."\nfigure = "line"\n'
    )
    toy.write("paper/findings.toml", f"[[finding]]\n{finding}{number}\n{condition}")
    text = text_of(toy.run_all())
    row = text.partition('id="paper-P2"')[2].partition("</details></li>")[0]
    assert "</span> Refuted</strong>" in row and "Two is not small." in row
    assert "<b>2 [1.9, 2.1]</b> two, measured" in row
    assert re.search(
        r'As one is one\. <span class="soft">\(<a href="#claim-A1">A1</a>\)</span>', row
    )
    assert (
        f"<code>{toy.package}/alpha/checks.py:" in row and "<code>tests/test_toy.py</code>" in row
    )
    assert (
        "<code>bash reproduce.sh --profile quick --only P2</code>" in row
        and 'data-figure="figure-line"' in row
    )
    other = text.partition('id="paper-P1"')[2].partition('id="paper-P2"')[0]
    assert "One is one" in other and "Not decided by this suite yet" in other
    entry = text.partition('id="claim-A2"')[2]
    assert "(restates <a" in entry and "(supports <a" in entry


def test_the_first_screen_has_subject_answers_signs_and_the_picture_wide_and_narrow(toy):
    line = (
        '[[answer.line]]\nquestion = "Is it?"\npaper = ["P1"]\nneeds = { A1 = "holds" }\ntext '
        '= "It is."\n'
    )
    row = '[[answer.forest.row]]\nlabel = "one"\ndot = "A2.two"\n'
    forest = (
        f'[answer.forest]\naxis = "ones"\nclaimed = [2.0, 5.0]\ncaption = "Ones, drawn."\n{row}'
    )
    toy.write("paper/findings.toml", f'[answer]\nsubject = "It adds one."\n{line}{forest}')
    first = text_of(toy.run_all()).partition('<div class="first">')[2].partition("</figure>")[0]
    assert (
        "<p>It adds one.</p>" in first
        and "Is it?</dt><dd>It is.</dd>" in first
        and "Ones, drawn." in first
    )
    assert all(
        f'<img class="{shape}" src=\'data:image/svg+xml,<svg' in first
        for shape in ("wide", "narrow")
    )
    legend = re.sub(r"<[^>]*>", "", first.partition("Signs: ")[2].partition("</p>")[0])
    assert legend.split(", ")[:2] == ["✓ holds", "◐ holds in part"]


def test_in_the_sidebar_a_formula_is_plain_text(toy):
    toy.replace_in_module(
        "alpha/figures", '"a line, $y = x$"', r'r"a line of $\sqrt{\kappa} \le W_2$; and more"'
    )
    sidebar = text_of(toy.run_all()).partition("<nav")[2].partition("</nav>")[0]
    assert "</b> a line of √κ ≤ W2</a>" in sidebar and "$" not in sidebar


def test_failure_is_told_with_its_log(toy):
    toy.replace_in_module("beta/checks", "Measurement(value=3)", "1 / 0")
    text = text_of(toy.run_all())
    assert "A run failed: B1." in text
    assert "failed: ZeroDivisionError" in text and "logs/B1.log" in text


def test_before_any_run_nothing_is_shown_as_found(toy):
    text = text_of(toy.workspace())
    found = re.sub(r'<p class="soft legend">.*?</p>', "", text, flags=re.DOTALL)
    assert not Page(found).with_class("holds") and "contradict the paper): 4 not run" in text
    assert {row.attributes["data-verdict"] for row in Page(text).with_class("claim")} == {"not run"}


def test_figures_and_tables_are_shown_with_their_files(usual):
    text = usual[1]
    assert text.partition('id="figure-line"')[2].count("src='data:image/svg+xml,<svg") == 1
    assert 'href="figures/alpha/line.svg"' in text and 'href="figures/alpha/numbers.csv"' in text
    assert '<td class="n">2.5</td>' in text
    assert text.count('class="evidence-of"') == 1, "a group without figures has no place for them"


def test_a_figure_is_linked_as_what_it_is_there_as(usual, tmp_path):
    assert all(f'href="figures/alpha/line.{kind}"' in usual[1] for kind in ("pdf", "png"))
    for kind in ("svg", "png"):
        (tmp_path / f"line.{kind}").touch()
    assert pictures.Picture(tmp_path / "line.svg").kinds() == ["svg", "png"]


def test_an_edited_figure_is_not_shown(toy):
    workspace = toy.run_all()
    (workspace.folder / "figures" / "alpha" / "line.svg").write_text("<svg/>")
    text = text_of(workspace)
    assert (
        "line.svg was edited" in text
        and "figures of First group" in text
        and 'id="figure-line"' not in text
    )


def test_what_is_outside_of_the_profile_is_said_once(toy):
    for verdict in ("holds", "refuted"):
        entry = f'expected = "{verdict}"\nprofiles = '
        toy.replace_in_claims("alpha", entry + '["quick", "cpu", "paper"]', entry + '["cpu"]')
    text = text_of(toy.run_all())
    assert re.search(
        (
            r">A1</a>, <a [^>]*>A2</a>, <a [^>]*>B2</a>: not part of the quick profile: run "
            r"with --profile cpu"
        ),
        text,
    )
    assert text.count("not part of the quick profile") == 1, "said once"


def test_exhibits_link_to_what_stands_for_them(usual):
    text = usual[1]
    for anchor in ("claim-A1", "group-alpha", "figure-line", "table-numbers"):
        assert f'href="#{anchor}"' in text and f'id="{anchor}"' in text
    assert "nowhere" in text and "#nowhere" not in text
    assert "8 x 8; it is quick" in text and "<td>no weights</td>" in text and "not here" in text


def test_a_section_with_nothing_in_it_is_not_there(usual):
    ids = set(Page(usual[1]).ids())
    assert (
        "exhibits" in ids
        and not {"deviations", "limitations", "sampler", "benchmarks", "moved"} & ids
    )


def test_commit_and_device_are_told(usual):
    text = usual[1]
    assert (
        "unknown (not a git checkout)" in text and "device cpu" in text and "checks draw." in text
    )
    assert "Against expectation" not in text and "ams tried" not in text


def test_a_huge_svg_gives_way_to_its_pixels(tmp_path):
    file = tmp_path / "dots.svg"
    file.write_bytes(b"<svg/>" + b" " * pictures.LARGEST_SVG)
    file.with_suffix(".png").write_bytes(b"pixels")
    assert pictures.Picture(file).address().startswith("data:image/png;base64,")
    file.write_bytes(b"<svg/>")
    assert pictures.Picture(file).address() == "data:image/svg+xml,<svg/>"


def test_a_picture_s_address_ends_neither_itself_nor_its_attribute(tmp_path):
    file = tmp_path / "signs.svg"
    file.write_text('<svg><text fill="#333">it\'s 5% &amp; more</text></svg>')
    file.with_suffix(".png").write_bytes(b"pixels")
    address = Page(f"<img src='{pictures.Picture(file).address()}'>").addresses()[0]
    assert not set(address) & {"#", "'"}
    assert file.read_text() == unquote(address.removeprefix("data:image/svg+xml,"))


def test_of_a_long_table_the_page_shows_the_beginning_and_says_where_the_rest_is(toy):
    rows = "rows=((1, ONE), (2, 2.5))"
    toy.replace_in_module("alpha/figures", rows, "rows=tuple((n, 1000 + n) for n in range(61))")
    text = text_of(toy.run_all())
    assert ">1029<" in text and ">1030<" not in text and "and 31 more rows" in text


def test_notebook_page_is_linked_only_while_current(toy):
    toy.add_notebook("alpha", "```python\n1 + 1\n```\n")
    workspace = toy.run_all("cpu")
    assert "notebooks/alpha.html" not in text_of(workspace)
    assert make_page(workspace, workspace.claims.group[0]) == ""
    assert 'href="notebooks/alpha.html"' in text_of(workspace)
    toy.add_notebook("alpha", "```python\n1 + 2\n```\n")
    assert "notebooks/alpha.html" not in text_of(toy.workspace("cpu"))


def test_of_the_commits_of_one_machine_the_newest_result_s_is_told(usual):
    rows = [row for row in collect(usual[0].workspace()).claims if row.provenance]
    origins = [
        row.provenance.model_copy(update={"commit": at, "started": at})
        for row, at in zip(rows, "132", strict=True)
    ]
    changed = [
        row.model_copy(update={"provenance": each}) for row, each in zip(rows, origins, strict=True)
    ]
    ((environment, names),) = views.environments(changed)
    assert environment.commit == "3" and names == ["A1", "A2", "B1"]


def test_a_deviation_stands_beside_the_checks_that_measure_it(toy):
    text = text_of(toy.run_all())
    section = text[text.index('id="deviations"') : text.index('id="environment"')]
    assert (
        "none to speak of." in section
        and 'href="#claim-A2"' in section
        and "2 [1.9, 2.1]" in section
    )


def test_the_notation_is_shown_where_there_is_one(toy):
    notation = "step = ['$$x + a s, \\qquad b$$']\ncode = ['tests/test_toy.py:test_one']\n"
    toy.write("paper/notation.toml", f"{notation}[[symbol]]\nsign = '$s$'\nmeaning = 'the score'\n")
    text = text_of(toy.workspace())
    section = text[text.index('<section id="sampler"') : text.index('<section id="claims"')]
    assert (
        section.count("<math") == 3
        and "<td>the score</td>" in section
        and "def test_one" in section
    )
    toy.write("paper/notation.toml", "code = ['tests/test_toy.py:gone']")
    with pytest.raises(UserError, match=r"tests/test_toy\.py:gone: there is no such function"):
        text_of(toy.workspace())


def test_expected_values_stand_beside_the_measured_ones_with_what_moved(toy):
    expected_of(collect(toy.run_all()), {}, 0.0, 1.0).write(expected_path(toy.root, Profile.QUICK))
    same = text_of(toy.workspace())
    assert (
        "3 checks are where they were, 0 moved" in same
        and "Kept value 2 [1.9, 2.1]: as kept." in same
    )
    toy.replace_in_module(
        "alpha/checks", "value=2 * ONE, low=1.9, high=2.1", "value=3.5, low=3.4, high=3.6"
    )
    text = text_of(toy.run_all())
    assert (
        "2 checks are where they were, 1 moved" in text
        and "Kept value 2 [1.9, 2.1]: moved." in text
    )
    assert '<td class="n">3.5 [3.4, 3.6]</td><td class="n">≤ 1</td>' in text


def test_results_elsewhere_have_no_address_of_the_sources(toy, tmp_path_factory):
    folder, file = tmp_path_factory.mktemp("elsewhere"), f"{toy.package}/alpha/checks.py"
    assert address_of(toy.root, folder, f"{file}:3") == ""
    assert address_of(toy.root, toy.root / "results", f"{file}:3") == f"../{file}"


def test_benchmarks_are_shown_apart_and_only_while_current(toy):
    toy.replace_in_claims("beta", 'profiles = ["cpu"]', 'profiles = ["bench"]')
    toy.replace_in_module("beta/checks", "value=4", "value=4.37")
    toy.write("config/bench.toml", "one_process = true\nnotebooks = false\n")
    quick = toy.run_all()
    assert "B2" not in {row.id for row in collect(quick).claims}, (
        "benchmarks are no rows of another profile"
    )
    assert 'id="benchmarks"' not in (text := text_of(quick)) and "4.37" not in text
    bench = toy.run_all("bench")
    assert [row.id for row in collect(bench).claims] == ["B2"] and 'id="benchmarks"' not in text_of(
        bench
    )
    assert "4.37" in (text := text_of(quick)) and "bash reproduce.sh bench" in text
    toy.replace_in_module("beta/checks", "4.37", "4.38")
    assert "4.37" not in text_of(toy.workspace())


def test_sections_of_tools_are_shown_with_how_much_has_changed_since(toy):
    toy.run_all()
    table = Table(
        id="t", caption="c", header=("fault", "outcome"), rows=(("<one>", "caught"), ("two", 1.25))
    )
    files = {"tests/test_toy.py": toy.root, "verdicts/errors.py": PACKAGE_ROOT}
    sources = {name: sha256_of((root / name).read_bytes()) for name, root in files.items()}
    found = made("tried", title="Seeded faults", table=table, sources=sources)
    found.write(toy.root / "results" / SECTIONS / "mutate.json")
    text = text_of(toy.workspace())
    assert (
        "<h3>Seeded faults</h3>" in text
        and "<code>ams tried</code>" in text
        and "have changed since" not in text
    )
    assert "<td>&lt;one&gt;</td><td>caught</td>" in text and "<td>1.25</td>" in text
    toy.write("tests/test_toy.py", (toy.root / "tests/test_toy.py").read_text() + "# changed\n")
    assert "1 of the 2 files that it rests on have changed since" in text_of(toy.workspace())
