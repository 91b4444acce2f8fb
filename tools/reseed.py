"""What draws is measured again, at seeds that nobody has chosen; how many alarms are there? `python
-m tools.reseed`.

A fixed seed makes a run repeatable; that it passes then says little. Here each check is measured at
several seeds from the system's entropy, which is printed, so that every run can be repeated.

- A check that states a *share* of the false-alarm budget raises an alarm by any verdict that is not
  the expected one. All of them together do so with probability `ams.statistics.SUITE_FALSE_ALARM` a
  seed, at most.
- Any other check that draws has an *interval* of confidence `ams.statistics.CONFIDENCE`, so that
  other seeds may leave it undecided. It raises an alarm where a seed decides the opposite of what
  its own seed decides, with probability `RATE` a seed at most, where the value lies at the bound.
  `limits` says how many alarms one check, and how many checks with an alarm, are too many.
"""

import secrets
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import tyro
from scipy import stats

from ams.statistics import CONFIDENCE
from ams_suite.project import PROJECT
from tools import at_least, run, say
from verdicts.claims.check import Check
from verdicts.claims.measurement import Measurement, check_verdict
from verdicts.claims.schema import Claim, Evidence, Expectation, Profile, Verdict
from verdicts.errors import UserError
from verdicts.records.workspace import Workspace, find_root
from verdicts.run.checks import Checks

DECIDED = (Verdict.HOLDS, Verdict.REFUTED)
RATE = (1 - CONFIDENCE) / 2
RARE = 1e-3
"""With what probability intervals raise more alarms than are allowed, where all values lie at their
bounds.
"""


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
        """Return the draws whose verdict is not the wanted one; where the check states no share: is
        the opposite.
        """
        others = tuple(draw for draw in self.draws if draw.verdict is not self.wanted)
        if self.check.share:
            return others
        return tuple(draw for draw in others if {draw.verdict, self.wanted} == {*DECIDED})

    @property
    def decides(self) -> bool:
        """Return whether a check without a share can raise an alarm: it was drawn, and its own seed
        decides it.
        """
        return not self.check.share and bool(self.draws) and self.wanted in DECIDED

    def __str__(self) -> str:
        if self.reason:
            return f"{self.check.id:<22} not run: {self.reason}"
        values = [draw.value for draw in self.draws]
        seeds = ", ".join(f"{draw.seed} ({draw.verdict})" for draw in self.alarms)
        drawn = (
            f"{self.check.id:<22} {self.wanted} wanted, values {min(values):.4g} to "
            f"{max(values):.4g}"
        )
        return f"{drawn}; {len(self.alarms)} alarms{f': seeds {seeds}' if seeds else ''}"


class Limits(NamedTuple):
    """How many of the checks without a share may raise alarms, and how many alarms one of them may
    raise.
    """

    checks: int
    alarms: int


def limits(checks: int, seeds: int) -> Limits:
    """Return what `checks` without a share, each measured at `seeds` seeds, exceed with probability
    `RARE` at most.

    Of one check the alarms are binomial with probability `RATE`, where the value lies at the bound;
    half of `RARE` is shared by the checks, the other half is for their number. That is taken as
    binomial too, with probability `1 - (1 - RATE)^seeds`: so it is for independent checks. Those of
    one claim share samples, which makes larger numbers more frequent.
    """
    if not checks:
        return Limits(0, 0)
    many, one = stats.binom(checks, 1 - (1 - RATE) ** seeds), stats.binom(seeds, RATE)
    return Limits(int(many.ppf(1 - RARE / 2)), int(one.ppf(1 - RARE / (2 * checks))))


