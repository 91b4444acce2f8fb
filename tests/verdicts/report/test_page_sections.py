"""What the page shows beside claims: benchmarks of another profile, and sections of the suite's tools."""

from tests.verdicts.report.test_page import text_of
from tests.verdicts.toy import Toy
from verdicts import Table
from verdicts.records.files import sha256_of
from verdicts.records.ledger import collect
from verdicts.records.section import FOLDER, Section
from verdicts.records.workspace import PACKAGE_ROOT


def test_benchmarks_are_shown_apart_and_only_while_current(toy):
    assert 'id="benchmarks"' not in text_of(toy.run_all())
    toy.lay("benchmark")
    quick = toy.run_all()
    assert "T1" not in {row.id for row in collect(quick).claims}, "benchmarks are no rows of another profile"
    text = text_of(quick)
    assert "bash reproduce.sh bench" in text and "1.73" not in text
    bench = toy.run_all("bench")
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
    text = text_of(toy.run_all())
    assert 'id="trust"' not in text and "ams mutate" not in text
    workspace = toy.workspace()
    section(toy).write(workspace.folder.parent / FOLDER / "mutation.json")
    text = text_of(workspace)
    assert "<h3>Seeded faults</h3>" in text and "<code>ams mutate</code>" in text and "have changed since" not in text
    assert "<td>&lt;one&gt;</td><td>caught</td>" in text and "<td>1.25</td>" in text
    toy.write("tests/test_toy.py", (toy.root / "tests/test_toy.py").read_text() + "# changed\n")
    assert "1 of the 2 files that it rests on have changed since" in text_of(toy.workspace())
