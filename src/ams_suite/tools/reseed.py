"""`ams reseed`: the Monte Carlo checks again, at seeds that nobody has chosen, and how many alarms they give.

A fixed seed makes a run repeatable; that it passes then says little. Here each check is measured at several seeds
from the system's entropy, which is recorded, so that every run can be repeated. An *alarm* is a verdict that is not the
expected one. All checks together raise one with probability `ams.statistics.SUITE_FALSE_ALARM` a seed, at most.
"""

import secrets
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from verdicts.claims.measurement import Measurement
from verdicts.claims.schema import Check, Claim, Expectation, Verdict
from verdicts.claims.verdict import check_verdict
from verdicts.errors import UserError
from verdicts.records.figures import Table
from verdicts.records.provenance import now
from verdicts.records.section import FOLDER, Section
from verdicts.records.workspace import Workspace
from verdicts.run.checks import Checks

Say = Callable[[str], None]
HEADER = ("check", "expected", "seeds", "smallest value", "largest value", "alarms", "remark")


class Draw(NamedTuple):
    """One measurement at a fresh seed."""

    seed: int
    value: float
    verdict: Verdict


class Redrawn(NamedTuple):
    """A check at the fresh seeds: the verdict wanted, and the draws or why there are none."""

    check: str
    wanted: Verdict
    draws: tuple[Draw, ...] = ()
    reason: str = ""

    @property
    def alarms(self) -> tuple[Draw, ...]:
        """Return the draws whose verdict is not the wanted one."""
        return tuple(draw for draw in self.draws if draw.verdict is not self.wanted)


def reseed(workspace: Workspace, ids: tuple[str, ...], count: int, entropy: int | None, say: Say) -> int:
    """Measure the Monte Carlo checks of the claims or groups `ids` (default: all) at `count` fresh seeds.

    Writes the section `reseed` of the profile's report. Returns 1 where there was an alarm, else 0. Raises UserError;
    whatever a check raises passes through.
    """
    source = secrets.randbits(64) if entropy is None else entropy
    seeds = tuple(int(state >> 1) for state in np.random.SeedSequence(source).generate_state(count))
    begin, started, rows = time.perf_counter(), now(), []
    say(f"{workspace.profile} profile, {count} fresh seeds of entropy {source}")
    chosen = list(_by_monte_carlo(workspace, ids))
    for claim, check in chosen:
        rows.append(_redrawn(_checks(workspace, claim), claim, check, seeds))
        say(_line(rows[-1]))
    alarms = sum(len(row.alarms) for row in rows)
    text = f"The Monte Carlo checks at {count} seeds from entropy {source}: {alarms} alarms"
    path = workspace.folder / FOLDER / "reseed.json"
    Section(
        id="reseed",
        title="Monte Carlo checks at fresh seeds",
        text=f"{text}, in {time.perf_counter() - begin:.0f} s.",
        table=Table(id="reseed", caption=text, header=HEADER, rows=tuple(map(_row, rows))),
        command=f"{workspace.project.command} reseed --profile {workspace.profile} --seeds {count} --entropy {source}",
        started=started,
        sources={name: sha for claim, _ in chosen for name, sha in workspace.record_parts(claim).sources.items()},
    ).write(path)
    say(f"{sum(len(row.draws) for row in rows)} draws, {alarms} alarms; record: {path}")
    return 1 if alarms else 0


def _by_monte_carlo(workspace: Workspace, ids: tuple[str, ...]) -> Iterator[tuple[Claim, Check]]:
    """Yield the chosen claims' Monte Carlo checks."""
    for claim in workspace.claims.select(ids):
        for check in claim.check if workspace.profile in claim.profiles else ():
            if check.by_monte_carlo:
                yield claim, check


def _checks(workspace: Workspace, claim: Claim) -> Checks:
    """Return a claim's group, ready to run. Raises UserError where its settings have no seed."""
    checks = Checks.load(workspace, workspace.claims.group_of(claim))
    if not hasattr(checks.settings, "seed"):
        raise UserError(f"{claim.group}: its checks draw, but its Settings have no field `seed`")
    return checks


def _redrawn(checks: Checks, claim: Claim, check: Check, seeds: tuple[int, ...]) -> Redrawn:
    function = checks.function(check)

    def draw(seed: int) -> Draw:
        measured = Measurement.model_validate(function(checks.settings.model_copy(update={"seed": seed})))
        return Draw(seed, measured.value, check_verdict(check, measured))

    wanted = Verdict.HOLDS
    try:
        if claim.expected is not Expectation.HOLDS:  # of such a claim, some checks may hold
            wanted = check_verdict(check, Measurement.model_validate(function(checks.settings)))
        return Redrawn(check.id, wanted, tuple(map(draw, seeds)))
    except Exception as error:
        if not getattr(error, "not_run", False):
            raise
        return Redrawn(check.id, wanted, reason=str(error))


def _row(row: Redrawn) -> tuple[str | int | float, ...]:
    values = [draw.value for draw in row.draws]
    ends = (min(values), max(values)) if values else ("", "")
    remark = ", ".join(f"seed {draw.seed}: {draw.verdict}" for draw in row.alarms) or row.reason
    return row.check, row.wanted, len(values), *ends, len(row.alarms), remark


def _line(row: Redrawn) -> str:
    if not row.draws:
        return f"{row.check:<22} not run: {row.reason}"
    values = [draw.value for draw in row.draws]
    seeds = ", ".join(f"{draw.seed} ({draw.verdict})" for draw in row.alarms)
    drawn = f"{row.check:<22} {row.wanted} expected, values {min(values):.4g} to {max(values):.4g}"
    return f"{drawn}; {len(row.alarms)} alarms{f': seeds {seeds}' if seeds else ''}"
