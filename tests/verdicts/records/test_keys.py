"""What a result depends on, and nothing else: files that its module imports, and a key that names each change."""

import pytest

from verdicts.records.keys import KeyParts, Sources


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
        "checks/typed.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import lib.unused\n",
        "checks/chain.py": "from lib.deep import leaf\nfrom checks import direct\n",
        "checks/cycle_a.py": "import checks.cycle_b\n",
        "checks/cycle_b.py": "import checks.cycle_a\n",
        "checks/broken.py": "def (\n",
        "checks/papered.py": "import verdicts.report.page\nimport tests.verdicts.toy\nimport paper.text\n",
        "paper/text.py": "",
        "src/verdicts/report/page.py": "",
        "tests/verdicts/toy.py": "",
        "notebook.py": "# %%\nfrom checks import direct\n",
        "notebook.md": "import lib.unused\n```python a=1\nfrom checks import direct\n```\n```\nimport lib.deep\n```\n",
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


@pytest.mark.parametrize("notebook", ["notebook.py", "notebook.md"])
def test_a_notebook_counts_with_all_that_its_code_imports(tree, notebook):
    found = Sources(tree / "src", tree).closure_of_script(tree / notebook)
    assert set(found) == {notebook, "checks/direct.py", "lib/__init__.py", "lib/core.py"}


def test_digests_follow_content(tree):
    before = Sources(tree / "src", tree).closure("checks.chain")
    (tree / "src/lib/core.py").write_text("import math\n\n")
    after = Sources(tree / "src", tree).closure("checks.chain")
    assert {name for name in after if before[name] != after[name]} == {"lib/core.py"}


PARTS = KeyParts(entry="e", config="c", sources={"a.py": "1", "b.py": "2"}, data={"d": "3"}, device="cpu")


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
