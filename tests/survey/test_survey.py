"""The survey of other libraries' samplers, and the falsifiers of its claims.

None of the libraries is needed: their reports and effects are made up, as the kit would return
them. Of the corpus of reported bugs and of the blind trial: their lists, their code, and one true
verdict each.
"""

import ast
from collections import Counter
from dataclasses import replace
from functools import partial
from importlib.metadata import PackageNotFoundError

import pytest

from ams.data.registry import CODE
from samplercheck import adapters, conform
from samplercheck.invariants import invariants
from samplercheck.stated_levels import levels_of
from survey import libraries
from survey.conformance import checks, defects, study, trials
from survey.conformance.settings import Settings
from tests.claims import claim_of, claims, expected, refuted, upheld, verdict_of

OF_REPORTS = ("F25.stated", "F26.after", "F30.before", "F31.stated", "F32.after")
OF_BUGS = ("F25", "F28", "F30")  # claims whose checks are falsified below
GROUP = [
    claim for claim in claims().claim if claim.group == "conformance" and claim.id not in OF_BUGS
]
CHECKS = [check.id for claim in GROUP for check in claim.check]
LIBRARIES = [name for name in CHECKS if name.endswith(".refuted")]
DEFECTS = [name.removesuffix(".shipped") for name in CHECKS if name.endswith(".shipped")]
REPORTED = {row["id"] for half in ("judging", "held out") for row in trials.reported(half)}
BLIND = {row["id"]: row for row in trials.samplers(trials.FULL)}
SEEN, MISSED = "diffusers-dpm-single-last-order", "dalle2-ddim-noise-last-step"
PATCH = """Project: survey 1, survey=survey
License: MIT, https://a.b
Mends: nothing.
Find: a.md

diff --git a/survey/conformance/checks.py b/survey/conformance/checks.py
--- a/survey/conformance/checks.py
+++ b/survey/conformance/checks.py
@@ -90,1 +90,4 @@
+def halved(value):
+    return value / 2
+
 def churn_factor() -> float:
@@ -92,2 +95,2 @@
     t = sp.Symbol("t", positive=True)
-    return float((sp.diff(sp.sqrt(t) ** 2, t) / (2 * t)).subs(t, 1))
+    return float((sp.diff(sp.sqrt(t) ** 2, t) / (4 * t)).subs(t, 1))
"""


def made_up(verdict):
    return lambda settings, library: [
        (row, {"verdict": verdict, "why": ""}) for row in study.rows(settings, library)
    ]


@pytest.mark.parametrize("check", LIBRARIES)
def test_a_refuted_sampler_breaks_the_claims_of_libraries(check, monkeypatch):
    settings = Settings(rows="full")
    monkeypatch.setattr(study, "reports", made_up("inconclusive"))
    assert verdict_of(claim_of(check), check, settings=settings) == "holds"
    monkeypatch.setattr(study, "reports", made_up("refuted"))
    assert verdict_of(claim_of(check), check, settings=settings) == "refuted"


def test_a_mended_sampler_would_make_the_claims_of_libraries_hold(monkeypatch):
    """Falsifier of the refutations F1, F2 and F9: the kit's own report on a reported bug, then
    on its fix.
    """

    def reports(fixed, settings, library):
        return [(row, trials.of_bug(SEEN, fixed)) for row in study.rows(settings, library)]

    monkeypatch.setattr(study, "reports", partial(reports, False))
    with upheld("F1", "F2", "F9", settings=Settings(rows="full")):
        monkeypatch.setattr(study, "reports", partial(reports, True))


@pytest.mark.parametrize("find", DEFECTS)
def test_a_library_without_the_defect_breaks_its_claim(find, monkeypatch):
    mended = dict.fromkeys((defects.order, defects.order_of_steps), 3.0)
    monkeypatch.setattr(
        defects, "measured", lambda name, fixed: mended.get(defects.DEFECTS[name].measure, 0.0)
    )
    assert expected(claim_of(f"{find}.shipped")) == "holds"
    assert refuted(find, "shipped")


