"""The six rows: a word by the stated rule, short sentences by the strongest evidence, alike in
page, paper, README.

What people write for the report must fit the claims. Sections of tools are shown whole, with what
has changed since.
"""

import re

import pytest

from tests.claims import ROOT, claims
from tests.verdicts.report.pages import kept_values
from verdicts.claims.loading import load_claims
from verdicts.claims.schema import Expectation, Profile, Verdict
from verdicts.errors import UserError
from verdicts.records.expected import ExpectedCheck, expected_path, kept_runs
from verdicts.records.ledger import collect
from verdicts.report import page, paper
from verdicts.report.findings import (
    Decisions,
    PaperRow,
    Word,
    answers_of,
    meet,
    rows_beside,
    rows_of,
    tally,
    word_of,
)
from verdicts.report.report_texts import (
    load_findings,
    refuse_bad_texts,
)

CLAIMS = claims()
FINDINGS = load_findings(ROOT, CLAIMS)
KEPT = kept_runs(ROOT)
EVIDENCE = Decisions.strongest(KEPT)
ROWS = {row.id: row for row in rows_of(CLAIMS, FINDINGS, EVIDENCE)}
HOLDS, REFUTED, OPEN, NOT_RUN = Verdict


def without_intervals(text):
    """Return a text without the intervals of its values, which are no words."""
    return re.sub(r" \[[^\]]*\]", "", text)


by_claim = pytest.mark.parametrize("finding", FINDINGS.finding, ids=lambda finding: finding.paper)


@pytest.mark.parametrize(
    ("restating", "beside", "word"),
    [
        ([HOLDS, HOLDS], REFUTED, Word.HOLDS),
        ([HOLDS, REFUTED], HOLDS, Word.IN_PART),
        ([HOLDS, OPEN], HOLDS, Word.IN_PART),
        ([REFUTED, REFUTED], HOLDS, Word.REFUTED),
        ([REFUTED, OPEN], HOLDS, Word.NOT_SHOWN),
        ([HOLDS, NOT_RUN], HOLDS, Word.NOT_RUN),
        ([HOLDS], NOT_RUN, Word.NOT_RUN),
        ([], HOLDS, Word.NOT_RUN),
    ],
)
def test_the_word_follows_from_the_verdicts_of_the_claims_that_restate_once_all_were_run(
    restating, beside, word
):
    assert word_of([*restating, beside], restating) is word


@by_claim
def test_a_row_rests_on_every_claim_that_restates_and_its_sentences_are_shown_and_short(finding):
    run = {claim.id for claim in CLAIMS.restating(finding.paper) if claim.id in EVIDENCE.claims}
    assert run <= finding.claims, "a word is not to rest on a choice among the claims that restate"
    row = ROWS[finding.paper]
    assert EVIDENCE.give(finding.needs), (
        "the sentences need verdicts that the kept runs do not have"
    )
    assert row.fact and row.scope and row.number
    assert all(each.verdict is EVIDENCE.of_claim(each.claim) for each in finding.condition)
    texts = [row.fact, row.scope, row.number.label, *(each.text for each in row.conditions)]
    assert all(len(without_intervals(text).split()) <= 25 for text in texts)
    assert not re.findall(r"\b[A-Z]\d+[a-z]?\b", " ".join(texts)), "no id of a claim"
    assert any(
        f'"{finding.figure}"' in notebook.read_text() for notebook in ROOT.glob("*/**/notebook.md")
    )


def test_each_question_of_a_reader_is_answered_and_short():
    lines = answers_of(CLAIMS, FINDINGS, EVIDENCE)
    assert len(lines) == 3 and all(line.word is not Word.NOT_RUN for line in lines)
    sentences = [each for line in lines for each in re.split(r"(?<=[.?]) ", line.text)]
    assert all(1 < len(without_intervals(each).split()) <= 25 for each in sentences)


@by_claim
def test_no_bound_stands_where_an_estimate_was_measured(finding):
    used = [claim for claim in CLAIMS.claim if claim.id in finding.claims]
    limits = {
        x
        for claim in used
        for check in claim.check
        for x in (check.bound, check.bound + check.tolerance)
    }
    texts = " ".join([finding.fact, finding.scope, *(each.text for each in finding.condition)])
    prose = re.sub(r"\$[^$]*\$|\{[^}]*\}", " ", texts)
    found = {float(each) for each in re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?!\w)", prose)}
    assert not found & {limit for limit in limits if limit != int(limit)}


