"""`ams docs`: the site of docs/, built offline, with the notebooks executed on a run's results as its gallery."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path

from verdicts.claims.schema import Group
from verdicts.errors import UserError
from verdicts.records.record import artefacts_at
from verdicts.records.workspace import Workspace
from verdicts.run.drawing import make_page

Say = Callable[[str], None]


def build_site(workspace: Workspace, site: Path, groups: Iterable[Group], say: Say) -> int:
    """Execute the notebooks of some groups whose pages are not current, then build the site into `site`.

    A notebook reads the profile's results, and computes what is not there. Returns 0, or 3 where a notebook or the
    build failed. Raises UserError without mkdocs.
    """
    if find_spec("mkdocs") is None:
        raise UserError("docs: mkdocs is not installed: `bash reproduce.sh docs` adds it")
    failed = False
    for group in groups:
        page = artefacts_at(workspace.page_path(group), workspace.page_parts(group)) if group.notebook else None
        if group.notebook and not (page and page.files):
            reason = make_page(workspace, group)
            say(f"{group.id}: {reason or 'executed'}")
            failed = failed or bool(reason)
    gallery = workspace.folder / "notebooks"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(site)]
    environment = os.environ | {"AMS_GALLERY": str(gallery), "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=workspace.root, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        say((done.stderr or done.stdout).strip())
        return 3
    say(f"site: {site / 'index.html'}")
    return 3 if failed else 0
