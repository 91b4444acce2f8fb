"""What the last run was asked for, and what its audit of kept cells found, with what follows for
those not drawn.
"""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from math import comb
from pathlib import Path
from typing import Any, Self

from pydantic import Field

from verdicts.claims.schema import Profile
from verdicts.records.files import Checksummed
from verdicts.records.provenance import now
from verdicts.records.workspace import Workspace
from verdicts.validation import Frozen

ERROR = 0.05
"""How often the bound on the share that differs fails."""
SAYS_LITTLE = 10.0
"""A bound above so many percent is not said: it says little."""
DRAWN = 60
"""Short kept cells that an audit draws unless it is asked for others: where all agree at most 5 %
differ.
"""


class AuditOptions(Frozen):
    """How many kept cells a run draws uniformly: `short` ones, and `long` ones, by `seed`; 0 short
    ones: no audit.

    `asked`: though they were audited before.
    """

    short: int = DRAWN
    long: int = 0
    seed: int = Field(default_factory=lambda: secrets.randbelow(2**32))
    asked: bool = False


class RunRecord(Checksummed):
    """A run's options, kept as `run.json`: its processes read them.

    Every result tells the `id` of the run that made it, by which the report knows what is new:
    processes on several machines have several clocks. `fetch`: what could not be run is tried
    again, however recently it was. `fresh`: no kept cell is read.
    """

    id: str = Field(default_factory=lambda: secrets.token_hex(8))
    profile: Profile
    started: str
    selected: tuple[str, ...]
    forced: tuple[str, ...]
    fetch: bool = False
    fresh: bool = False
    audit: AuditOptions = Field(default_factory=AuditOptions)

    @property
    def yesterday(self) -> str:
        """Return the time a day before the run began."""
        return self._after(timedelta(days=-1))

    @property
    def soon(self) -> str:
        """Return the time an hour after the run began: later than the clock of any machine that has
        done earlier work, unless that clock is wrong.
        """
        return self._after(timedelta(hours=1))

    def _after(self, time: timedelta) -> str:
        return (datetime.fromisoformat(self.started) + time).isoformat(timespec="microseconds")

    @classmethod
    def of(
        cls,
        workspace: Workspace,
        only: tuple[str, ...] = (),
        force: tuple[str, ...] = (),
        fetch: bool = False,
        fresh: bool = False,
        audit: AuditOptions | None = None,
    ) -> Self:
        """Return the options of a run that starts now. Raises UserError for an unknown name."""
        selected = tuple(claim.id for claim in workspace.claims.select(only))
        forced = tuple(claim.id for claim in workspace.claims.select(force)) if force else ()
        about: dict[str, Any] = {
            "profile": workspace.profile,
            "started": now(),
            "audit": audit or AuditOptions(),
        }
        return cls(selected=selected, forced=forced, fetch=fetch, fresh=fresh, **about)

    @classmethod
    def begin(cls, workspace: Workspace) -> Self:
        """Write down that a run of all claims starts now. Raises OSError."""
        run = cls.of(workspace)
        run.write(run_path(workspace))
        return run

    @classmethod
    def last(cls, workspace: Workspace) -> Self | None:
        """Return the options of the last run, None if there was none."""
        return cls.read_or_none(run_path(workspace))


def reads_kept(workspace: Workspace) -> bool:
    """Tell whether kept cells are read: the configuration allows it, and the last run was not
    `--fresh`.
    """
    run = RunRecord.last(workspace)
    return workspace.config.kept and not (run and run.fresh)


def run_path(workspace: Workspace) -> Path:
    """Return the place of the run's options."""
    return workspace.folder / "run.json"


