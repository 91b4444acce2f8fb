"""A notebook (jupytext: Markdown or Python) executed by this Python, as one HTML page that needs no network.

nbconvert's own pages load MathJax and require.js from a network; here formulas become MathML and images are inlined.

    python -m verdicts.report.notebooks NOTEBOOK PAGE
"""

import json
import os
import sys
import tempfile
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jupytext
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from markupsafe import Markup
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from pygments import highlight  # type: ignore[import-untyped]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
from pygments.lexers import PythonLexer  # type: ignore[import-untyped]

from verdicts.records.workspace import OUT, PROFILE
from verdicts.report.templating import render
from verdicts.report.typeset import bare_latex, formula, markdown

CELL_SECONDS = 1800
NO_WIDGETS = "ignore:IProgress not found"  # tqdm's in a notebook, of a progress bar that a page would not show
SOCKET_PATH = 90  # a socket's path may have 104 characters; the kernel appends to the connection file's


class NotebookFailed(Exception):
    """A notebook did not run to its end; one line names it, the cell and the error."""


class Block(NamedTuple):
    """One piece of the page: its `kind` (text, code, output, error stream) and its HTML."""

    kind: str
    html: Markup


def made(root: Path, notebook: Path, title: str, profile: str, out: Path) -> tuple[str, str]:
    """Execute a notebook in `root`; return its page, and its texts and formulas as JSON (`cells_of`).

    The notebook finds the profile in `VERDICTS_PROFILE`, the folder above the profile's results in `VERDICTS_OUT`.
    Raises NotebookFailed.
    """
    executed = execute(root, notebook, {PROFILE: profile, OUT: str(out)})
    cells = json.dumps(cells_of(executed), indent=1, ensure_ascii=False) + "\n"
    return _rendered(executed, root, notebook, title, profile), cells


def page(root: Path, notebook: Path, title: str, profile: str, out: Path) -> str:
    """Execute a notebook as `made` does, and return its page alone. Raises NotebookFailed."""
    return made(root, notebook, title, profile, out)[0]


def cells_of(notebook: NotebookNode) -> list[dict[str, str]]:
    """Return an executed notebook's texts (`markdown`), and its results that are formulas (`latex`), in order."""
    content = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            content.append({"markdown": cell.source})
        for output in cell.get("outputs", []):
            if "text/latex" in output.get("data", {}):
                content.append({"latex": output["data"]["text/latex"]})
    return content


def _rendered(executed: NotebookNode, root: Path, notebook: Path, title: str, profile: str) -> str:
    return render(
        "notebook.html.j2",
        title=title,
        source=notebook.relative_to(root).as_posix(),
        profile=profile,
        blocks=list(blocks(executed)),
        highlighting=highlighting(),
    )


def execute(root: Path, notebook: Path, variables: dict[str, str]) -> NotebookNode:
    """Return the notebook with its outputs; `variables` are added to its environment. Raises NotebookFailed."""
    content: NotebookNode = jupytext.read(notebook)
    with tempfile.TemporaryDirectory(prefix="verdicts-notebook-") as private:
        ours = {
            "IPYTHONDIR": private,
            "PYTHONPATH": os.pathsep.join(filter(None, [str(root), str(root / "src"), os.environ.get("PYTHONPATH")])),
            "PYTHONWARNINGS": ",".join(filter(None, [os.environ.get("PYTHONWARNINGS"), NO_WIDGETS])),
        }
        environment = os.environ | ours | variables
        client = NotebookClient(
            content, km=_this_python(private), timeout=CELL_SECONDS, resources={"metadata": {"path": str(root)}}
        )
        client.owns_km = True  # so that the kernel ends with the notebook
        try:
            client.execute(env=environment)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            raise NotebookFailed(f"{notebook.relative_to(root)}: {_culprit(content, error)}") from error
    return content


def _this_python(folder: str) -> AsyncKernelManager:
    """Return a manager of a kernel on this interpreter, whatever kernels the user has registered."""
    kernels = KernelSpecManager(kernel_dirs=[], ensure_native_kernel=True)
    connection = str(Path(folder) / "kernel.json")
    transport = "ipc" if len(connection) < SOCKET_PATH else "tcp"
    return AsyncKernelManager(
        kernel_name="python3", kernel_spec_manager=kernels, connection_file=connection, transport=transport
    )


def _culprit(content: NotebookNode, error: Exception) -> str:
    """Return in one line which code cell broke, and how."""
    cells = [cell for cell in content.cells if cell.cell_type == "code"]
    broken = [n for n, cell in enumerate(cells, 1) if any(o.output_type == "error" for o in cell.get("outputs", []))]
    ran = max(1, sum(1 for cell in cells if cell.get("execution_count")))
    said = [f"{error.ename}: {error.evalue}"] if isinstance(error, CellExecutionError) else str(error).splitlines()
    return f"code cell {broken[0] if broken else ran} of {len(cells)}: {(said or [type(error).__name__])[-1]}"


def blocks(notebook: NotebookNode) -> Iterator[Block]:
    """Yield the page's pieces in order."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            yield Block("text", markdown(cell.source))
        elif cell.cell_type == "code" and cell.source.strip():
            yield Block("code", Markup(highlight(cell.source, PythonLexer(), HtmlFormatter(nowrap=True))))
            yield from (Block("output", shown) for output in cell.outputs if (shown := _shown(output)))


def highlighting() -> Markup:
    """Return the style sheet of highlighted code."""
    return Markup(HtmlFormatter(style="default").get_style_defs(".code"))


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
    return Markup('<img alt="figure" src="data:{};base64,{}">').format(kind, "".join(encoded.split()))


_FORMS: dict[str, Callable[[str], Markup]] = {
    "image/svg+xml": lambda text: _image("image/svg+xml", b64encode(text.encode()).decode()),
    "image/png": lambda text: _image("image/png", text),
    "text/html": lambda text: Markup(text),
    "text/markdown": markdown,
    "text/latex": lambda text: formula(bare_latex(text), display=True),
    "text/plain": lambda text: Markup("<pre>{}</pre>").format(text),
}


def main(arguments: list[str]) -> int:
    """Execute the notebook named first, write its page to the file named second; 3 if it fails."""
    from verdicts.records.files import write_whole

    notebook, target = Path(arguments[0]).resolve(), Path(arguments[1])
    root, profile = Path.cwd(), os.environ.get(PROFILE, "cpu")
    try:
        text = page(root, notebook, notebook.stem, profile, Path(os.environ.get(OUT, "results")))
    except NotebookFailed as failure:
        print(failure, file=sys.stderr)
        return 3
    write_whole(target, text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
