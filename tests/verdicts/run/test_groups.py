"""A group: how its checks are called, what its figures and its page depend on, what its notebook
shows.
"""

import shutil
from importlib.metadata import PackageNotFoundError

import pytest

from ams_suite.notebook import open_group
from ams_suite.project import PROJECT
from tests.verdicts.toy import calls, with_study
from verdicts.errors import UserError
from verdicts.records import workspace as places
from verdicts.run.group_page import GroupPage

MEASURE = 'measure = "more.powers"\n  with = { of = [1.0, 2.0], at = 2 }'
MORE = """
from verdicts import Measurement


def powers(of: tuple[float, ...], at: int, settings: object = None) -> float:
    assert isinstance(of, tuple) and settings.steps
    return sum(each**at for each in of) - 4
"""


@pytest.fixture
def toy(tmp_path, monkeypatch):
    toy = with_study(tmp_path / "toy")
    toy.add_notebook("alpha", "```python\n1\n```\n")
    monkeypatch.chdir(toy.root)
    monkeypatch.delenv("VERDICTS_PROFILE", raising=False)
    return toy


def test_the_function_is_called_with_settings_and_the_arguments_of_the_entry(toy):
    toy.write(f"{toy.package}/alpha/more.py", MORE)
    toy.replace_in_claims("alpha", 'measure = "checks.one"', MEASURE)
    toy.run_all()
    record = toy.record("A1").read_text()
    assert '"holds"' in record and f"{toy.package}/alpha/more.py:5" in record
    toy.replace_in_claims("alpha", "at = 2", "at = 3")
    workspace = toy.run_all()
    assert '"refuted"' in toy.record("A1").read_text()
    claim = workspace.claims.claim[0]
    before = workspace.record_parts(claim)
    toy.replace_in_module("alpha/more", "- 4", "- 4 + 0")
    assert before != toy.workspace().record_parts(claim), "it rests on the module that is named"


def page_parts(toy):
    workspace = toy.workspace()
    return workspace.page_parts(workspace.claims.group[0])


def figures_parts(toy):
    workspace = toy.workspace()
    return workspace.figures_parts(workspace.claims.group[0])


@pytest.mark.parametrize(
    ("parts", "place", "old", "new", "stale"),
    [
        (
            page_parts,
            "alpha",
            "tolerance = 1e-12",
            "tolerance = 1e-3",
            "its entry in the claims file",
        ),
        (
            page_parts,
            "alpha",
            'quantity = "one"',
            'quantity = "unity"',
            "its entry in the claims file",
        ),
        (
            page_parts,
            "alpha",
            'title = "First group"',
            'title = "A group"',
            "its entry in the claims file",
        ),
        (page_parts, "alpha", "One is one", "One is 1", ""),
        (page_parts, "beta", 'quantity = "three"', 'quantity = "a third"', ""),
        (
            figures_parts,
            "",
            "notebooks = false",
            "notebooks = false\nevery_picture = false",
            "its settings",
        ),
    ],
)
def test_pages_and_figures_are_stale_where_what_they_show_changes(
    toy, parts, place, old, new, stale
):
    before = parts(toy)
    toy.replace(f"{toy.package}/{place}/claims.toml" if place else "config/quick.toml", old, new)
    after = parts(toy)
    assert (after.changes_since(before) if after.key != before.key else "") == (
        stale and f"{stale} changed"
    )


def test_figures_are_stale_when_what_draws_them_changes(toy, tmp_path, monkeypatch):
    shutil.copytree(places.PACKAGE_ROOT / "verdicts", tmp_path / "src" / "verdicts")
    monkeypatch.setattr(places, "PACKAGE_ROOT", tmp_path / "src")
    before = figures_parts(toy)
    with (tmp_path / "src/verdicts/run/drawing.py").open("a") as stream:
        stream.write("# changed\n")
    assert figures_parts(toy).changes_since(before) == "verdicts/run/drawing.py changed"


