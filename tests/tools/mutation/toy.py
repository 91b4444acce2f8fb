"""A small repository with a package `ams` of its own, and faults for it."""

import shutil
from pathlib import Path

FILES = Path(__file__).with_name("toy_repository")
THING = (FILES / "src/ams/thing.py.txt").read_text(encoding="utf-8")
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
    for path in (each for each in FILES.rglob("*") if each.is_file()):
        target = root / path.relative_to(FILES).with_suffix("" if path.suffix == ".txt" else path.suffix)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    (root / "tests/faults.toml").write_text("".join(faults), encoding="utf-8")
    return root