@dataclass(frozen=True)
class Reseed:
    """Measure what draws at seeds that nobody has chosen; exit code 1 if verdicts are others than
    they may be.
    """

    ids: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="[ID ...]")] = ()
    """Claims or groups (default: all)."""
    seeds: int = 20
    """How many seeds."""
    profile: Profile = Profile.QUICK
    """The sizes."""
    entropy: int | None = None
    """What the seeds are made from, as an earlier run printed it (default: the system's)."""
    out: Path | None = None
    """The folder for results, from which studies are read (default: results/)."""

    def __call__(self) -> int:
        """Do it: 1 where a check with a share raised an alarm, or those without raised more than
        `limits` allows.

        Raises UserError where nothing draws; whatever a check raises passes through.
        """
        at_least(1, seeds=self.seeds)
        at_least(0, entropy=self.entropy or 0)
        workspace = Workspace.open(find_root(Path.cwd()), self.profile, self.out, PROJECT)
        source = secrets.randbits(64) if self.entropy is None else self.entropy
        seeds = tuple(
            int(state >> 1) for state in np.random.SeedSequence(source).generate_state(self.seeds)
        )
        say(f"{self.profile} profile, {self.seeds} fresh seeds of entropy {source}")
        rows = []
        for checks, claim, check in _that_draw(workspace, self.ids):
            rows.append(_redrawn(checks, claim, check, seeds))
            say(str(rows[-1]))
        if not rows:
            where = f"{', '.join(self.ids) or 'any group'} in the {self.profile} profile"
            raise UserError(f"reseed: no check that draws in {where}")
        return self._judged(rows)

    def _judged(self, rows: list[Redrawn]) -> int:
        """Say how many alarms there are, and how many are allowed; return 1 where there are more,
        else 0.
        """
        strict, intervals = (
            [row for row in rows if row.check.share],
            [row for row in rows if row.decides],
        )
        raised, alarmed = (
            sum(len(row.alarms) for row in strict),
            [row for row in intervals if row.alarms],
        )
        most, not_run = limits(len(intervals), self.seeds), sum(bool(row.reason) for row in rows)
        say(
            f"{raised} alarms of the {len(strict)} checks with a share of the false-alarm "
            f"budget; of {len(intervals)} "
            f"with intervals of confidence {CONFIDENCE:g} that their own seeds decide, "
            f"{len(alarmed)} were decided "
            f"otherwise by a seed (allowed: {most.checks}, each at {most.alarms} seeds); "
            f"{not_run} not run"
        )
        return int(
            raised > 0
            or len(alarmed) > most.checks
            or any(len(row.alarms) > most.alarms for row in alarmed)
        )


def _that_draw(workspace: Workspace, ids: tuple[str, ...]) -> Iterator[tuple[Checks, Claim, Check]]:
    """Yield the chosen claims' Monte Carlo checks, and those of experiments whose group has a seed,
    ready to run.

    Raises UserError for a Monte Carlo check whose group has no seed.
    """
    for claim in workspace.claims.select(ids):
        here = claim.check if workspace.profile in claim.profiles else ()
        drawing = [
            each for each in here if each.by_monte_carlo or claim.evidence is Evidence.EXPERIMENT
        ]
        checks = Checks.load(workspace, workspace.claims.group_of(claim)) if drawing else None
        for check in drawing:
            if checks and hasattr(checks.settings, "seed"):
                yield checks, claim, check
            elif check.by_monte_carlo:
                raise UserError(
                    f"{claim.group}: its checks draw, but its Settings have no field `seed`"
                )


def _redrawn(checks: Checks, claim: Claim, check: Check, seeds: tuple[int, ...]) -> Redrawn:
    """Measure a check at its own seed and at fresh ones."""
    function = checks.function(check)

    def draw(seed: int) -> Draw:
        measured = Measurement.model_validate(
            function(checks.settings.model_copy(update={"seed": seed}))
        )
        return Draw(seed, measured.value, check_verdict(check, measured))

    wanted, draws, reason = Verdict.HOLDS, list[Draw](), ""
    try:
        # some may hold, some may not
        if claim.expected is not Expectation.HOLDS or not check.share:
            wanted = check_verdict(check, Measurement.model_validate(function(checks.settings)))
        draws.extend(map(draw, seeds))
    except Exception as error:
        if not getattr(error, "not_run", False):
            raise
        reason = str(error)
    return Redrawn(check, wanted, tuple(draws), reason)


if __name__ == "__main__":
    sys.exit(run(Reseed))