@pytest.mark.parametrize("run", KEPT, ids=lambda run: run.profile)
def test_a_kept_run_meets_its_expectations_and_its_number_agrees_or_the_row_says_why_not(run):
    because = {
        finding.paper: finding.number.because for finding in FINDINGS.finding if finding.number
    }
    for row in rows_of(CLAIMS, FINDINGS, EVIDENCE, Decisions.of(run)):
        assert row.number is None or row.number.agrees is not False or because[row.id], row
    known = {claim.id: claim for claim in CLAIMS.claim}
    assert run.claims.keys() <= known.keys()
    for name, claim in run.claims.items():
        assert known[name].agrees_with(claim.verdict) is not False, name
        assert claim.checks.keys() <= {check.id for check in known[name].check}, name


def test_what_kept_runs_decide_is_no_open_claim():
    opened = [claim.id for claim in CLAIMS.claim if claim.expected is Expectation.OPEN]
    assert not [name for name in opened if EVIDENCE.of_claim(name) in (HOLDS, REFUTED)]


def test_the_strongest_evidence_of_a_claim_is_the_kept_run_with_the_largest_sizes():
    runs = [
        kept_values("quick", CLAIMS, {"P1a": "holds", "P2": "inconclusive"}, 1.0),
        kept_values("full", CLAIMS, {"P2": "refuted"}, 3.0),
        kept_values("cpu", CLAIMS, {"P1a": "holds", "P2": "holds"}, 2.0),
    ]
    evidence = Decisions.strongest(runs)
    assert (evidence.claims["P2"].profile, evidence.of_claim("P2")) == (Profile.FULL, REFUTED)
    assert (evidence.claims["P1a"].profile, evidence.of_claim("P3")) == (Profile.CPU, NOT_RUN)
    values = {name.split(".")[0]: check.value for name, check in evidence.checks.items()}
    assert values == {"P2": 3.0, "P1a": 2.0}
    assert (
        evidence.origin
        == "Numbers: kept runs of full and cpu, made from 2031-02-03 to 2031-02-03 on Abacus."
    )


@pytest.fixture
def rows(toy):
    """Return a function that gives the rows of a toy whose A1 restates P1, and B1 and B2 P2,
    with a finding on P1.
    """
    toy.replace_in_claims("alpha", 'where = "here" }', 'where = "here" }\npaper = ["P1"]')
    toy.replace_in_claims("beta", 'where = "table 1" }', 'where = "table 1" }\npaper = ["P2"]')

    def made(verdict="holds", condition="", before=None):
        finding = (
            f'[[finding]]\npaper = "P1"\nneeds = {{ A1 = "{verdict}" }}\nfact = '
            f'"It is {{A1.one}} at $x$."\n'
        )
        number = 'number = { check = "A1.one", label = "units", because = "fewer steps" }'
        toy.write("paper/findings.toml", f'{finding}figure = "line"\n{number}\n{condition}')
        if before:
            (toy.root / "paper/expected").mkdir(parents=True, exist_ok=True)
            before.write(expected_path(toy.root, before.profile))
        workspace = toy.run_all()
        ledger = collect(workspace)
        found = rows_beside(toy.root, workspace.all_claims, ledger)
        text = page.build(workspace, ledger)[page.REPORT]
        assert all(row.word in text and row.id in text for row in found)
        assert paper.data_of(workspace, ledger)["paper"]
        return {row.id: row for row in found}

    return made


def test_a_row_shows_its_sentence_with_the_measured_value_only_under_its_verdicts(rows):
    row = rows()["P1"]
    assert (row.word, row.fact, row.figure, row.restating) == (
        Word.HOLDS,
        "It is 1 at $x$.",
        "line",
        ("A1",),
    )
    assert (row.number.value, row.number.label, row.number.own, row.number.agrees) == (
        "1",
        "units",
        "1",
        True,
    )
    assert rows("refuted")["P1"].fact == "A1 holds."


def test_a_condition_whose_claim_has_another_verdict_shows_the_claim_instead(rows):
    condition = '[[finding.condition]]\nclaim = "A2"\nverdict = "{}"\ntext = "But not far out."'
    assert (
        rows(condition=condition.format("refuted"))["P1"].conditions[0].text == "But not far out."
    )
    shown = rows(condition=condition.format("holds"))["P1"].conditions[0]
    assert (shown.verdict, shown.text != "But not far out.") == (REFUTED, True)