@pytest.mark.parametrize("before", ["1.0", None], ids=["upgraded", "installed"])
def test_a_record_is_stale_when_a_package_that_its_claim_names_changes(toy, monkeypatch, before):
    place = 'falsifier = "tests/test_toy.py::test_one"'
    toy.replace_in_claims("alpha", place, f'{place}\npackages = ["peer"]')
    installed = {"peer": before}

    def release(package):
        if installed[package] is None:
            raise PackageNotFoundError(package)
        return installed[package]

    monkeypatch.setattr(places, "version", release)
    workspace = toy.workspace()
    named, *others = (
        claim for claim in workspace.claims.claim if workspace.profile in claim.profiles
    )
    old = {claim.id: workspace.record_parts(claim) for claim in workspace.claims.claim}
    study = figures_parts(toy)
    installed["peer"] = "2.0"
    assert workspace.record_parts(named).changes_since(old[named.id]) == "package peer changed"
    assert all(workspace.record_parts(claim) == old[claim.id] for claim in others)
    assert figures_parts(toy).changes_since(study) == "package peer changed"


def opened(name: str) -> GroupPage:
    return GroupPage(name, PROJECT)


def test_after_a_run_its_records_figures_and_tables_are_shown_and_nothing_is_computed(toy):
    toy.run_all()
    calls(toy)
    toy.forget()
    page = opened("gamma")
    shown = page.show("C1.energy", "C2.evaluations").data
    assert "<td>C1.energy</td><td>mean energy</td><td>1.125</td><td>= 1.125 </td>" in shown
    assert shown.count("<td>holds</td>") == 2
    assert (
        "<p>energies</p>" in page.table("energies").data
        and "<td>1.25</td>" in page.table("energies").data
    )
    assert calls(toy) == []
    assert "<svg" in opened("alpha").figure("line").data


def test_before_any_run_what_is_asked_for_is_made(toy):
    page = opened("gamma")
    assert "<td>1.125</td>" in page.show("C1.energy").data
    assert calls(toy) == ["one 0", "one 1", "one 2", "start one"]
    assert "<td>1.25</td>" in page.table("energies").data
    assert not (toy.folder() / "records").exists(), "a notebook decides nothing"
    assert "<svg" in opened("alpha").figure("line").data


def test_a_check_that_cannot_be_run_says_why_and_the_others_are_shown(toy):
    absent = "from verdicts import Unavailable\n    raise Unavailable('more <batches>')"
    toy.replace_in_module(
        "alpha/checks", "return Measurement(value=ONE, seeds=(1, 2), n=settings.steps)", absent
    )
    for made in (lambda: None, lambda: toy.run_all()):
        made()
        shown = opened("alpha").show("A1.one", "A2.two").data
        assert "<td>more &lt;batches&gt;</td>" in shown and "<td>not run</td>" in shown
        assert shown.count("<td>refuted</td>") == 1


def test_a_check_that_breaks_breaks_the_notebook(toy):
    toy.replace_in_module(
        "alpha/checks", "return Measurement(value=ONE,", "return Measurement(value=1 / 0,"
    )
    with pytest.raises(ZeroDivisionError):
        opened("alpha").show("A1.one")


def test_the_profile_is_the_one_that_is_asked_for(toy, monkeypatch):
    assert open_group("alpha").settings.steps == 3
    toy.write("config/cpu.toml", "[groups.alpha]\nsteps = 9\n")
    monkeypatch.setenv("VERDICTS_PROFILE", "cpu")
    monkeypatch.setenv("VERDICTS_OUT", str(toy.root / "elsewhere"))
    page = open_group("alpha")
    assert page.settings.steps == 9 and page.workspace.folder == toy.root / "elsewhere" / "cpu"


def test_names_that_are_not_there_are_told(toy):
    with pytest.raises(UserError, match="unknown group 'alpah': did you mean alpha"):
        opened("alpah")
    page = opened("alpha")
    with pytest.raises(LookupError, match=r"alpha has no check B1\.three"):
        page.show("B1.three")
    for absent in (page.table("gone"), page.figure("gone")):
        assert "gone: not made in the quick profile" in absent.data