def of_a_library(library):
    """Return the packages and the registered files that a library's samplers come from."""
    if library in adapters.LIBRARIES:
        return {adapters.LIBRARIES[library].split()[-1]}, set()
    if library in libraries.MORE:  # its files are checked as a whole
        return {"diffusers", "k-diffusion", "torchdiffeq"}, set()
    return set(), {library, *(name for name in CODE if name.startswith(f"{library}-"))}


@pytest.mark.parametrize("claim", GROUP, ids=lambda claim: claim.id)
def test_a_claim_names_what_its_libraries_come_from(claim, monkeypatch):
    """So a release that is upgraded makes its record stale."""
    asked = set()
    monkeypatch.setattr(study, "reports", lambda settings, library: asked.add(library) or [])

    def measured(name, fixed):
        asked.add(defects.DEFECTS[name].sampler.partition(":")[0])
        return 1.0

    monkeypatch.setattr(defects, "measured", measured)
    verdict_of(claim.id, settings=Settings(rows="full"))
    packages, files = map(set().union, *(of_a_library(library) for library in asked))
    assert set(claim.packages) == packages
    assert {name for name in claim.data if "/" not in name} == files


def test_the_survey_names_at_least_120_samplers_once():
    rows = study.rows(Settings(rows="full"))
    assert len({row.library + row.name for row in rows}) == len(rows) >= 120
    assert len(study.rows(Settings(rows="cpu"))) >= 40


