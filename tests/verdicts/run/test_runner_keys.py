"""What figures, tables and notebook pages depend on: a change of any of it makes them stale, no other change does."""

import shutil
from importlib.metadata import PackageNotFoundError

import pytest

from tests.verdicts.toy import Toy
from verdicts.records import workspace as places


@pytest.fixture
def toy(tmp_path):
    toy = Toy.make(tmp_path / "toy")
    toy.add_notebook("alpha", kind="py", text="# %%\n1\n")
    return toy


def page_parts(toy):
    workspace = toy.workspace()
    return workspace.page_parts(workspace.claims.group[0])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("tolerance = 1e-12", "tolerance = 1e-3"),
        ('relation = "<="\n  bound = 1.0', 'relation = "<="\n  bound = 3.0'),
        ('quantity = "one"', 'quantity = "unity"'),
        ('origin = "rounding"', 'origin = "algebra"'),
        ('title = "First group"', 'title = "Group one"'),
    ],
)
def test_a_notebook_page_is_stale_when_what_it_says_of_a_check_changes(toy, old, new):
    before = page_parts(toy)
    toy.replace_in_claims("alpha", old, new)
    assert page_parts(toy).changes_since(before) == "its entry in the claims file changed"


@pytest.mark.parametrize(
    ("group", "old", "new"),
    [("alpha", "One is one", "One is 1"), ("beta", 'quantity = "three"', 'quantity = "a third"')],
)
def test_a_notebook_page_stays_current_when_what_it_does_not_show_changes(toy, group, old, new):
    before = page_parts(toy)
    toy.replace_in_claims(group, old, new)
    assert page_parts(toy).key == before.key


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
    named, *others = (claim for claim in workspace.claims.claim if workspace.profile in claim.profiles)
    old = {claim.id: workspace.record_parts(claim) for claim in workspace.claims.claim}
    study = figures_parts(toy)
    installed["peer"] = "2.0"
    assert workspace.record_parts(named).changes_since(old[named.id]) == "package peer changed"
    assert all(workspace.record_parts(claim) == old[claim.id] for claim in others)
    assert figures_parts(toy).changes_since(study) == "package peer changed"


def figures_parts(toy):
    workspace = toy.workspace()
    return workspace.figures_parts(workspace.claims.group[0])


@pytest.mark.parametrize("maker", ["verdicts/records/booktabs.py", "verdicts/run/drawing.py"])
def test_figures_are_stale_when_what_draws_or_writes_them_changes(toy, tmp_path, monkeypatch, maker):
    shutil.copytree(places.PACKAGE_ROOT / "verdicts", tmp_path / "src" / "verdicts")
    monkeypatch.setattr(places, "PACKAGE_ROOT", tmp_path / "src")
    before = figures_parts(toy)
    with (tmp_path / "src" / maker).open("a") as stream:
        stream.write("# changed\n")
    assert figures_parts(toy).changes_since(before) == f"{maker} changed"


def test_figures_are_stale_when_other_kinds_of_files_are_wanted(toy):
    before, settings = figures_parts(toy), toy.workspace().config_digest(toy.workspace().claims.group[0])
    toy.replace("config/quick.toml", "notebooks = false", "notebooks = false\nevery_picture = false")
    assert figures_parts(toy).changes_since(before) == "its settings changed"
    assert toy.workspace().config_digest(toy.workspace().claims.group[0]) == settings
