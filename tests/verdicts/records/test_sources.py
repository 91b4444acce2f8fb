"""The import closure: what a module depends on, and nothing else."""

import pytest

from verdicts.records.sources import Sources


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
