"""Running one group of claims in this process: measure, judge, record, draw.

A check that breaks takes nothing else with it: its traceback goes to the claim's log, its claim is
marked as failed, the others run.
"""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial

from verdicts.claims.check import Check
from verdicts.claims.measurement import claim_verdict
from verdicts.claims.schema import Claim, Group
from verdicts.errors import UserError
from verdicts.records.provenance import Stopwatch
from verdicts.records.record import CheckResult, Record, absence_of
from verdicts.records.run_record import RunRecord
from verdicts.records.workspace import Workspace
from verdicts.run.audit import audit_group, not_auditable
from verdicts.run.checks import Checks, Load, log_errors, one_line, place_of, run_study
from verdicts.run.drawing import draw_group
from verdicts.run.plan import complete_groups, plan_of
from verdicts.studies.cells import using
from verdicts.studies.store import Store
from verdicts.studies.study import store_of


class StudyRefused(RuntimeError):
    """A group's study has cells that may not stand side by side."""


Note = Callable[[Claim, Record], None]
Complain = Callable[[str], None]


def run_group(
    workspace: Workspace, run: RunRecord, group: Group, note: Note, complain: Complain
) -> None:
    """Make what `run` still lacks of a group: its study, the records of its claims, its figures and
    tables.

    Where the whole group is asked for, its study is computed first, and all that follows only reads
    it; else each claim computes the cells that it asks for. A claim that is forced computes them
    anew. `note` sees each record once it is on disk; `complain` gets one line where nothing could
    be written. Raises UserError for settings that do not fit.
    """
    plan = plan_of(workspace, run, group)
    if group.id not in plan.busy_groups:
        return
    load = loader(workspace, group)
    with complaining(f"{group.id}: no audit", complain):
        audit_group(workspace, run, group, load)
    if group.id in plan.studies:
        with complaining(f"{group.id}: no study", complain):
            if refused := run_study(workspace, run, group, load):
                load = partial(_refuse, refused)  # all that would read the study fails
    whole = bool(complete_groups(workspace, run, [group]))
    for claim in (item.claim for item in plan.pending):
        anew = claim.id in run.forced
        store = store_of(workspace, reading=whole and not anew, run=run.id, anew=anew)
        with complaining(f"{claim.id}: no record", complain), using(store):
            record = _record(workspace, run, claim, load, store)
            record.write(workspace.record_path(claim))
            note(claim, record)
    if group.id in plan.figures:
        with (
            complaining(f"{group.id}: no figures", complain),
            using(store_of(workspace, reading=True)),
        ):
            draw_group(workspace, run, group, load)


def loader(workspace: Workspace, group: Group) -> Load:
    """Load the group's checks now; the function returned gives them, or raises what keeps them
    from loading.
    """
    load = cache(partial(Checks.load, workspace, group))
    try:
        load()
    except UserError:
        raise
    except (Exception, SystemExit):
        pass  # whoever asks for them is told
    return load


def _refuse(reason: str) -> Checks:
    raise StudyRefused(reason)


@contextmanager
def complaining(what: str, complain: Complain) -> Iterator[None]:
    """Turn a disk that is full or gone into one line; what is missing counts as failed at the
    end.
    """
    try:
        yield
    except OSError as error:
        complain(f"{what} could be written: {error}")
    heed_interrupt()


def heed_interrupt() -> None:
    """Raise KeyboardInterrupt where the command line's handler was called, and what it raised was
    lost.

    Python drops what a signal raises within a fork. A library that is interrupted while it closes a
    file raises an error of its own, which was taken for a result that failed.
    """
    if getattr(signal.getsignal(signal.SIGTERM), "asked", False):
        raise KeyboardInterrupt


def _record(
    workspace: Workspace,
    run: RunRecord,
    claim: Claim,
    load: Load,
    store: Store,
) -> Record:
    """Measure a claim. Raises OSError if its log cannot be written."""
    watch = Stopwatch()
    errors: list[BaseException] = []
    results = tuple(measured(workspace, check, load, errors) for check in claim.check)
    log_errors(workspace.log_path(claim.id), errors)
    parts = workspace.record_parts(claim)
    changed = workspace.changed(parts)
    if changed:
        results = tuple(
            CheckResult.unreached(check, f"failed: {changed}", 0.0, "") for check in claim.check
        )
    provenance = watch.provenance(workspace.environment, workspace.profile, parts.config, run.id)
    verdict = claim_verdict(result.verdict for result in results)
    kept = len(store.kept_read)
    pairs = zip(claim.check, results, strict=True) if kept else ()
    unaudited = tuple(
        check.id for check, result in pairs if not_auditable(store, check, result, load)
    )
    outcome = {"checks": results, "verdict": verdict, "failed": bool(errors or changed)}
    content = outcome | {"kept": kept, "unaudited": unaudited}
    return Record.of(claim.id, parts, provenance, **content)


def measured(
    workspace: Workspace, check: Check, load: Load, errors: list[BaseException]
) -> CheckResult:
    """Measure and judge one check; what breaks is added to `errors`."""
    begin = time.perf_counter()
    where = ""
    try:
        checks = load()
        where = place_of(workspace.root, checks.function(check))
        return CheckResult.of(check, checks.measured(check), time.perf_counter() - begin, where)
    except (Exception, SystemExit) as error:
        if getattr(error, "not_run", False):
            return CheckResult.unreached(
                check, str(error), time.perf_counter() - begin, where, absence_of(error)
            )
        errors.append(error)
        return CheckResult.unreached(check, one_line(error), time.perf_counter() - begin, where)
