"""What the page shows beside claims: benchmarks of another profile, and sections of the suite's tools."""

import pytest

from tests.verdicts.report.test_page import run_all, text_of
from tests.verdicts.toy import Toy
from verdicts import Table
from verdicts.records.files import sha256_of
from verdicts.records.ledger import collect
from verdicts.records.section import FOLDER, Section
from verdicts.records.workspace import PACKAGE_ROOT


@pytest.fixture
def toy(tmp_path):
    return Toy.make(tmp_path)


TIMED = """
[group]
title = "Time"
part = "suite"

[[claim]]
id = "T1"
title = "It is quick"
statement = "text"
source = { kind = "proved here", where = "here" }
evidence = "experiment"
expected = "holds"
profiles = ["bench"]
falsifier = "tests/test_toy.py::test_one"
  [[claim.check]]
  id = "T1.ratio"
  quantity = "ratio of times"
  relation = "<="
  bound = 2.0
  tolerance = 0.0
  origin = "stated margin"
"""
RATIO = """
from verdicts import Measurement, check

@check("T1.ratio")
def ratio(settings): return Measurement(value=1.73)
"""


def test_benchmarks_are_shown_apart_and_only_while_current(toy):
    assert 'id="benchmarks"' not in text_of(run_all(toy))
    toy.write(f"{toy.package}/time/claims.toml", TIMED)
    toy.write("config/bench.toml", "one_process = true\nnotebooks = false\n")
    toy.write_module("time/settings", "from pydantic import BaseModel\n\nclass Settings(BaseModel): ...\n")
    toy.write_module("time/checks", RATIO)
    quick = run_all(toy)
    assert "T1" not in {row.id for row in collect(quick).claims}, "benchmarks are no rows of another profile"
    text = text_of(quick)
    assert "bash reproduce.sh bench" in text and "1.73" not in text
    bench = run_all(toy, "bench")
    assert [row.id for row in collect(bench).claims] == ["T1"]
    assert "1.73" in text_of(quick) and 'id="benchmarks"' not in text_of(bench)
    toy.replace_in_module("time/checks", "1.73", "1.83")
    assert "1.73" not in text_of(toy.workspace())


def section(toy: Toy, **changes) -> Section:
    """Return what a tool found, resting on a file of the repository and one of its Python path."""
    table = Table(id="t", caption="c", header=("fault", "outcome"), rows=(("<one>", "caught"), ("two", 1.25)))
    paths = {
        "tests/test_toy.py": toy.root / "tests/test_toy.py",
        "verdicts/errors.py": PACKAGE_ROOT / "verdicts/errors.py",
    }
    sources = {name: sha256_of(path.read_bytes()) for name, path in paths.items()}
    fields = {
        "id": "mutation",
        "title": "Seeded faults",
        "text": "All are $x^2$.",
        "table": table,
        "command": "ams mutate",
    }
    return Section(**fields | {"started": "2026-01-01T", "sources": sources} | changes)


def test_sections_of_tools_are_shown_with_how_much_has_changed_since(toy):
    text = text_of(run_all(toy))
    assert 'id="trust"' not in text and "ams mutate" not in text
    workspace = toy.workspace()
    section(toy).write(workspace.folder.parent / FOLDER / "mutation.json")
    text = text_of(workspace)
    assert "<h3>Seeded faults</h3>" in text and "<code>ams mutate</code>" in text and "have changed since" not in text
    assert "<td>&lt;one&gt;</td><td>caught</td>" in text and "<td>1.25</td>" in text
    toy.write("tests/test_toy.py", (toy.root / "tests/test_toy.py").read_text() + "# changed\n")
    assert "1 of the 2 files that it rests on have changed since" in text_of(toy.workspace())
