"""The six rows: a word by the stated rule, sentences that name what they rest on, alike in page, paper and README."""

import re

import pytest

from tests.claims import ROOT
from verdicts.claims.loading import load_claims
from verdicts.claims.schema import Profile, Verdict
from verdicts.records.expected import read_expected
from verdicts.records.ledger import collect
from verdicts.report import page, paper
from verdicts.report.findings import Outcome, Row, Word, rows_of, tally, word_of
from verdicts.report.report_texts import load_findings

CLAIMS = load_claims(ROOT)
FINDINGS = load_findings(ROOT, CLAIMS)
HOLDS, REFUTED, OPEN, NOT_RUN = Verdict
by_claim = pytest.mark.parametrize("finding", FINDINGS, ids=lambda finding: finding.paper)


@pytest.mark.parametrize(
    ("restating", "beside", "word"),
    [
        ([HOLDS, HOLDS], [REFUTED], Word.HOLDS),
        ([HOLDS, REFUTED], [], Word.PARTLY),
        ([HOLDS, OPEN], [], Word.PARTLY),
        ([REFUTED, OPEN], [HOLDS], Word.NOT_SUPPORTED),
        ([HOLDS, NOT_RUN], [], Word.NOT_TESTED),
        ([HOLDS], [NOT_RUN], Word.NOT_TESTED),
        ([], [HOLDS], Word.NOT_TESTED),
    ],
)
def test_the_word_follows_from_the_verdicts_of_the_claims_that_restate_once_all_were_run(restating, beside, word):
    assert word_of([*restating, *beside], restating) is word


@by_claim
def test_every_claim_that_a_sentence_names_is_needed(finding):
    def named(*texts):
        return set(re.findall(r"\b[A-Z]\d+[a-z]?\b", " ".join(texts)))

    needed = finding.needs.keys()
    assert named(finding.text) == needed and named(finding.number) <= needed
    assert named(finding.more) == finding.also.keys()
    assert {claim.id for claim in CLAIMS.restating(finding.paper) if Profile.CPU in claim.profiles} <= {
        *needed,
        *finding.also,
    }, "a word is not to rest on a choice among the claims that restate"


@by_claim
def test_the_row_of_a_claim_shows_a_check_that_the_number_names(finding):
    kept, named = read_expected(ROOT, Profile.CPU).claims, set(finding.values_in(finding.number))
    for claim in CLAIMS.claim:
        if named & {check.id for check in claim.check}:
            checks = kept[claim.id].checks
            assert next(each.id for each in claim.check if checks[each.id].verdict is kept[claim.id].verdict) in named


@by_claim
def test_the_figure_of_a_result_is_one_that_a_notebook_shows(finding):
    assert any(f'"{finding.figure}"' in notebook.read_text() for notebook in ROOT.glob("*/**/notebook.md"))


@by_claim
def test_no_bound_stands_where_an_estimate_was_measured(finding):
    used = [claim for claim in CLAIMS.claim if claim.id in {*finding.needs, *finding.also}]
    limits = {x for claim in used for check in claim.check for x in (check.bound, check.bound + check.tolerance)}
    prose = re.sub(r"\$[^$]*\$|\{[^}]*\}", " ", f"{finding.text} {finding.more} {finding.number} {finding.answer}")
    assert not {float(found) for found in re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?!\w)", prose)} & limits
    assert finding.number == "" or finding.values_in(finding.number)


@pytest.fixture
def rows(toy):
    """Return a function that gives the rows of a toy whose A1 restates P1, and B1 and B2 P2, with a finding on P1."""
    toy.replace_in_claims("alpha", 'where = "here" }', 'where = "here" }\npaper = ["P1"]')
    toy.replace_in_claims("beta", 'where = "table 1" }', 'where = "table 1" }\npaper = ["P2"]')

    def made(verdict="holds", more=""):
        finding = f'[[finding]]\npaper = "P1"\nneeds = {{ A1 = "{verdict}" }}\ntext = "It is {{A1.one}} at $x$ (A1)."\n'
        number = 'number = "{A1.one} units ({A1.one:required})"\nanswer = "Yes: {A1.one}."'
        toy.write("paper/findings.toml", f'{finding}figure = "line"\n{number}\n{more}')
        workspace = toy.run_all()
        claims, ledger = load_claims(toy.root), collect(workspace)
        found = rows_of(claims, load_findings(toy.root, claims), Outcome.of(ledger))
        tested = [row.word for row in found if row.word is not Word.NOT_TESTED]
        assert [row["word"] for row in paper.data_of(workspace, ledger)["paper"]] == tested
        text = page.build(workspace, ledger)[page.REPORT]
        assert all(f">{row.word}</td>" in text for row in found)
        return {row.id: row for row in found}

    return made


def test_a_row_tells_its_sentence_with_the_measured_value_only_under_its_verdicts(rows):
    number = "1 units (= 1 ± 1e−12)"
    told = (Word.HOLDS, "It is 1 at $x$ (A1).", number, "line", "Yes: 1.", ("A1",))
    assert rows()["P1"] == ("P1", "One is one", *told)
    assert rows("refuted")["P1"][2:] == (Word.HOLDS, "A1 holds.", number, "line", "", ("A1",))


def test_what_may_be_added_is_told_only_where_it_was_run(rows):
    assert rows(more='also = { A2 = "refuted" }\nmore = "More (A2)."')["P1"].sentence.endswith("(A1). More (A2).")
    assert rows(more='also = { B2 = "holds" }\nmore = "More (B2)."')["P1"].sentence.endswith("(A1).")


def test_a_sentence_stands_where_only_what_may_be_added_has_another_verdict(rows):
    row = rows(more='also = { A2 = "holds" }\nmore = "More (A2)."')["P1"]
    assert (row.sentence, row.answer) == ("It is 1 at $x$ (A1).", "")


def test_a_row_that_the_profile_cannot_fill_says_which_one_does(rows):
    row = rows()["P2"]
    assert (row.word, row.number) == (Word.NOT_TESTED, "")
    assert row.sentence == "Not run: B2. `bash reproduce.sh --profile cpu --only B2` runs it."


def test_claims_of_the_paper_and_ours_are_counted_apart():
    rows = [Row("", "", word, "", "", "", "", ("A1", "A2")) for word in (Word.PARTLY, Word.HOLDS, Word.PARTLY)]
    assert tally(rows, {"A1": HOLDS, "A2": REFUTED, "B1": HOLDS, "B2": HOLDS, "B3": NOT_RUN}, ["B3"]) == (
        "Of the paper's 3 claims: 1 holds, 2 partly. Of our 5 claims, 2 restate these: 1 holds, 1 refuted. The others "
        "explain or limit these, or test the suite (one that holds can contradict the paper): 2 hold, 1 not run. "
        "Of 1 nothing is expected (open): B3."
    )
