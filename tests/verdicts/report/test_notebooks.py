"""A notebook becomes a page that needs nothing from elsewhere; one that breaks is named with its
cell.
"""

import os
import sys
from pathlib import Path

import matplotlib
import pytest
from matplotlib import pyplot
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tests.verdicts.report.pages import Page
from verdicts.report.notebooks import NotebookFailed, blocks, execute, made
from verdicts.report.typeset import formula

GOOD = """# %% [markdown]
# # A title
# with $x^2$ and $$\\frac{a}{b}$$
# %%
import os, sys
from pathlib import Path
print("profile", os.environ["VERDICTS_PROFILE"], "cwd", Path.cwd().name, sys.executable)
# %%
from matplotlib import pyplot
pyplot.plot([1, 2]); None
# %%

# %%
6 * 7
"""
BAD = """# %%
x = 1
# %%
y = 0
x / y
# %%
print("never")
"""


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "größe and space"
    folder.mkdir()
    (folder / "good.py").write_text(GOOD)
    (folder / "bad.py").write_text(BAD)
    return folder


def test_page_shows_outputs_and_names_no_address(root):
    text = made(root, root / "good.py", "The title", "cpu", root / "results")[0]
    parsed = Page(text)
    assert "<title>The title</title>" in text and "<h1>A title</h1>" in text
    assert f"profile cpu cwd {root.name} {sys.executable}" in "".join(parsed.text)
    assert "<pre>42</pre>" in text and "<mfrac>" in text
    assert "data:image/png;base64," in text
    assert [
        each for each in parsed.addresses() if not each.startswith(("data:", "../report.html"))
    ] == []
    assert "http" not in text and not any(e.tag in {"script", "link"} for e in parsed.elements)


def test_failure_names_notebook_and_cell(root):
    with pytest.raises(
        NotebookFailed, match=r"^bad.py: code cell 2 of 3: ZeroDivisionError: division by zero$"
    ):
        execute(root, root / "bad.py", {})


def test_a_notebook_leaves_nothing_behind(root):
    (root / "wild.py").write_text(
        "# %%\nimport os, sys\nos.environ['LEFT'] = "
        "'1'\nos.chdir('/')\nsys.path.append('left')\nleft = 1"
    )
    (root / "next.py").write_text("# %%\nleft")
    pyplot.plot([1])
    assert "data:image/png;base64," in made(root, root / "good.py", "", "cpu", root)[0]
    before = (dict(os.environ), Path.cwd(), list(sys.path), matplotlib.get_backend())
    execute(root, root / "wild.py", {"GIVEN": "1"})
    assert (dict(os.environ), Path.cwd(), list(sys.path), matplotlib.get_backend()) == before
    with pytest.raises(
        NotebookFailed, match=r"^next.py: code cell 1 of 1: NameError: name 'left' is not defined$"
    ):
        execute(root, root / "next.py", {})
    assert "data:image/png;base64," in made(root, root / "good.py", "", "cpu", root)[0], (
        "of a second one too"
    )


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"text/plain": "a < b"}, ["<pre>a &lt; b</pre>"]),
        ({"text/plain": "x", "text/html": "<b>x</b>"}, ["<b>x</b>"]),
        ({"text/markdown": "*x*"}, ["<p><em>x</em></p>\n"]),
        ({"image/png": "cGl4ZWxz\n"}, ['<img alt="figure" src="data:image/png;base64,cGl4ZWxz">']),
        (
            {"image/svg+xml": "<svg/>"},
            ['<img alt="figure" src="data:image/svg+xml;base64,PHN2Zy8+">'],
        ),
        ({"text/latex": r"$\displaystyle x$"}, [formula("x", display=True)]),
        ({"application/x-unknown": "1"}, []),
    ],
)
def test_the_richest_form_is_shown_and_pictures_are_inlined(data, expected):
    cell = new_code_cell("x", outputs=[new_output("execute_result", data)])
    shown = blocks(new_notebook(cells=[cell, new_code_cell("  ")]))
    assert [block.html for block in shown if block.kind == "output"] == expected
