"""Making the notebook page of a group, and its record."""

from verdicts.claims.schema import Group
from verdicts.records.files import sha256_of, write_whole
from verdicts.records.provenance import Stopwatch
from verdicts.records.record import Artefacts
from verdicts.records.run_record import RunRecord
from verdicts.records.workspace import Workspace
from verdicts.run.checks import log_errors
from verdicts.run.plan import plan_of


def make_page(workspace: Workspace, group: Group, run: RunRecord | None = None) -> str:
    """Execute a group's notebook into one page, write it and its record; return what broke (empty: nothing).

    Where a `run` asks for a page that is current, nothing is done: claims that were run again may have the outcomes
    that it shows.

    Raises OSError if a file cannot be written.
    """
    if run and group.id not in plan_of(workspace, run, group).pages:
        return ""
    from verdicts.report import notebooks

    watch = Stopwatch()
    path, log = workspace.page_path(group), workspace.log_path(f"{group.id}.notebook")
    files, reason, parts = {}, "", workspace.page_parts(group)
    notebook, out = workspace.root / str(group.notebook), workspace.folder.parent
    try:
        text, cells = notebooks.made(workspace.root, notebook, group.title, workspace.profile, out)
        contents = {f"{group.id}.html": text, f"{group.id}.cells.json": cells}
        for name, content in contents.items():
            write_whole(path.with_name(name), content)
        files = {name: sha256_of(content) for name, content in contents.items()}
        log_errors(log, [])
    except notebooks.NotebookFailed as error:
        reason = f"failed: {error}"
        log_errors(log, [error])
    edited = sha256_of(notebook.read_bytes()) != parts.sources[notebook.name]
    if changed := f"{notebook.name} changed while it was executed: run again" if edited else workspace.changed(parts):
        reason = f"failed: {changed}"
    provenance = watch.provenance(workspace.environment(), workspace.profile, parts.config, run.id if run else "")
    Artefacts.of(group.id, parts, provenance, files=files, reason=reason, failed=bool(reason)).write(path)
    return reason