def test_a_library_that_is_not_installed_is_not_run(monkeypatch):
    def version(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(adapters, "version", version)
    assert not list(study.cells(Settings()))
    with pytest.raises(
        Exception, match="azula is not installed: python -m pip install azula"
    ) as refused:
        study.reports(Settings(), "azula")
    assert refused.value.not_run


def test_a_patch_holds_meanwhile_and_needs_its_lines(tmp_path, monkeypatch):
    """It may be some lines off; a function that it adds is there too."""
    monkeypatch.setattr(defects, "FINDS", tmp_path)
    (tmp_path / "fits.patch").write_text(PATCH)
    (tmp_path / "fits_not.patch").write_text(PATCH.replace("subs(t, 1)", "subs(t, 2)"))
    with defects.applied("fits"):
        assert checks.churn_factor() == 0.25 and checks.halved(2) == 1
    assert checks.churn_factor() == 0.5 and not hasattr(checks, "halved")
    with pytest.raises(Exception, match="has changed") as refused, defects.applied("fits_not"):
        pass
    assert refused.value.not_run


def test_every_judging_row_is_restated_or_counts_as_missed() -> None:
    reasons = {
        name
        for file in trials.CORPUS.glob("[!_]*.py")
        for name in adapters.module_of(file).NOT_ASKED
    }
    assert {*trials.restated(), *reasons} == REPORTED and not {*trials.restated()} & reasons


def test_bugs_that_are_seen_would_make_f30_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of the refutation F30: the kit's own reports on a bug that it misses and one that
    it sees.

    Then the second in the place of the first.
    """
    rows = [{"id": MISSED}, {"id": SEEN}]
    monkeypatch.setattr(trials, "reported", lambda half: rows)
    with upheld("F30", settings=Settings(rows="full", bugs=True)):
        monkeypatch.setattr(trials, "reported", lambda half: rows[1:])


def test_a_verdict_that_turns_breaks_the_claims_of_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    def verdicts() -> set[str]:
        settings = Settings(rows="full", bugs=True)
        return {verdict_of(claim_of(check), check, settings=settings) for check in OF_REPORTS}

    monkeypatch.setattr(trials, "refuted_by_statement", lambda name, code: "")
    monkeypatch.setattr(
        trials,
        "of_bug",
        lambda name, fixed: {"verdict": "holds" if fixed else "refuted", "why": ""},
    )
    assert verdicts() == {"holds"}
    assert [row[1:4] for row in trials.table_of_bugs().rows] == [
        ("refuted", "refuted", "holds")
    ] * len(REPORTED)
    monkeypatch.setattr(
        trials,
        "of_bug",
        lambda name, fixed: {"verdict": "refuted" if fixed else "holds", "why": ""},
    )
    assert verdicts() == {"refuted"}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("diffusers-dpm-cosine-lambda-clip", "levels: of 21 steps, call 1: "),
        ("controlnet-ddim-alphas-prev-start", "levels: of 21 steps, end: "),
        ("candle-linspace-one-step", "finite: "),
        ("diffusers-ddim-inverse-shift", "levels: of 21 steps, call 1: "),
        ("diffusers-lcm-uneven-spread", "levels: of 20 steps, call 20: "),
        ("refiners-dpm-bfloat16-constants", "bfloat16: in bfloat16, of 20 steps, call 3: "),
        ("dalle2-ddim-noise-last-step", ""),
    ],
)
def test_what_the_fixed_sampler_states_refutes_what_differs_from_it(name: str, why: str) -> None:
    sampler, code = trials.restated()[name]
    told = trials.refuted_by_statement.wrapped(name, code)
    assert told.startswith(why) if why else told == ""
    assert invariants(replace(sampler(True), levels=partial(levels_of, sampler(True))))[
        "levels"
    ].holds


@pytest.mark.parametrize(
    ("name", "after"),
    [("diffusers-dpm-single-last-order", "holds"), ("sdcpp-lms-history-index", "inconclusive")],
)
def test_a_restated_bug_is_refuted_and_its_fix_is_not(name: str, after: str) -> None:
    sampler, _ = trials.restated()[name]
    assert [conform(sampler(fixed)).verdict for fixed in (False, True)] == ["refuted", after]


def test_the_list_has_each_sampler_of_the_code_once_with_the_verdict_of_the_first_trial() -> None:
    bodies = [
        ast.parse(file.read_text(encoding="utf-8")).body for file in trials.BLIND.glob("[!_]*.py")
    ]
    assigned = [
        node.targets[0].id for body in bodies for node in body if isinstance(node, ast.Assign)
    ]
    defined = [
        node.name
        for body in bodies
        for node in body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    ]
    written = [name for name in (*assigned, *defined) if name.split("_")[0][1:].isdigit()]
    assert sorted(written) == sorted(row["name"] for row in BLIND.values())
    assert Counter(row["right"] for row in BLIND.values()) == {True: 40, False: 60}
    first = Counter((row["right"], row["first"]) for row in BLIND.values())
    assert (first[True, "refuted"], first[False, "refuted"]) == (0, 49)


def test_a_verdict_that_turns_breaks_each_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    def of_blind(row: dict[str, object]) -> dict[str, str]:
        return {
            "verdict": "holds" if row["right"] is not (row["id"] in turned) else "refuted",
            "why": "",
        }

    monkeypatch.setattr(trials, "of_blind", of_blind)
    wrong = [name for name, row in BLIND.items() if not row["right"]]
    turned = wrong[:6]
    assert verdict_of("F28", settings=trials.FULL) == "holds"
    assert verdict_of("F25", "F29.wrong", trials.FULL) == "holds"
    assert Counter(row[1] for row in trials.table_of_blind_samplers().rows) == {
        "holds": 46,
        "refuted": 54,
    }
    turned = ["r40", *wrong[:7]]
    assert refuted("F28", "right", settings=trials.FULL)
    assert refuted("F29", "wrong", settings=trials.FULL)


@pytest.mark.parametrize(
    ("name", "verdict"), [("r15", "holds"), ("w19", "refuted"), ("w60", "refuted")]
)
def test_a_blind_sampler_is_judged_truly(name: str, verdict: str) -> None:
    assert trials.of_blind(BLIND[name])["verdict"] == verdict


def test_the_profile_cpu_asks_a_few_right_samplers_and_quick_none() -> None:
    few = [row["right"] for row in trials.samplers(Settings(rows="cpu"))]
    assert few == [True] * 8 and len(trials.cells(Settings(rows="cpu"))) == 8
    assert not trials.samplers(Settings())
