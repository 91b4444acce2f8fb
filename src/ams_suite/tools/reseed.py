"""`ams reseed`: what draws is measured again, at seeds that nobody has chosen; how many alarms are there?

A fixed seed makes a run repeatable; that it passes then says little. Here each check is measured at several seeds
from the system's entropy, which is recorded, so that every run can be repeated.

- A *Monte Carlo check* of the theory raises an alarm by any verdict that is not the expected one. All of them together
  do so with probability `ams.statistics.SUITE_FALSE_ALARM` a seed, at most.
- A check of an *experiment* has an interval of confidence `ams.statistics.CONFIDENCE`, so that other seeds may leave it
  undecided. It raises an alarm where a seed decides the opposite of what its own seed decides, with probability
  (1 - CONFIDENCE) / 2 a seed at most, where the value lies at the bound. As many checks as `limit` says may raise one.
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
HEADER = ("check", "kind", "expected", "seeds", "smallest value", "largest value", "alarms", "remark")


class Draw(NamedTuple):
    """One measurement at a fresh seed."""

    seed: int
    value: float
    verdict: Verdict


class Redrawn(NamedTuple):
    """A check at the fresh seeds: the verdict wanted, and the draws or why there are none."""

    check: Check
    wanted: Verdict
    draws: tuple[Draw, ...] = ()
    reason: str = ""

    @property
    def alarms(self) -> tuple[Draw, ...]:
        """Return the draws whose verdict is not the wanted one; of an experiment's check: is the opposite one."""
        others = tuple(draw for draw in self.draws if draw.verdict is not self.wanted)
        if self.check.by_monte_carlo:
            return others
        return tuple(draw for draw in others if {draw.verdict, self.wanted} == {*DECIDED})

    @property
    def decides(self) -> bool:
        """Return whether an experiment's check can raise an alarm: it was drawn, and its own seed decides it."""
        return not self.check.by_monte_carlo and bool(self.draws) and self.wanted in DECIDED


def limit(rows: int, seeds: int) -> int:
    """Return the 99.9 % quantile of how many of so many checks of experiments raise an alarm, each value at its bound.

    A check does so with probability `1 - (1 - (1 - CONFIDENCE) / 2)^seeds`; the checks are taken as independent.
    """
    return int(stats.binom.ppf(0.999, rows, 1 - (1 - (1 - CONFIDENCE) / 2) ** seeds)) if rows else 0


def reseed(workspace: Workspace, ids: tuple[str, ...], count: int, entropy: int | None, say: Say) -> int:
    """Measure what draws in the claims or groups `ids` (default: all) at `count` fresh seeds.

    Writes the section `reseed` of the profile's report. Returns 1 where a Monte Carlo check raised an alarm, or more
    checks of experiments than `limit` allows, else 0. Raises UserError; whatever a check raises passes through.
    """
    source = secrets.randbits(64) if entropy is None else entropy
    seeds = tuple(int(state >> 1) for state in np.random.SeedSequence(source).generate_state(count))
    begin, started, rows = time.perf_counter(), now(), []
    say(f"{workspace.profile} profile, {count} fresh seeds of entropy {source}")
    chosen = list(_that_draw(workspace, ids))
    for claim, check in chosen:
        rows.append(_redrawn(workspace, claim, check, seeds))
        say(_line(rows[-1]))
    theory, experiments = _counted(rows), [row for row in rows if row.decides]
    most, alarmed = limit(len(experiments), count), sum(bool(row.alarms) for row in experiments)
    text = (
        f"{count} seeds from entropy {source}: {theory} alarms of Monte Carlo checks; of {len(experiments)} checks of "
        f"experiments that their own seeds decide, {alarmed} were decided otherwise by a seed (at most {most} are, in "
        "99.9 % of such runs)"
    )
    path = workspace.folder / FOLDER / "reseed.json"
    Section(
        id="reseed",
        title="What draws, at fresh seeds",
        text=f"{text}, in {time.perf_counter() - begin:.0f} s.",
        table=Table(id="reseed", caption=text, header=HEADER, rows=tuple(map(_row, rows))),
        command=f"{workspace.project.command} reseed --profile {workspace.profile} --seeds {count} --entropy {source}",
        started=started,
        sources={name: sha for claim, _ in chosen for name, sha in workspace.record_parts(claim).sources.items()},
    ).write(path)
    say(f"{sum(len(row.draws) for row in rows)} draws; {text}; record: {path}")
    return int(theory > 0 or alarmed > most)


def _counted(rows: list[Redrawn]) -> int:
    return sum(len(row.alarms) for row in rows if row.check.by_monte_carlo)


def _that_draw(workspace: Workspace, ids: tuple[str, ...]) -> Iterator[tuple[Claim, Check]]:
    """Yield the chosen claims' Monte Carlo checks, and those of experiments whose group has a seed."""
    for claim in workspace.claims.select(ids):
        for check in claim.check if workspace.profile in claim.profiles else ():
            experiment = claim.evidence is Evidence.EXPERIMENT
            if check.by_monte_carlo or (experiment and hasattr(_checks(workspace, claim).settings, "seed")):
                yield claim, check


def _checks(workspace: Workspace, claim: Claim) -> Checks:
    """Return a claim's group, ready to run."""
    return Checks.load(workspace, workspace.claims.group_of(claim))


def _redrawn(workspace: Workspace, claim: Claim, check: Check, seeds: tuple[int, ...]) -> Redrawn:
    """Measure a check at its own seed and at fresh ones. Raises UserError where its settings have no seed."""
    checks = _checks(workspace, claim)
    if not hasattr(checks.settings, "seed"):
        raise UserError(f"{claim.group}: its checks draw, but its Settings have no field `seed`")
    function = checks.function(check)

    def draw(seed: int) -> Draw:
        measured = Measurement.model_validate(function(checks.settings.model_copy(update={"seed": seed})))
        return Draw(seed, measured.value, check_verdict(check, measured))

    wanted = Verdict.HOLDS
    try:
        if claim.expected is not Expectation.HOLDS or not check.by_monte_carlo:  # some may hold, some may not
            wanted = check_verdict(check, Measurement.model_validate(function(checks.settings)))
        return Redrawn(check, wanted, tuple(map(draw, seeds)))
    except Exception as error:
        if not getattr(error, "not_run", False):
            raise
        return Redrawn(check, wanted, reason=str(error))


def _row(row: Redrawn) -> tuple[str | int | float, ...]:
    values = [draw.value for draw in row.draws]
    ends = (min(values), max(values)) if values else ("", "")
    remark = ", ".join(f"seed {draw.seed}: {draw.verdict}" for draw in row.alarms) or row.reason
    kind = "Monte Carlo" if row.check.by_monte_carlo else "experiment"
    return row.check.id, kind, row.wanted, len(values), *ends, len(row.alarms), remark


def _line(row: Redrawn) -> str:
    if not row.draws:
        return f"{row.check.id:<22} not run: {row.reason}"
    values = [draw.value for draw in row.draws]
    seeds = ", ".join(f"{draw.seed} ({draw.verdict})" for draw in row.alarms)
    drawn = f"{row.check.id:<22} {row.wanted} expected, values {min(values):.4g} to {max(values):.4g}"
    return f"{drawn}; {len(row.alarms)} alarms{f': seeds {seeds}' if seeds else ''}"
