"""Drawing and tabulating a group: its files, and the record that knows them by digest."""

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from verdicts.claims.schema import Group
from verdicts.records.booktabs import booktabs
from verdicts.records.figures import KINDS, SHOWN, Figure, Table, saved_as
from verdicts.records.files import sha256_of, write_whole
from verdicts.records.provenance import Environment, Stopwatch
from verdicts.records.record import Artefacts
from verdicts.records.stamps import Stamp, origin_of, stamped
from verdicts.records.workspace import STYLE, Workspace
from verdicts.run.checks import Checks, one_line


class _Drawn(NamedTuple):
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    files: dict[str, str] = {}  # noqa: RUF012 (never changed)
    reason: str = ""
    settled: bool = True
    failed: bool = False


def draw_group(workspace: Workspace, group: Group, load: Callable[[], Checks], environment: Environment) -> None:
    """Call `figures` and `tables` of a group's module of figures (any may be absent) and record what they made.

    What breaks there is logged and recorded as failed. Raises OSError if the record cannot be written.
    """
    watch = Stopwatch()
    path, log = workspace.figures_path(group), workspace.log_path(f"{group.id}.figures")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        subject, config = workspace.claims.outline.subject, workspace.config_digest(group)
        stamp = Stamp.of(environment, subject, workspace.profile, config)
        kinds = KINDS if workspace.config.every_picture else SHOWN
        with stamped(stamp), saved_as(kinds):
            drawn = _drawn(workspace.root, path.parent, load(), kinds)
        log.unlink(missing_ok=True)
    except (Exception, SystemExit) as error:
        if getattr(error, "not_run", False):
            drawn = _Drawn(reason=str(error), settled=bool(getattr(error, "settled", False)))
        else:
            drawn = _Drawn(reason=one_line(error), failed=True)
            write_whole(log, "".join(traceback.format_exception(error)))
    parts = workspace.figures_parts(group)
    provenance = watch.provenance(environment, workspace.profile, workspace.config_digest(group))
    Artefacts(id=group.id, key=parts.key, parts=parts, provenance=provenance, **drawn._asdict()).write(path)


@contextmanager
def drawing_style(root: Path) -> Iterator[None]:
    """Draw without a screen, in the one style of the repository (if it has one)."""
    import matplotlib
    from matplotlib import style

    matplotlib.use("Agg")
    with style.context(root / STYLE if (root / STYLE).is_file() else "default"):
        yield


def _drawn(root: Path, folder: Path, checks: Checks, kinds: tuple[str, ...]) -> _Drawn:
    figures: list[Figure] = []
    tables: list[Table] = []
    module = checks.figures()
    if module and hasattr(module, "figures"):
        with drawing_style(root):
            figures = list(module.figures(checks.settings, folder))
    if module and hasattr(module, "tables"):
        tables = list(module.tables(checks.settings))
    for table in tables:
        write_whole(folder / f"{table.id}.csv", table.csv())
        write_whole(folder / f"{table.id}.tex", booktabs(table, origin_of(table.claims)))
    names = [f"{figure.file.stem}{kind}" for figure in figures for kind in kinds]
    names += [f"{table.id}{kind}" for table in tables for kind in (".csv", ".tex")]
    files = {name: sha256_of((folder / name).read_bytes()) for name in names}
    named = tuple(figure.model_copy(update={"file": Path(figure.file.name)}) for figure in figures)
    return _Drawn(named, tuple(tables), files)
