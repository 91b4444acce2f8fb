"""The notebooks beside the groups name figures and tables that their groups can make."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOUSES = ("analysis", "experiments", "related", "beyond", "survey")
NOTEBOOKS = sorted(path for house in HOUSES for path in (ROOT / house).glob("**/notebook.md"))
ASKED = re.compile(r'^page\.(?:figure|table)\("(\w+)"\)', re.M)
NAMED = re.compile(r'"([\w{}.]*\w[\w{}.]*)"|^def (\w+)', re.M)


def names_of(group: Path) -> list[str]:
    """Return a pattern for each name that figures and tables may have: a string, with fields, or a function's name."""
    sources = (path.read_text() for folder in (group, group.parent) for path in folder.glob("*.py"))
    names = [either or other for source in sources for either, other in NAMED.findall(source)]
    return [re.sub(r"\\{[^}]*\\}", r"\\w+", re.escape(name)) for name in names]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.parent.name)
def test_a_notebook_asks_for_what_its_group_makes(notebook):
    made = names_of(notebook.parent)
    for name in ASKED.findall(notebook.read_text()):
        assert any(re.fullmatch(pattern, name) for pattern in made), f"{notebook.parent.name} makes no {name}"
