"""Making the notebook page of a group, and its record."""

from verdicts.claims.schema import Group
from verdicts.records.files import sha256_of, write_whole
from verdicts.records.provenance import Stopwatch
from verdicts.records.record import Artefacts, page_parts
from verdicts.records.workspace import Workspace
from verdicts.run.checks import log_errors


def make_page(workspace: Workspace, group: Group, run: str = "") -> str:
    """Execute a group's notebook into one page, write it and its record; return what broke (empty: nothing).

    `run`: the id of the run that asks for it, if one does.

    Raises OSError if a file cannot be written.
    """
    from verdicts.report import notebooks

    watch = Stopwatch()
    path, log = workspace.page_path(group), workspace.log_path(f"{group.id}.notebook")
    files, reason, parts = {}, "", page_parts(workspace, group)
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
    provenance = watch.provenance(workspace.environment(), workspace.profile, parts.config, run)
    Artefacts.of(group.id, parts, provenance, files=files, reason=reason, failed=bool(reason)).write(path)
    return reason
