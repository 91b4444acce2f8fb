"""One run, from its plan to its exit code."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

from rich.console import Console

from verdicts.claims.schema import Profile
from verdicts.errors import UserError, writable
from verdicts.records.expected import read_expected
from verdicts.records.figures import draws_stills
from verdicts.records.files import discard_unfinished
from verdicts.records.ledger import Ledger, exit_code
from verdicts.records.run_record import AuditOptions, RunRecord, pooled, run_path
from verdicts.records.workspace import Project, Workspace, find_root
from verdicts.report.findings import Decisions, PaperRow, of_instrument, rows_beside
from verdicts.report.report_texts import load_findings, refuse_bad_texts
from verdicts.run.cluster import Queue, clear, run_on_cluster
from verdicts.run.console import Screen, counted, listing
from verdicts.run.drawing import make_page
from verdicts.run.forecast import Forecast
from verdicts.run.group import complaining, loader, run_group
from verdicts.run.job import one_run_at_a_time, sharing, spare_memory_calls
from verdicts.run.plan import Plan, PlannedClaim, complete_groups, plan_of
from verdicts.run.publish import Published, artefact_faults, faults, publish
from verdicts.run.workers import Cores, Watch, import_ahead, jobs_of, run_jobs
from verdicts.studies.study import CELLS, archive_of

NO_STILLS = (
    "memory is limited to less than 80 GiB of addresses (ulimit -v): charts that move have no still"
    " picture; all else is the same"
)


@dataclass(frozen=True)
class RunOptions:
    """What the user asked for. `profile` None: paper where there is an accelerator, else cpu;
    `project`: whose suite.

    `fetch`: what could not be run for want of a file is tried again now, not once a day. `fresh`:
    no kept cell is read. `cluster`: jobs are submitted to it, at most `at_once` of them (None: as
    many as its profile says). `setup`: seconds spent on the environment.
    """

    project: Project = field(default_factory=Project)
    profile: Profile | None = None
    only: tuple[str, ...] = ()
    force: tuple[str, ...] = ()
    fetch: bool = False
    fresh: bool = False
    audit: AuditOptions = field(default_factory=AuditOptions)
    strict: bool = False
    verbose: bool = False
    jobs: int = 1
    out: Path | None = None
    one_process: bool = False
    cluster: Literal["slurm"] | None = None
    at_once: int | None = None
    setup: int = 0


def open_workspace(options: RunOptions) -> Workspace:
    """Open the repository around the current folder, names checked. Raises UserError."""
    profile = options.profile or (Profile.PAPER if options.project.accelerator() else Profile.CPU)
    workspace = Workspace.open(find_root(Path.cwd()), profile, options.out, options.project)
    chosen = workspace.claims.select(options.only)
    for claim in workspace.claims.select(options.force) if options.force else ():
        if claim not in chosen:
            raise UserError(f"--force {claim.id}: it is not among the claims that --only names")
    return workspace


def _refuse_absent(workspace: Workspace, options: RunOptions) -> None:
    """Raise UserError where the names asked for have no claim that this profile runs; `strict`:
    where one of them has none.
    """
    named = {name: workspace.claims.select([name]) for name in options.only}
    absent = [
        name
        for name, claims in named.items()
        if not any(workspace.profile in claim.profiles for claim in claims)
    ]
    if absent and (options.strict or len(absent) == len(named)):
        name, where = absent[0], "--strict: " if options.strict else ""
        other = f"run with --profile {named[name][0].profiles[0]}"
        raise UserError(f"{where}{name} is not part of the {workspace.profile} profile: {other}")


def reproduce(options: RunOptions, console: Console) -> int:
    """Run what is stale among the chosen claims, publish ledger and report, return the exit code.

    0: no verdict contradicts its expectation; 1: one does (`strict`: or a claim was not run); 3: a
    run failed. Raises UserError (exit code 2).
    """
    workspace = open_workspace(options)
    _refuse_absent(workspace, options)
    screen = Screen(console, options.verbose, options.setup)
    if not draws_stills():
        screen.say(NO_STILLS)
    # Hours of computing are not to end at a wrong word in them
    refuse_bad_texts(workspace.root, workspace.profile, workspace.all_claims)
    with writable(workspace.folder):
        workspace.folder.mkdir(parents=True, exist_ok=True)
    queue = Queue(workspace, screen, options.at_once) if options.cluster else None
    with _folder_held(workspace, screen):
        run = RunRecord.of(
            workspace, options.only, options.force, options.fetch, options.fresh, options.audit
        )
        plan = plan_of(workspace, run)
        _refuse_bad_settings(workspace, plan)
        if plan.groups and not queue:
            workspace.require_device()
        with writable(workspace.folder):
            run.write(run_path(workspace))
        if options.fresh:
            screen.say(_without_kept(workspace, plan))
        _do(workspace, run, plan, options, queue, screen)
        published = _published(workspace, run, screen)
        broke = screen.complained
        said = of_instrument(
            load_findings(workspace.root, workspace.all_claims), Decisions.of(published.ledger)
        )
        for sentence in (*said, *pooled(published.ledger.audits)):
            screen.say(sentence)
        screen.outcome(published, _rows(workspace, published.ledger, run), run.selected)
        for audit in published.ledger.audits:
            screen.say(audit.said)
    return 3 if broke else exit_code(published.ledger.summary, options.strict)


@contextmanager
def _folder_held(workspace: Workspace, screen: Screen) -> Iterator[None]:
    """Let no other run work in the results' folder, which is rid of what killed ones have left
    there.
    """
    clearing = partial(clear, workspace.folder, screen.say)
    with one_run_at_a_time(workspace.folder / ".lock", clearing), ExitStack() as held:
        with writable(workspace.folder):
            discard_unfinished(workspace.folder)
            # another profile may be writing
            held.enter_context(sharing(workspace.folder.parent / CELLS))
        yield


def _refuse_bad_settings(workspace: Workspace, plan: Plan) -> None:
    """Validate the settings of every group that is to run, before any of them does. Raises
    UserError.

    A module that cannot be imported is left to its run, which records the failure.
    """
    for group in workspace.claims.group:
        if group.id in plan.busy_groups:
            loader(workspace, group)


def _without_kept(workspace: Workspace, plan: Plan) -> str:
    """Say what it costs to compute what would else be read of kept cells."""
    archive = archive_of(workspace)
    seconds = sum(
        cell.seconds for name in plan.busy_groups for cell in archive.of_group(name).values()
    )
    return f"--fresh: no kept cell is read; to compute them took {seconds / 3600:.1f} core-hours"


def _do(
    workspace: Workspace,
    run: RunRecord,
    plan: Plan,
    options: RunOptions,
    queue: Queue | None,
    screen: Screen,
) -> None:
    """Do the plan by jobs on the cluster, in this process, or by jobs on this machine; show what
    appears.
    """
    here = workspace.config.one_process or options.one_process
    cores = 1 if here else options.jobs
    expected = read_expected(workspace.root, workspace.profile)
    forecast = Forecast(workspace, plan, None if queue else expected, cores)
    with screen.plan(
        workspace.profile, plan, forecast, "SLURM" if queue else counted(cores, "core")
    ):
        if not plan.groups:
            return
        if queue:
            run_on_cluster(workspace, plan, run, queue)
        elif here:
            with screen.telling():
                _here(workspace, run, plan, screen)
        else:
            if len(plan.busy_groups) + len(plan.pages) > 1:
                import_ahead(
                    workspace, plan.groups, ("verdicts.report.notebooks",) if plan.pages else ()
                )
            jobs = jobs_of(workspace, plan, run, cores)
            run_jobs(workspace, jobs, Cores(workspace, cores), Watch(workspace, plan, run), screen)


def _here(workspace: Workspace, run: RunRecord, plan: Plan, screen: Screen) -> None:
    """Do the plan in this process, a group at a time."""
    spare_memory_calls()
    for group in map(workspace.claims.group_named, plan.groups):
        screen.work_on([group.id])
        if group.id in plan.busy_groups:
            run_group(workspace, run, group, screen.computed, screen.complain)
        if group.id in plan.pages:
            with complaining(f"{group.id}: no notebook page", screen.complain):
                make_page(workspace, group, run)


def _published(workspace: Workspace, run: RunRecord, screen: Screen) -> Published:
    """Write ledger, pages and papers, and say what is not as it should be."""
    with writable(workspace.folder):
        published = publish(workspace)
    for name, reason in artefact_faults(
        workspace, complete_groups(workspace, run, workspace.claims.group)
    ):
        screen.complain(f"{name}: {reason}")
    if published.reason:
        screen.complain(f"paper.pdf: {published.reason}")
    return published


def _rows(workspace: Workspace, ledger: Ledger, run: RunRecord) -> list[PaperRow]:
    """Return the rows of those claims of the paper that a selected claim restates."""
    claims = workspace.all_claims
    rows = rows_beside(workspace.root, claims, ledger)
    return [
        row for row in rows if any(claim.id in run.selected for claim in claims.restating(row.id))
    ]


def list_claims(options: RunOptions, console: Console) -> int:
    """Print a line for each chosen claim of every profile: its group, expectation, title and
    state.
    """
    workspace = open_workspace(options)
    screen = Screen(console)
    chosen = workspace.claims.select(options.only)
    plan = plan_of(workspace, RunRecord.of(workspace, options.only))
    items = {item.claim.id: item for item in plan.items}
    for claim in chosen:
        why = f"only with --profile {claim.profiles[0]}"
        screen.say(listing(items.get(claim.id, PlannedClaim(claim, None, why))))
    # not a line of the list
    sys.stderr.write(f"{workspace.folder}: {workspace.profile} profile{_others(workspace)}\n")
    return 0


def check_results(options: RunOptions, console: Console) -> int:
    """Name every result that may not be shown as current, with the reason; return 1 if there is
    one, else 0.
    """
    workspace = open_workspace(options)
    screen = Screen(console)
    not_current = list(faults(workspace, options.only))
    for name, reason in not_current:
        screen.say(f"{name}: {reason}")
    verdict = f"{counted(len(not_current), 'result')} not current" if not_current else "all current"
    screen.say(f"{workspace.folder}: {verdict}{_others(workspace)}")
    return 1 if not_current else 0


def _others(workspace: Workspace) -> str:
    """Say that a profile has no results yet, and which others have."""
    if workspace.folder.is_dir():
        return ""
    there = [f"--profile {name}" for name in Profile if (workspace.folder.parent / name).is_dir()]
    return "; no run yet" + (f", but of {', '.join(there)}" if there else "")


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Let the command line end the run; rich would end it with 1, which here is a verdict
        against expectation.
        """
        raise BrokenPipeError


def console_of() -> Console:
    """Return the console: colours and a bar on a terminal, plain lines elsewhere."""
    with suppress(AttributeError):  # of a stream that stands for the console
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    return _Console(file=sys.stdout, highlight=False, emoji=False)


def say(line: str) -> None:
    """Write one line, as it is, now."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