class Audit(Checksummed):
    """The audit of the kept cells that a group's study reads, in the run of id `run`, drawn by
    `seed`.

    `cells` counts the short ones, of which the run's uniform draw had `drawn`, and `differ` of
    these differ. Beside them were computed anew so many of the `numbers` that a row shows, by
    check, and one of each of `functions` more. `long` counts the others, of which `long_drawn` were
    drawn on request. `state` is the digest of what was audited. `differing` names calls that
    differ, and how; `refused` says of each identity why it may not be shown; `damaged` names files.
    `missing`: why some could not be computed.
    """

    group: str
    run: str
    seed: int
    state: str
    cells: int = 0
    drawn: int = 0
    differ: int = 0
    numbers: dict[str, int] = {}  # noqa: RUF012 (a pydantic field)
    functions: int = 0
    long: int = 0
    long_drawn: int = 0
    differing: tuple[str, ...] = ()
    refused: dict[str, str] = {}  # noqa: RUF012 (a pydantic field)
    damaged: tuple[str, ...] = ()
    missing: str = ""

    @property
    def passed(self) -> bool:
        """Tell whether cells were computed anew, and all is as it was kept."""
        made = self.drawn + self.functions + self.long_drawn + sum(self.numbers.values())
        return made > 0 and not (self.refused or self.damaged or self.missing)

    @property
    def said(self) -> str:
        """Say in words what it found of this group, beside what the run's uniform draw says of
        all.
        """
        parts = (
            [f"{self.drawn} of {self.cells} short ones in the uniform draw"] if self.cells else []
        )
        parts += [f"{count} computed anew for {check}" for check, count in self.numbers.items()]
        if self.functions:
            parts.append(f"{self.functions} of functions of which none was drawn")
        if self.long_drawn:
            parts.append(f"{self.long_drawn} of {self.long} long ones computed anew")
        elif self.long:
            parts.append(
                f"{self.long} long ones stored, not audited "
                f"here{' but for these' if self.numbers else ''}"
            )
        if self.missing:
            parts.append(f"some could not be computed: {self.missing}")
        if self.refused:
            parts.append(f"{len(self.refused)} not shown")
            parts += sorted({why for why in self.refused.values() if "pooled" in why})
        parts += [*self.differing, *self.damaged]
        return f"stored cells of {self.group}: {'; '.join(parts)}"


def pooled(audits: Iterable[Audit]) -> list[str]:
    """Say of each run with an audit what its uniform draw over all groups found, and what follows
    for the others.
    """
    runs: dict[tuple[str, int], list[Audit]] = {}
    for audit in audits:
        if audit.cells:
            runs.setdefault((audit.run, audit.seed), []).append(audit)
    return [_sentence(listed, seed) for (_, seed), listed in runs.items()]


def _sentence(audits: Sequence[Audit], seed: int) -> str:
    cells, drawn, differ = (
        sum(getattr(each, name) for each in audits) for name in ("cells", "drawn", "differ")
    )
    if not drawn:
        return f"{cells} stored cells, not audited here."
    said = f"{drawn} of {cells:,} stored cells computed anew"
    if differ:
        return f"{said}, {differ} differ (seed {seed})."
    share = 100 * most_that_differ(cells, drawn) / cells
    bound = (
        f": with {100 - 100 * ERROR:g} % confidence at most {share:.2g} % differ"
        if share <= SAYS_LITTLE
        else ""
    )
    return f"{said}, all agree{bound} (seed {seed})."


def audit_at(workspace: Workspace, group: str) -> Audit | None:
    """Return the last audit of a group's kept cells, None where there is none."""
    return Audit.read_or_none(workspace.audit_path(group))


def audits_of(workspace: Workspace, claims: Iterable[str]) -> list[Audit]:
    """Return the last audit of each group with one of these claims, where it has one."""
    chosen = set(claims)
    groups = dict.fromkeys(claim.group for claim in workspace.claims.claim if claim.id in chosen)
    return [audit for group in groups if (audit := audit_at(workspace, group))]


def most_that_differ(cells: int, drawn: int) -> int:
    """Return how many of `cells` may differ at most, with 95 % confidence, where none of those
    `drawn` does.

    The chance to draw none of `d` without replacement is `C(cells - d, drawn) / C(cells, drawn)`:
    the largest `d` for which it is at least .05.
    """
    count = 0
    # a float times either may be too large
    while comb(cells - count - 1, drawn) / comb(cells, drawn) >= ERROR:
        count += 1
    return count
