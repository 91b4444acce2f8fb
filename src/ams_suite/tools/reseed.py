"""`ams reseed`: what draws is measured again, at seeds that nobody has chosen; how many alarms are there?

A fixed seed makes a run repeatable; that it passes then says little. Here each check is measured at several seeds
from the system's entropy, which is recorded, so that every run can be repeated.

- A check that states a *share* of the false-alarm budget raises an alarm by any verdict that is not the expected one.
  All of them together do so with probability `ams.statistics.SUITE_FALSE_ALARM` a seed, at most.
- Any other check that draws has an *interval* of confidence `ams.statistics.CONFIDENCE`, so that other seeds may leave
  it undecided. It raises an alarm where a seed decides the opposite of what its own seed decides, with probability
  `RATE` a seed at most, where the value lies at the bound. `limits` says how many alarms one check, and how many checks
  with an alarm, are too many.
"""

import secrets
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from scipy import stats

from ams.statistics import CONFIDENCE
from verdicts.claims.measurement import Measurement
from verdicts.claims.schema import Check, Claim, Evidence, Expectation, Verdict
from verdicts.claims.verdict import check_verdict
from verdicts.errors import UserError
from verdicts.records.figures import Table
from verdicts.records.provenance import now
from verdicts.records.section import FOLDER, Section
from verdicts.records.workspace import Workspace
from verdicts.run.checks import Checks

Say = Callable[[str], None]
DECIDED = (Verdict.HOLDS, Verdict.REFUTED)
RATE = (1 - CONFIDENCE) / 2
RARE = 1e-3
"""With what probability intervals raise more alarms than are allowed, where all values lie at their bounds."""
HEADER = ("check", "kind", "expected", "seeds", "smallest value", "largest value", "alarms", "remark")


class Draw(NamedTuple):
    """One measurement at a fresh seed."""

    seed: int
    value: float
    verdict: Verdict


class Redrawn(NamedTuple):
    """A check at the fresh seeds: the verdict wanted, the draws, and why some are missing."""

    check: Check
    wanted: Verdict
    draws: tuple[Draw, ...] = ()
    reason: str = ""

    @property
    def alarms(self) -> tuple[Draw, ...]:
        """Return the draws whose verdict is not the wanted one; where the check states no share: is the opposite."""
        others = tuple(draw for draw in self.draws if draw.verdict is not self.wanted)
        if self.check.share:
            return others
        return tuple(draw for draw in others if {draw.verdict, self.wanted} == {*DECIDED})

    @property
    def decides(self) -> bool:
        """Return whether a check without a share can raise an alarm: it was drawn, and its own seed decides it."""
        return not self.check.share and bool(self.draws) and self.wanted in DECIDED


class Limits(NamedTuple):
    """How many of the checks without a share may raise alarms, and how many alarms one of them may raise."""

    checks: int
    alarms: int


def limits(checks: int, seeds: int) -> Limits:
    """Return what `checks` without a share, each measured at `seeds` seeds, exceed with probability `RARE` at most.

    Of one check the alarms are binomial with probability `RATE`, where the value lies at the bound; half of `RARE` is
    shared by the checks, the other half is for their number. That is taken as binomial too, with probability
    `1 - (1 - RATE)^seeds`: so it is for independent checks. Those of one claim share samples, which makes larger
    numbers more frequent.
    """
    if not checks:
        return Limits(0, 0)
    many, one = stats.binom(checks, 1 - (1 - RATE) ** seeds), stats.binom(seeds, RATE)
    return Limits(int(many.ppf(1 - RARE / 2)), int(one.ppf(1 - RARE / (2 * checks))))


