"""What the site adds to Markdown: formulas as MathML, as in the report, the first page's figure, a
run's notebooks.

In a heading a formula is plain text, since the navigation shows it too.

The notebook pages are those of the folder that `AMS_GALLERY` names (`results/quick/notebooks`);
without it the page of notebooks lists none.
"""

import os
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from verdicts.report.typeset import formula
from verdicts.report.words import plain

CODE = re.compile(r"(```.*?```|`[^`\n]+`)", re.DOTALL)
FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$\n]+)\$", re.DOTALL)
HEADING = re.compile(r"^#+ .*$", re.MULTILINE)
GALLERY = "<!-- gallery -->"
REPORT = '<a href="../report.html">Report</a>'
"""What a notebook page leads back to; the site holds no report."""
FIGURE = "figures/bias.svg"


def on_files(files: Any, config: Any, **_: Any) -> Any:
    """Add the figure of the first page, drawn from its formulas."""
    from matplotlib import pyplot
    from mkdocs.structure.files import File

    from analysis.adaptive.figures import bias
    from analysis.adaptive.settings import Settings
    from verdicts import save_figure

    with (
        pyplot.style.context(Path(config["docs_dir"]).parent / "paper/style.mplstyle"),
        TemporaryDirectory() as folder,
    ):
        drawn = save_figure(bias(Settings()), Path(folder), "bias", "").file.read_text(
            encoding="utf-8"
        )
    files.append(File.generated(config, FIGURE, content=drawn))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Set the formulas of a page, outside of code, and list the notebooks."""
    pieces = [part if CODE.fullmatch(part) else _without_tex(part) for part in CODE.split(markdown)]
    links = [f"- [{_title(page)}](gallery/{page.name})" for page in _pages()]
    return "".join(pieces).replace(GALLERY, "\n".join(links))


def on_post_build(config: Any, **_: Any) -> None:
    """Copy the notebook pages into the site, where they lead back to their list."""
    folder = Path(config["site_dir"]) / "gallery"
    for page in _pages():
        folder.mkdir(parents=True, exist_ok=True)
        text = page.read_text(encoding="utf-8").replace(
            REPORT, '<a href="../gallery.html">Notebooks</a>'
        )
        (folder / page.name).write_text(text, encoding="utf-8")


def _without_tex(text: str) -> str:
    return FORMULA.sub(_set, HEADING.sub(lambda heading: plain(heading[0]), text))


def _set(match: re.Match[str]) -> str:
    return str(formula(match[1] or match[2], display=match[1] is not None))


def _pages() -> list[Path]:
    folder = os.environ.get("AMS_GALLERY")
    return sorted(Path(folder).glob("*.html")) if folder else []


def _title(page: Path) -> str:
    title = re.search(r"<title>(.*?)</title>", page.read_text(encoding="utf-8"), re.DOTALL)
    return plain(title[1].strip()) if title else page.stem
