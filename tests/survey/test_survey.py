"""The survey of other libraries' samplers, and the falsifiers of its claims.

None of the libraries is needed: their reports and effects are made up, as the kit would return them.
"""

from importlib.metadata import PackageNotFoundError

import pytest

from ams.data.registry import CODE
from samplercheck import adapters
from survey import more
from survey.conformance import defects, derivations, study
from survey.conformance.settings import Settings
from tests.claims import claims, expected, verdict_of

OF_BUGS = ("F25", "F26", "F28", "F29")  # falsified in test_corpus.py and test_blind.py
GROUP = [claim for claim in claims().claim if claim.group == "conformance" and claim.id not in OF_BUGS]
LIBRARIES = [claim.id for claim in GROUP if len(claim.check) == 1]
DEFECTS = [claim.id for claim in GROUP if len(claim.check) > 1]


def made_up(verdict):
    return lambda settings, library: [(row, {"verdict": verdict, "why": ""}) for row in study.rows(settings, library)]


@pytest.mark.parametrize("claim", LIBRARIES)
def test_a_refuted_sampler_breaks_the_claims_of_libraries(claim, monkeypatch):
    settings = Settings(rows="full")
    monkeypatch.setattr(study, "reports", made_up("inconclusive"))
    assert verdict_of(claim, settings=settings) == "holds"
    monkeypatch.setattr(study, "reports", made_up("refuted"))
    assert verdict_of(claim, settings=settings) == "refuted"


@pytest.mark.parametrize("claim", DEFECTS)
def test_a_library_without_the_defect_breaks_its_claim(claim, monkeypatch):
    mended = dict.fromkeys((defects.order, defects.order_of_steps), 3.0)
    monkeypatch.setattr(defects, "measured", lambda name, fixed: mended.get(defects.DEFECTS[name].measure, 0.0))
    assert expected(claim) == "holds"
    assert verdict_of(claim, f"{claim}.shipped") == "refuted"


def of_a_library(library):
    """Return the packages and the registered files that a library's samplers come from."""
    if library in adapters.LIBRARIES:
        return {adapters.LIBRARIES[library].split()[-1]}, set()
    if library in more.SAMPLERS:  # its files are checked as a whole
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
    with pytest.raises(Exception, match="azula is not installed: python -m pip install azula") as refused:
        study.reports(Settings(), "azula")
    assert refused.value.not_run


def test_a_fix_holds_meanwhile_and_needs_its_text():
    place = "survey.conformance.derivations:churn_factor"
    with defects.applied({place: {"2 * t": "4 * t"}}):
        assert derivations.churn_factor() == 0.25
    assert derivations.churn_factor() == 0.5
    with pytest.raises(Exception, match="has changed") as refused, defects.applied({place: {"no such text": ""}}):
        pass
    assert refused.value.not_run
