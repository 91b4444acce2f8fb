"""What notebooks are given: their group's settings, its checks as they come out, its tables."""

import importlib
import shutil

import pytest
from matplotlib import pyplot

from ams_suite.project import PROJECT
from tests.verdicts.toy import REPOSITORY, Toy
from verdicts import Table
from verdicts.errors import UserError
from verdicts.report.notebook_helpers import settings_of, show, show_table
from verdicts.studies import Store
from verdicts.studies.cells import Memory, active, using


@pytest.fixture
def toy(tmp_path, monkeypatch):
    toy = Toy.make(tmp_path)
    shutil.copy(REPOSITORY / "paper/style.mplstyle", tmp_path / "paper/style.mplstyle")
    monkeypatch.chdir(toy.root)
    monkeypatch.syspath_prepend(str(toy.root))
    return toy


@pytest.fixture(autouse=True)
def untouched():
    """Leave the store and the figures' style of the other tests as they are."""
    with using(Memory()), pyplot.rc_context():
        yield


def test_a_table_is_shown_under_its_caption_and_escaped():
    table = Table(id="a", caption="x < y", header=("name", "value"), rows=(("<b>", 0.123456),), claims=())
    shown = show_table(table).data
    assert "<p>x &lt; y</p>" in shown and "<th>value</th>" in shown
    assert "<td>&lt;b&gt;</td><td>0.1235</td>" in shown


def test_a_check_that_cannot_be_run_says_why_and_the_others_are_shown(toy):
    absent = "from verdicts import Unavailable\n    raise Unavailable('more <batches>')"
    toy.replace_in_module("alpha/checks", "return Measurement(value=ONE, seeds=(1, 2), n=settings.steps)", absent)
    shown = show("alpha", settings_of("alpha"), "A1.one", "A2.two").data
    assert "<td>more &lt;batches&gt;</td>" in shown and "<td>not run</td>" in shown
    assert "<td>2 [1.9, 2.1]</td>" in shown and shown.count("<td>refuted</td>") == 1


def test_a_check_that_breaks_breaks_the_notebook(toy):
    toy.replace_in_module("alpha/checks", "return Measurement(value=ONE,", "return Measurement(value=1 / 0,")
    with pytest.raises(ZeroDivisionError):
        show("alpha", settings_of("alpha"), "A1.one")


@pytest.mark.parametrize(("variable", "profile", "steps"), [("", "", 3), ("cpu", "", 9), ("cpu", "quick", 3)])
def test_settings_are_those_of_the_profile_that_is_asked_for(toy, monkeypatch, variable, profile, steps):
    toy.write("config/cpu.toml", "[groups.alpha]\nsteps = 9\n")
    if variable:
        monkeypatch.setenv("VERDICTS_PROFILE", variable)
    assert settings_of("alpha", profile).steps == steps
    assert settings_of(importlib.import_module(f"{toy.package}.alpha"), profile).steps == steps
    assert isinstance(active(), Memory), "by hand, what is needed is computed"


def test_in_a_run_cells_are_read_from_the_results(toy, monkeypatch):
    monkeypatch.setenv("VERDICTS_OUT", str(toy.root / "results"))
    monkeypatch.setenv("VERDICTS_PROJECT", PROJECT.place)
    settings_of("alpha")
    store = active()
    assert isinstance(store, Store) and store.reading
    assert store.folder == toy.root / "results" / "cells"


def test_an_unknown_group_is_named(toy):
    with pytest.raises(UserError, match="unknown group 'alpah': did you mean alpha"):
        settings_of("alpah")
