"""A notebook in Markdown (jupytext), executed in this process: one HTML page that needs no network.

nbconvert's own pages load MathJax and require.js from a network; here formulas become MathML and
images are inlined.
"""

import atexit
import json
import os
import sys
import tempfile
import warnings
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import jupytext
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.pylabtools import select_figure_formats
from IPython.utils.capture import CapturedIO, capture_output
from markupsafe import Markup
from nbformat import NotebookNode
from nbformat.v4 import new_output
from pygments import highlight  # type: ignore[import-untyped]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
from pygments.lexers import PythonLexer  # type: ignore[import-untyped]
from traitlets.config import Config

from verdicts.records.workspace import OUT, PROFILE
from verdicts.report.templating import render
from verdicts.report.typeset import bare_latex, formula, markdown


class NotebookFailed(Exception):
    """A notebook did not run to its end; one line names it, the cell and the error."""


class PageBlock(NamedTuple):
    """One piece of the page: its `kind` (text, code, output, error stream) and its HTML."""

    kind: str
    html: Markup


def made(root: Path, notebook: Path, title: str, profile: str, out: Path) -> tuple[str, str]:
    """Execute a notebook in `root`; return its page, and its texts and formulas as JSON
    (`cells_of`).

    The notebook finds the profile in `VERDICTS_PROFILE`, the folder above the profile's results in
    `VERDICTS_OUT`. Raises NotebookFailed.
    """
    executed = execute(root, notebook, {PROFILE: profile, OUT: str(out)})
    page = render(
        "notebook.html.j2",
        title=title,
        source=notebook.relative_to(root).as_posix(),
        profile=profile,
        blocks=list(blocks(executed)),
        highlighting=Markup(HtmlFormatter(style="default").get_style_defs(".code")),
    )
    return page, json.dumps(cells_of(executed), indent=1, ensure_ascii=False) + "\n"


def cells_of(notebook: NotebookNode) -> list[dict[str, str]]:
    """Return an executed notebook's texts (`markdown`), and its results that are formulas
    (`latex`), in order.
    """
    content = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            content.append({"markdown": cell.source})
        for output in cell.get("outputs", []):
            if "text/latex" in output.get("data", {}):
                content.append({"latex": output["data"]["text/latex"]})
    return content


def execute(root: Path, notebook: Path, variables: dict[str, str]) -> NotebookNode:
    """Return the notebook with its outputs, run in this process, in `root`, in a namespace of its
    own.

    `variables` are added to the environment while it runs. Raises NotebookFailed.
    """
    content: NotebookNode = jupytext.read(notebook)
    cells = [cell for cell in content.cells if cell.cell_type == "code"]
    with _shell(root, variables) as shell:
        for number, cell in enumerate(cells, 1):
            with capture_output() as captured:
                shell.display_trap.hook = sys.displayhook  # the value of a last line is shown too
                ended = shell.run_cell(cell.source)
            cell.outputs = list(_outputs(captured))
            if error := ended.error_before_exec or ended.error_in_exec:
                where = f"{notebook.relative_to(root)}: code cell {number} of {len(cells)}"
                raise NotebookFailed(f"{where}: {type(error).__name__}: {error}") from error
    return content


class _Shell(InteractiveShell):
    """A shell without a window, or a history."""

    def enable_gui(self, gui: str | None = None) -> None:
        """Do nothing: pictures go into the page."""


@contextmanager
def _shell(root: Path, variables: dict[str, str]) -> Iterator[InteractiveShell]:
    """Yield a shell like a notebook's: pictures where they are drawn; what it changes of the
    process is put back.
    """
    import matplotlib
    from matplotlib import pyplot
    from matplotlib_inline.config import InlineBackend

    before, folder, path, backend = (
        dict(os.environ),
        Path.cwd(),
        list(sys.path),
        matplotlib.get_backend(),
    )
    with (
        tempfile.TemporaryDirectory(prefix="verdicts-notebook-") as private,
        matplotlib.rc_context(),
        warnings.catch_warnings(),
    ):
        os.environ.update(variables, IPYTHONDIR=private)
        os.chdir(root)
        sys.path[:0] = [str(root), str(root / "src")]
        config = Config(HistoryManager={"enabled": False})
        _Shell.clear_instance()  # what is shown goes to the one instance
        shell = _Shell.instance(config=config, user_ns={"__name__": "__main__"})
        try:
            pyplot.close("all")  # else the notebook would draw into what was left open
            shell.enable_matplotlib("inline")
            select_figure_formats(shell, {"png"})  # which a second shell of a process is not given
            yield shell
        finally:
            atexit.unregister(shell.atexit_operations)
            shell.atexit_operations()
            pyplot.uninstall_repl_displayhook()
            InlineBackend.clear_instance()
            _Shell.clear_instance()
            matplotlib.use(backend)
            os.environ.clear()
            os.environ.update(before)
            os.chdir(folder)
            sys.path[:] = path


def _outputs(captured: CapturedIO) -> Iterator[NotebookNode]:
    for name in ("stdout", "stderr"):
        if text := getattr(captured, name):
            yield new_output("stream", name=name, text=text)
    for shown in captured.outputs:
        yield new_output("display_data", data=shown.data)


def blocks(notebook: NotebookNode) -> Iterator[PageBlock]:
    """Yield the page's pieces in order."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            yield PageBlock("text", markdown(cell.source))
        elif cell.cell_type == "code" and cell.source.strip():
            yield PageBlock(
                "code", Markup(highlight(cell.source, PythonLexer(), HtmlFormatter(nowrap=True)))
            )
            yield from (
                PageBlock("output", shown) for output in cell.outputs if (shown := _shown(output))
            )


def _shown(output: NotebookNode) -> Markup:
    """Return an output as HTML, in the richest form that needs nothing from elsewhere."""
    if output.output_type == "stream":
        return Markup("<pre>{}</pre>").format(output.text)
    data: dict[str, Any] = output.get("data", {})
    for kind, form in _FORMS.items():
        if kind in data:
            return form(data[kind])
    return Markup("")


def _image(kind: str, encoded: str) -> Markup:
    return Markup('<img alt="figure" src="data:{};base64,{}">').format(
        kind, "".join(encoded.split())
    )


_FORMS: dict[str, Callable[[str], Markup]] = {
    "image/svg+xml": lambda text: _image("image/svg+xml", b64encode(text.encode()).decode()),
    "image/png": lambda text: _image("image/png", text),
    "text/html": lambda text: Markup(text),
    "text/markdown": markdown,
    "text/latex": lambda text: formula(bare_latex(text), display=True),
    "text/plain": lambda text: Markup("<pre>{}</pre>").format(text),
}
