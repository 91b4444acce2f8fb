"""What Snakemake is told where a user, or a cluster, drives the Snakefile by hand.

Its own idea of what is up to date never decides: stamps of whatever is stale are removed first.
"""

import shutil
from pathlib import Path

from verdicts.records.run_record import Run
from verdicts.records.workspace import Workspace
from verdicts.run.plan import Plan, plan_of


def stamp_path(workspace: Workspace, work: str, group: str) -> Path:
    """Return the stamp of a group's finished work (`checks` or `pages`), or the folder of its `study`'s."""
    return workspace.folder / "stamps" / work / group


def discard_stale_stamps(workspace: Workspace) -> None:
    """Remove the stamps of all that the last run has still to do, and the report's."""
    run = Run.last(workspace)
    plan = plan_of(workspace, run) if run else Plan((), {}, {}, {})
    for group in plan.busy_groups:
        stamp_path(workspace, "checks", group).unlink(missing_ok=True)
        shutil.rmtree(stamp_path(workspace, "study", group), ignore_errors=True)
    for group in plan.pages:
        stamp_path(workspace, "pages", group).unlink(missing_ok=True)
    (workspace.folder / "stamps" / "report").unlink(missing_ok=True)
