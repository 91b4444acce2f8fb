"""What a result depends on, where and for which run it was made: sources, key, environment,
cost.
"""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from verdicts.records import provenance
from verdicts.records.keys import KeyParts, Sources
from verdicts.records.provenance import environment_of
from verdicts.records.record import Record
from verdicts.records.run_record import RunRecord
from verdicts.run.plan import plan_of


@pytest.fixture
def tree(tmp_path):
    files = {
        "src/lib/__init__.py": "",
        "src/lib/core.py": "import math\n",
        "src/lib/deep/__init__.py": "from .leaf import x\n",
        "src/lib/deep/leaf.py": "from ..core import y\n",
        "src/lib/unused.py": "",
        "checks/direct.py": "import lib.core\n",
        "checks/lazy.py": "def f():\n    from lib import core\n",
        "checks/typed.py": (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import lib.unused\n"
        ),
        "checks/chain.py": "from lib.deep import leaf\nfrom checks import direct\n",
        "checks/cycle_a.py": "import checks.cycle_b\n",
        "checks/cycle_b.py": "import checks.cycle_a\n",
        "checks/broken.py": "def (\n",
        "checks/papered.py": (
            "import verdicts.report.page\nimport tests.verdicts.toy\nimport paper.text\n"
        ),
        "paper/text.py": "",
        "checks/tabled.py": "from verdicts.studies.table import Rows\n",
        "src/verdicts/report/page.py": "",
        "src/verdicts/studies/table.py": "",
        "tests/verdicts/toy.py": "",
        "notebook.md": (
            "import lib.unused\n```python a=1\nfrom checks import direct\n```\n```\nimport "
            "lib.deep\n```\n"
        ),
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("module", "files"),
    [
        ("checks.direct", {"checks/direct.py", "lib/__init__.py", "lib/core.py"}),
        ("checks.lazy", {"checks/lazy.py", "lib/__init__.py", "lib/core.py"}),
        ("checks.typed", {"checks/typed.py", "lib/__init__.py", "lib/unused.py"}),
        ("checks.cycle_a", {"checks/cycle_a.py", "checks/cycle_b.py"}),
        ("checks.broken", {"checks/broken.py"}),
        ("checks.papered", {"checks/papered.py"}),
        ("checks.tabled", {"checks/tabled.py", "verdicts/studies/table.py"}),
        ("checks.nowhere", set()),
        (
            "checks.chain",
            {
                "checks/chain.py",
                "checks/direct.py",
                "lib/__init__.py",
                "lib/core.py",
                "lib/deep/__init__.py",
                "lib/deep/leaf.py",
            },
        ),
    ],
)
def test_closure(tree, module, files):
    assert set(Sources(tree / "src", tree).closure(module)) == files


def test_a_notebook_counts_with_all_that_its_code_imports(tree):
    found = Sources(tree / "src", tree).closure_of_script(tree / "notebook.md")
    assert set(found) == {"notebook.md", "checks/direct.py", "lib/__init__.py", "lib/core.py"}


def test_digests_follow_content(tree):
    before = Sources(tree / "src", tree).closure("checks.chain")
    (tree / "src/lib/core.py").write_text("import math\n\n")
    after = Sources(tree / "src", tree).closure("checks.chain")
    assert {name for name in after if before[name] != after[name]} == {"lib/core.py"}


PARTS = KeyParts(
    entry="e", config="c", sources={"a.py": "1", "b.py": "2"}, data={"d": "3"}, device="cpu"
)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"entry": "E"}, "its entry in the claims file changed"),
        ({"config": "C"}, "its settings changed"),
        ({"sources": {"a.py": "1", "b.py": "9"}}, "b.py changed"),
        ({"sources": {"a.py": "1"}}, "b.py changed"),
        ({"data": {"d": "4"}}, "d changed"),
        ({"device": "cuda"}, "device was cpu, is cuda"),
    ],
)
def test_every_part_enters_and_is_named(change, words):
    new = PARTS.model_copy(update=change)
    assert new.key != PARTS.key and new.changes_since(PARTS) == words


