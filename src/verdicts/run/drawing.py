"""What a group shows: figures and tables, its notebook page, and the records that know their files
by digest.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from verdicts.claims.schema import Group
from verdicts.records.figures import (
    KINDS,
    SHOWN,
    SPEC,
    Figure,
    Stamp,
    Table,
    kinds_of_chart,
    saved_as,
    stamped,
)
from verdicts.records.files import sha256_of, write_whole
from verdicts.records.run_record import RunRecord
from verdicts.records.workspace import STYLE, Workspace
from verdicts.run.checks import Checks, Load, make_artefacts
from verdicts.run.plan import plan_of
from verdicts.studies.study import module_of


def draw_group(
    workspace: Workspace,
    run: RunRecord,
    group: Group,
    load: Load,
) -> None:
    """Call `figures` and `tables` of a group's module of figures (any may be absent) and record
    what they made.

    What breaks there is logged and recorded as failed. Raises OSError if the record cannot be
    written.
    """
    path, log = workspace.figures_path(group), workspace.log_path(f"{group.id}.figures")
    subject, config = workspace.claims.outline.subject, workspace.config_digest(group)
    environment = workspace.environment
    stamp = Stamp(subject, workspace.profile, config, environment.commit, environment.dirty)
    kinds = KINDS if workspace.config.every_picture else SHOWN

    def make() -> dict[str, Any]:
        path.parent.mkdir(parents=True, exist_ok=True)
        with stamped(stamp), saved_as(kinds):
            return _drawn(workspace.root, path.parent, load(), kinds)

    about = (group.id, path, workspace.figures_parts(group), log)
    make_artefacts(workspace, about, run.id, make)


@contextmanager
def drawing_style(root: Path) -> Iterator[None]:
    """Draw without a screen, in the one style of the repository (if it has one)."""
    import matplotlib
    from matplotlib import style

    matplotlib.use("Agg")
    with style.context(root / STYLE if (root / STYLE).is_file() else "default"):
        yield


def figures_of(root: Path, checks: Checks, folder: Path) -> list[Figure]:
    """Return what a group draws into `folder` (it may draw nothing), in the style of the repository
    at `root`.
    """
    with drawing_style(root):
        return list(_called(checks, "figures", folder))


def tables_of(checks: Checks) -> list[Table]:
    """Return what a group tabulates."""
    return list(_called(checks, "tables"))


def _called(checks: Checks, name: str, *arguments: object) -> Iterable[Any]:
    """Return what a function of a group's module of figures makes; nothing where it has none."""
    make = getattr(module_of(checks.group, "figures"), name, None)
    return make(checks.settings, *arguments) if make else ()


def _drawn(root: Path, folder: Path, checks: Checks, kinds: tuple[str, ...]) -> dict[str, Any]:
    """Return the figures, the tables and the digests of their files, as their record has them."""
    figures, tables = figures_of(root, checks, folder), tables_of(checks)
    for table in tables:
        write_whole(folder / f"{table.id}.csv", table.csv())
    of_chart = (*kinds_of_chart(kinds), SPEC)
    names = [
        f"{figure.file.stem}{kind}"
        for figure in figures
        for kind in (of_chart if figure.moves else kinds)
    ]
    names += [f"{table.id}.csv" for table in tables]
    files = {name: sha256_of((folder / name).read_bytes()) for name in names}
    named = tuple(figure.model_copy(update={"file": Path(figure.file.name)}) for figure in figures)
    return {"figures": named, "tables": tuple(tables), "files": files}


def make_page(workspace: Workspace, group: Group, run: RunRecord | None = None) -> str:
    """Execute a group's notebook into one page, write it and its record; return what broke (empty:
    nothing).

    Where a `run` asks for a page that is current, nothing is done: claims that were run again may
    have the outcomes that it shows.

    Raises OSError if a file cannot be written.
    """
    if run and group.id not in plan_of(workspace, run, group).pages:
        return ""
    from verdicts.report import notebooks

    path, log = workspace.page_path(group), workspace.log_path(f"{group.id}.notebook")
    notebook, out = workspace.root / str(group.notebook), workspace.folder.parent

    def make() -> dict[str, Any]:
        text, cells = notebooks.made(workspace.root, notebook, group.title, workspace.profile, out)
        contents = {f"{group.id}.html": text, f"{group.id}.cells.json": cells}
        for name, content in contents.items():
            write_whole(path.with_name(name), content)
        return {"files": {name: sha256_of(content) for name, content in contents.items()}}

    about = (group.id, path, workspace.page_parts(group), log)
    return make_artefacts(workspace, about, run.id if run else "", make).reason
