"""`ams fresh`: the Monte Carlo checks again, with seeds that nobody has chosen, and how many alarms they give.

A fixed seed makes a run repeatable; that it passes then says little. Here each check is measured at several seeds
from the system's entropy, which is recorded, so that every run can be repeated. An *alarm* is a verdict that is not the
expected one. All checks together raise one with probability `inference.SUITE_FALSE_ALARM` a seed, at most.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from ams.ledger.claims import Check, Claim, Profile, Verdict
from ams.ledger.measurement import Measurement, Unavailable
from ams.ledger.problems import InputProblem
from ams.ledger.provenance import now
from ams.ledger.records import NotCurrent, Sealed
from ams.ledger.verdicts import check_verdict
from ams.runner.checks import Checks
from ams.runner.workspace import Workspace, find_root

RECORD = "fresh.json"
Say = Callable[[str], None]


class Draw(BaseModel):
    """One measurement at a fresh seed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int
    value: float
    verdict: Verdict


class Redrawn(BaseModel):
    """A check at the fresh seeds: the verdict wanted, the draws or why there are none, the claim's key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    check: str
    claim: str
    key: str
    wanted: Verdict
    draws: tuple[Draw, ...] = ()
    reason: str = ""

    @property
    def alarms(self) -> tuple[Draw, ...]:
        """Return the draws whose verdict is not the wanted one."""
        return tuple(draw for draw in self.draws if draw.verdict is not self.wanted)


class Fresh(Sealed):
    """One run of `ams fresh` in a profile; `entropy` makes its seeds again."""

    profile: Profile
    entropy: int
    seeds: tuple[int, ...]
    started: str
    seconds: float
    checks: tuple[Redrawn, ...]


def fresh(ids: tuple[str, ...], count: int, profile: Profile, entropy: int | None, out: Path | None, say: Say) -> int:
    """Measure the Monte Carlo checks of the claims or groups `ids` (default: all) at `count` fresh seeds.

    Writes `fresh.json` into the profile's results. Returns 1 where there was an alarm, else 0. Raises InputProblem;
    whatever a check raises passes through.
    """
    workspace = Workspace.open(find_root(Path.cwd()), profile, out)
    source = secrets.randbits(64) if entropy is None else entropy
    seeds = tuple(int(state >> 1) for state in np.random.SeedSequence(source).generate_state(count))
    begin, started, found = time.perf_counter(), now(), []
    say(f"{profile} profile, {count} fresh seeds of entropy {source}")
    for redrawn in _redrawn(workspace, ids, seeds):
        say(_line(redrawn))
        found.append(redrawn)
    record = Fresh(
        profile=profile,
        entropy=source,
        seeds=seeds,
        started=started,
        seconds=round(time.perf_counter() - begin, 1),
        checks=tuple(found),
    )
    record.write(workspace.folder / RECORD)
    alarms = sum(len(each.alarms) for each in found)
    say(f"{sum(len(each.draws) for each in found)} draws, {alarms} alarms; record: {workspace.folder / RECORD}")
    return 1 if alarms else 0


def read_fresh(workspace: Workspace) -> Fresh | None:
    """Return the profile's record, None where there is none or it is damaged."""
    try:
        return Fresh.read(workspace.folder / RECORD)
    except NotCurrent:
        return None


def _redrawn(workspace: Workspace, ids: tuple[str, ...], seeds: tuple[int, ...]) -> Iterator[Redrawn]:
    """Yield the chosen claims' Monte Carlo checks, measured."""
    for claim in workspace.claims.select(ids):
        drawn = [check for check in claim.check if check.by_monte_carlo]
        if not drawn or workspace.profile not in claim.profiles:
            continue
        checks = Checks.load(workspace, workspace.claims.group_of(claim))
        if not hasattr(checks.settings, "seed"):
            raise InputProblem(f"{claim.group}: its checks draw, but its Settings have no field `seed`")
        for check in drawn:
            yield _measured(workspace, checks, claim, check, seeds)


def _measured(workspace: Workspace, checks: Checks, claim: Claim, check: Check, seeds: tuple[int, ...]) -> Redrawn:
    function, key = checks.function(check), workspace.record_parts(claim).key

    def draw(seed: int) -> Draw:
        measured = Measurement.model_validate(function(checks.settings.model_copy(update={"seed": seed})))
        return Draw(seed=seed, value=measured.value, verdict=check_verdict(check, measured))

    try:
        wanted = claim.expected
        if wanted is not Verdict.HOLDS:  # a claim that is refuted may have checks that hold
            wanted = check_verdict(check, Measurement.model_validate(function(checks.settings)))
        draws = tuple(map(draw, seeds))
    except Unavailable as absence:
        return Redrawn(check=check.id, claim=claim.id, key=key, wanted=claim.expected, reason=str(absence))
    return Redrawn(check=check.id, claim=claim.id, key=key, wanted=wanted, draws=draws)


def _line(redrawn: Redrawn) -> str:
    if not redrawn.draws:
        return f"{redrawn.check:<22} not run: {redrawn.reason}"
    values = [draw.value for draw in redrawn.draws]
    told = f"{redrawn.check:<22} {redrawn.wanted} expected, values {min(values):.4g} to {max(values):.4g}"
    seeds = ", ".join(f"{draw.seed} ({draw.verdict})" for draw in redrawn.alarms)
    return f"{told}; {len(redrawn.alarms)} alarms{f': seeds {seeds}' if seeds else ''}"
