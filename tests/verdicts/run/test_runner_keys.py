"""What figures, tables and notebook pages depend on: a change of any of it makes them stale, no other change does."""

import shutil

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
        (
            'id = "A2.two"\n  quantity = "two"\n  relation = "<="\n  bound = 1.0',
            'id = "A2.two"\n  quantity = "two"\n  relation = "<="\n  bound = 3.0',
        ),
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