def test_many_changes_are_counted():
    new = PARTS.model_copy(update={"sources": dict.fromkeys("abcd", "x") | PARTS.sources})
    assert new.changes_since(PARTS) == "a changed, b changed, 2 more files changed"


def test_the_same_parts_give_the_same_key_in_any_order():
    turned = PARTS.model_copy(update={"sources": dict(reversed(PARTS.sources.items()))})
    assert turned.key == PARTS.key and turned.changes_since(PARTS) == ""


def described(root, packages=()):
    return environment_of(root, "cpu", threads=3, packages=packages)


@pytest.mark.usefixtures("needs_git")
def test_the_environment_names_versions_and_commit():
    root = Path(__file__).resolve().parents[3]
    found = described(root, packages=("numpy", "no-such-package"))
    commit = subprocess.run(
        ["git", "-C", root, "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    assert found.commit == (commit.stdout.strip() or None) and found.packages == {
        "numpy": np.__version__
    }
    assert (found.threads, found.device) == (3, "cpu")
    assert found.processor


def test_outside_of_git_the_commit_is_unknown(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    found = described(tmp_path)
    assert (found.commit, found.dirty) == (None, None)
    monkeypatch.setenv("PATH", "")
    assert described(tmp_path).commit is None


@pytest.mark.usefixtures("needs_git")
def test_an_uncommitted_change_is_dirty(tmp_path):
    def git(*words):
        identity = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
        subprocess.run(["git", "-C", tmp_path, *identity, *words], check=True, capture_output=True)

    git("init")
    (tmp_path / "f").write_text("1")
    git("add", "f")
    git("commit", "-m", "m")
    assert described(tmp_path).dirty is False
    (tmp_path / "f").write_text("2")
    assert described(tmp_path).dirty is True


def test_peak_memory_sees_what_was_allocated_meanwhile():
    """In a process of its own, which a shell starts: Linux counts in it what its parent had, here
    gigabytes maybe.
    """
    measured = """if True:
        from pathlib import Path
        from verdicts.records.provenance import Stopwatch, environment_of
        environment, watch = environment_of(Path.cwd(), "cpu", 3, ()), Stopwatch()
        before = watch.provenance(environment, "quick", "c")
        # Freed at once: the peak is told, not what is held.
        b"1" * (int(before.peak_mib + 40) * 2**20)
        during = watch.provenance(environment, "quick", "c")
        assert during.peak_mib > before.peak_mib + 30 and 0 <= during.seconds < 60"""
    subprocess.run(["sh", "-c", '"$0" -c "$1"; exit $?', sys.executable, measured], check=True)


def at(**shift):
    return (datetime.now(UTC) + timedelta(**shift)).isoformat(timespec="microseconds")


def test_each_run_has_an_id_and_times_around_its_start(toy):
    first, second = RunRecord.begin(toy.workspace()), RunRecord.begin(toy.workspace())
    assert first.id != second.id and RunRecord.last(toy.workspace()) == second
    assert second.yesterday < second.started < second.soon


@pytest.mark.parametrize("shift", [{"minutes": -50}, {"minutes": 50}, {"days": -3}])
def test_what_a_node_with_another_clock_has_made_is_of_this_run(toy, monkeypatch, shift):
    with monkeypatch.context() as node:
        node.setattr(provenance, "now", lambda: at(**shift))
        workspace = toy.run_all()
    run = RunRecord.last(workspace)
    assert (
        plan_of(workspace, run).pending == ()
        and plan_of(workspace, RunRecord.begin(workspace)).pending == ()
    )
    assert Record.read(toy.record("A1")).provenance.run == run.id


def test_a_forced_claim_is_made_once_a_run_whatever_the_clock(session, monkeypatch):
    session.run()
    monkeypatch.setattr(provenance, "now", lambda: at(minutes=-30))
    assert session.run(force=("A1",)) == 0 and session.computed() == {"A1"}
    assert session.run() == 0 and session.computed() == set()
