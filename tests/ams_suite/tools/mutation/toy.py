"""A small repository with a package `ams` of its own, and faults for it."""

from pathlib import Path

THING = """
def double(x):
    return 2 * x


def half(x):
    return x / 2
"""

TESTS = """
from ams.thing import double, half


def test_double():
    assert double(3) == 6


def test_more():
    assert double(0.5) == 1.0
"""

CONFTEST = """
from hypothesis import settings

settings.register_profile("unshrunk")
"""

FAULT = """
[[fault]]
id = "{id}"
file = "src/ams/thing.py"
old = "{old}"
new = "{new}"
why = "somebody might"
"""


def entry(old: str, new: str, **more: str) -> str:
    """Return a fault's entry, `more` its further lines."""
    given = {"id": "thing.double", "old": old, "new": new} | more
    lines = "".join(f"{name} = {value}\n" for name, value in more.items() if name not in ("id", "file"))
    text = FAULT.format(**given) + lines
    return text.replace("src/ams/thing.py", more.get("file", "src/ams/thing.py"))


def repository(root: Path, *faults: str) -> Path:
    """Write it below `root`, and return `root`."""
    files = {
        "paper/outline.toml": "subject = 'a toy'\n",
        "src/ams/__init__.py": "",
        "src/ams/thing.py": THING,
        "src/ams/bare.py": "ONE = 1\n",
        "tests/conftest.py": CONFTEST,
        "tests/ams/test_thing.py": TESTS,
        "tests/faults.toml": "".join(faults),
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root