def reseed(workspace: Workspace, ids: tuple[str, ...], count: int, entropy: int | None, say: Say) -> int:
    """Measure what draws in the claims or groups `ids` (default: all) at `count` fresh seeds.

    Writes the section `reseed` of the profile's report. Returns 1 where a check with a share raised an alarm, or those
    without raised more than `limits` allows, else 0. Raises UserError, also where nothing draws; whatever a check
    raises passes through.
    """
    source = secrets.randbits(64) if entropy is None else entropy
    seeds = tuple(int(state >> 1) for state in np.random.SeedSequence(source).generate_state(count))
    begin, started, rows = time.perf_counter(), now(), []
    say(f"{workspace.profile} profile, {count} fresh seeds of entropy {source}")
    chosen = list(_that_draw(workspace, ids))
    if not chosen:
        raise UserError(
            f"reseed: no check that draws in {', '.join(ids) or 'any group'} in the {workspace.profile} profile"
        )
    for checks, claim, check in chosen:
        rows.append(_redrawn(checks, claim, check, seeds))
        say(_line(rows[-1]))
    strict, intervals = [row for row in rows if row.check.share], [row for row in rows if row.decides]
    raised = sum(len(row.alarms) for row in strict)
    most, alarmed = limits(len(intervals), count), [row for row in intervals if row.alarms]
    not_run = sum(bool(row.reason) for row in rows)
    text = (
        f"{' '.join(ids) or 'All groups'} in the {workspace.profile} profile, {count} seeds from entropy {source}: "
        f"{raised} alarms of the {len(strict)} checks with a share of the false-alarm budget; of {len(intervals)} with "
        f"intervals of confidence {CONFIDENCE:g} that their own seeds decide, {len(alarmed)} were decided otherwise by "
        f"a seed (allowed: {most.checks}, each at {most.alarms} seeds)"
    )
    text += f"; {not_run} checks were not run" if not_run else ""
    words = " ".join((*ids, "--profile", workspace.profile))
    path = workspace.folder / FOLDER / "reseed.json"
    Section(
        id="reseed",
        title="What draws, at fresh seeds",
        text=f"{text}, in {time.perf_counter() - begin:.0f} s.",
        table=Table(id="reseed", caption=text, header=HEADER, rows=tuple(map(_row, rows))),
        command=f"{workspace.project.command} reseed {words} --seeds {count} --entropy {source}",
        started=started,
        sources={name: sha for _, claim, _ in chosen for name, sha in workspace.record_parts(claim).sources.items()},
    ).write(path)
    say(f"{sum(len(row.draws) for row in rows)} draws; {text}; record: {path}")
    return int(raised > 0 or len(alarmed) > most.checks or any(len(row.alarms) > most.alarms for row in alarmed))


def _that_draw(workspace: Workspace, ids: tuple[str, ...]) -> Iterator[tuple[Checks, Claim, Check]]:
    """Yield the chosen claims' Monte Carlo checks, and those of experiments whose group has a seed, ready to run.

    Raises UserError for a Monte Carlo check whose group has no seed.
    """
    for claim in workspace.claims.select(ids):
        here = claim.check if workspace.profile in claim.profiles else ()
        drawing = [each for each in here if each.by_monte_carlo or claim.evidence is Evidence.EXPERIMENT]
        checks = Checks.load(workspace, workspace.claims.group_of(claim)) if drawing else None
        for check in drawing:
            if checks and hasattr(checks.settings, "seed"):
                yield checks, claim, check
            elif check.by_monte_carlo:
                raise UserError(f"{claim.group}: its checks draw, but its Settings have no field `seed`")


def _redrawn(checks: Checks, claim: Claim, check: Check, seeds: tuple[int, ...]) -> Redrawn:
    """Measure a check at its own seed and at fresh ones."""
    function = checks.function(check)

    def draw(seed: int) -> Draw:
        measured = Measurement.model_validate(function(checks.settings.model_copy(update={"seed": seed})))
        return Draw(seed, measured.value, check_verdict(check, measured))

    wanted, draws, reason = Verdict.HOLDS, list[Draw](), ""
    try:
        if claim.expected is not Expectation.HOLDS or not check.share:  # some may hold, some may not
            wanted = check_verdict(check, Measurement.model_validate(function(checks.settings)))
        draws.extend(map(draw, seeds))
    except Exception as error:
        if not getattr(error, "not_run", False):
            raise
        reason = str(error)
    return Redrawn(check, wanted, tuple(draws), reason)


def _row(row: Redrawn) -> tuple[str | int | float, ...]:
    values = [draw.value for draw in row.draws]
    ends = (min(values), max(values)) if values else ("", "")
    remark = ", ".join(
        [*(f"seed {draw.seed}: {draw.verdict}" for draw in row.alarms), *([row.reason] * bool(row.reason))]
    )
    kind = "share" if row.check.share else "interval"
    return row.check.id, kind, row.wanted, len(values), *ends, len(row.alarms), remark


def _line(row: Redrawn) -> str:
    if row.reason:
        return f"{row.check.id:<22} not run: {row.reason}"
    values = [draw.value for draw in row.draws]
    seeds = ", ".join(f"{draw.seed} ({draw.verdict})" for draw in row.alarms)
    drawn = f"{row.check.id:<22} {row.wanted} wanted, values {min(values):.4g} to {max(values):.4g}"
    return f"{drawn}; {len(row.alarms)} alarms{f': seeds {seeds}' if seeds else ''}"
