"""What a notebook shows of its group: what the last run left, else what is made on the spot."""

import pytest

from ams_suite.notebook import open_group
from ams_suite.project import PROJECT
from tests.verdicts.study_toy import calls, with_study
from verdicts.errors import UserError
from verdicts.run.group_page import GroupPage


@pytest.fixture
def toy(tmp_path, monkeypatch):
    toy = with_study(tmp_path)
    monkeypatch.chdir(toy.root)
    monkeypatch.delenv("VERDICTS_PROFILE", raising=False)
    return toy


def opened(name: str) -> GroupPage:
    return GroupPage(name, PROJECT)


def test_after_a_run_its_records_figures_and_tables_are_shown_and_nothing_is_computed(toy):
    toy.run_all()
    calls(toy)
    toy._forget()
    page = opened("gamma")
    shown = page.show("C1.energy", "C2.evaluations").data
    assert "<td>C1.energy</td><td>mean energy</td><td>1.125</td><td>= 1.125 </td>" in shown
    assert shown.count("<td>holds</td>") == 2
    assert "<p>energies</p>" in page.table("energies").data and "<td>1.25</td>" in page.table("energies").data
    assert calls(toy) == []
    assert "<svg" in opened("alpha").figure("line").data


def test_what_the_profile_leaves_out_is_not_computed(toy):
    assert "not part of the quick profile" in opened("beta").show("B2.four").data


def test_before_any_run_what_is_asked_for_is_made(toy):
    page = opened("gamma")
    assert "<td>1.125</td>" in page.show("C1.energy").data
    assert calls(toy) == ["one 0", "one 1", "one 2", "start one"]
    assert "<td>1.25</td>" in page.table("energies").data
    assert not (toy.folder() / "records").exists(), "a notebook decides nothing"
    assert "<svg" in opened("alpha").figure("line").data


def test_what_is_not_current_is_made_anew(toy):
    toy.run_all()
    toy.replace_in_module("alpha/checks", "value=2 * ONE, low=1.9, high=2.1", "value=0.5")
    shown = opened("alpha").show("A1.one", "A2.two").data
    assert "<td>0.5</td>" in shown and shown.count("<td>holds</td>") == 2


def test_an_interval_is_shown_and_texts_are_escaped(toy):
    toy.replace_in_claims("alpha", 'quantity = "two"', 'quantity = "two < three"')
    assert "<td>two &lt; three</td><td>2 [1.9, 2.1]</td>" in opened("alpha").show("A2.two").data


def test_a_check_that_cannot_be_run_says_why_and_the_others_are_shown(toy):
    absent = "from verdicts import Unavailable\n    raise Unavailable('more <batches>')"
    toy.replace_in_module("alpha/checks", "return Measurement(value=ONE, seeds=(1, 2), n=settings.steps)", absent)
    for made in (lambda: None, lambda: toy.run_all()):
        made()
        shown = opened("alpha").show("A1.one", "A2.two").data
        assert "<td>more &lt;batches&gt;</td>" in shown and "<td>not run</td>" in shown
        assert shown.count("<td>refuted</td>") == 1


def test_a_check_that_breaks_breaks_the_notebook(toy):
    toy.replace_in_module("alpha/checks", "return Measurement(value=ONE,", "return Measurement(value=1 / 0,")
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
