"""What figures, tables and notebook pages depend on: a change of any of it makes them stale, no other change does."""

import pytest

from tests.toy import Toy


@pytest.fixture
def toy(tmp_path):
    toy = Toy.make(tmp_path / "toy")
    toy.replace("paper/claims.toml", 'title = "First group"', 'title = "First group"\nnotebook = "page.py"')
    toy.write("page.py", "# %%\n1\n")
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
    toy.replace("paper/claims.toml", old, new)
    assert page_parts(toy).changes_since(before) == "its entry in paper/claims.toml changed"


@pytest.mark.parametrize(("old", "new"), [("One is one", "One is 1"), ('quantity = "three"', 'quantity = "a third"')])
def test_a_notebook_page_stays_current_when_what_it_does_not_show_changes(toy, old, new):
    before = page_parts(toy)
    toy.replace("paper/claims.toml", old, new)
    assert page_parts(toy).key == before.key