def test_kept_evidence_is_shown_and_what_this_run_decides_otherwise_is_named(rows, toy):
    before = kept_values("cpu", load_claims(toy.root), {"A1": "refuted"}, 7.0)
    row = rows(before=before)["P1"]
    assert (row.word, row.fact) == (Word.REFUTED, "A1 is refuted.")
    assert [(each.claim, each.verdict) for each in row.differing] == [("A1", HOLDS)]
    assert row.number.beside == "kept, cpu; this run 1, outside its interval: fewer steps"


def test_a_row_that_no_run_fills_says_which_profile_does(rows):
    row = rows()["P2"]
    assert (row.word, row.number) == (Word.NOT_RUN, None)
    assert "bash reproduce.sh --profile" in row.fact


def test_a_stricter_reading_has_a_word_of_its_own(rows, toy):
    stricter = '[finding.stricter]\nreading = "it is so far out"\nclaims = ["A1"]\n'
    row = rows(condition=stricter)["P1"]
    assert (row.word, row.stricter) == (Word.NOT_RUN, None), (
        "nothing is left that decides it as stated"
    )
    toy.replace_in_claims("alpha", 'where = "there" }', 'where = "there" }\npaper = ["P1"]')
    row = rows(condition=stricter)["P1"]
    assert (row.word, row.stricter.word) == (Word.REFUTED, Word.HOLDS)


@pytest.mark.parametrize(
    ("other", "met"), [((0.9, 1.0), True), ((1.2, 1.3), True), ((1.3, 1.4), False)]
)
def test_intervals_meet_where_they_share_a_value(other, met):
    def measured(low, high):
        return ExpectedCheck(value=low, low=low, high=high, verdict=HOLDS)

    assert meet(measured(1.0, 1.2), measured(*other)) is met


def test_claims_of_the_paper_and_ours_are_counted_apart():
    rows = [
        PaperRow("", "", word, "", restating=("A1", "A2"))
        for word in (Word.IN_PART, Word.HOLDS, Word.IN_PART)
    ]
    assert tally(
        rows, {"A1": HOLDS, "A2": REFUTED, "B1": HOLDS, "B2": HOLDS, "B3": NOT_RUN}, 1, 2
    ) == (
        "The paper's 3 claims, as stated: holds 1, holds in part 2. Of our 5 claims, "
        "2 restate these: 1 holds, "
        "1 refuted. The others explain or limit these, or test the suite (one that "
        "holds can contradict the paper): "
        "2 hold, 1 not run. Among them: 1 open (no evidence yet). Beside them: 2 "
        "conditions, without an expectation."
    )


WORK = """
[[work]]
id = "others"
title = "Work of others"
paper = "Someone, arXiv 0000.00000"
claims = ["That $x = 1$."]
scaled = ["One dimension."]
[[work.finding]]
needs = { A1 = "holds", A2 = "refuted" }
text = "It is {A1.one} (A1)."
[[work.finding]]
needs = { B1 = "refuted" }
text = "Never shown (B1)."
"""
FINDING = '[[finding]]\npaper = "P1"\nneeds = { A2 = "holds" }\nfact = "{A2.two}"\n'


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("related_work", '"others"', '"other"', "group.own_page"),
        ("related_work", "A2 =", "A9 =", "A9"),
        ("related_work", "{A1.one}", "{A1.two}", "A1.two"),
        (
            "deviations",
            "A2.two",
            "A2.tow",
            r"paper/deviations.toml: deviation\[one\].checks.*did you mean A2.two",
        ),
        ("findings", "{A2.two}", "{A9.two}", r"paper/findings.toml: finding\[P1\]: unknown check"),
    ],
)
def test_what_texts_name_must_exist(toy, name, old, new, message):
    toy.replace_in_claims("beta", 'part = "suite"', 'part = "suite"\nown_page = "others"')
    toy.write("paper/related_work.toml", WORK)
    toy.write("paper/findings.toml", FINDING)
    toy.replace(f"paper/{name}.toml", old, new)
    with pytest.raises(UserError, match=message):
        refuse_bad_texts(toy.root, Profile.QUICK, load_claims(toy.root))
