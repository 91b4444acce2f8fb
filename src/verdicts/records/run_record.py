"""What the last run was asked for, and what its audit of kept cells found, with what follows for those not drawn."""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from math import comb, floor, log10
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


class AuditOptions(Frozen):
    """How many kept cells a run audits: `short` ones (None: as many as two minutes buy), `long` ones, drawn by `seed`.

    `asked`: though they were audited before.
    """

    short: int | None = None
    long: int = 0
    seed: int = Field(default_factory=lambda: secrets.randbelow(2**32))
    asked: bool = False


class RunRecord(Checksummed):
    """A run's options, kept as `run.json`: its processes read them.

    Every result tells the `id` of the run that made it, by which the report knows what is new: processes on several
    machines have several clocks. `fetch`: what could not be run is tried again, however recently it was. `fresh`: no
    kept cell is read.
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
        """Return the time an hour after the run began: later than the clock of any machine that has done earlier work,
        unless that clock is wrong."""
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
        about: dict[str, Any] = {"profile": workspace.profile, "started": now(), "audit": audit or AuditOptions()}
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
    """Tell whether kept cells are read: the configuration allows it, and the last run was not `--fresh`."""
    run = RunRecord.last(workspace)
    return workspace.config.kept and not (run and run.fresh)


def run_path(workspace: Workspace) -> Path:
    """Return the place of the run's options."""
    return workspace.folder / "run.json"


class Stratum(Frozen):
    """Kept cells of one kind: how many `cells`, their processor `seconds`, how many `drawn`, how many `agreed`."""

    cells: int = 0
    seconds: float = 0.0
    drawn: int = 0
    agreed: int = 0

    @property
    def said(self) -> str:
        """Say what was drawn and what follows: without a difference, the largest share of all that may differ."""
        if not self.drawn:
            return f"{self.cells} of {self.cells} kept, not audited"
        if self.agreed < self.drawn:
            return f"{self.drawn} of {self.cells} recomputed, {self.drawn - self.agreed} differ"
        share = 100 * most_that_differ(self.cells, self.drawn) / self.cells
        digits = 0 if share >= 1 or share == 0 else -floor(log10(share))
        return (
            f"{self.drawn} of {self.cells} recomputed, all agree: with {100 - 100 * ERROR:g} % confidence at most "
            f"{share:.{digits}f} % differ"
        )


class Audit(Checksummed):
    """The audit of a group's kept cells in the run of id `run`, drawn by `seed`: those of a minute (`short`), longer
    ones (`long`).

    `archive` and `sources` are the digests of what was audited. `differing` names calls that differ; `refused` says of
    each identity why it may not be shown; `damaged` names files. `missing`: why none could be computed.
    """

    group: str
    run: str
    seed: int
    archive: str
    sources: str
    short: Stratum
    long: Stratum
    differing: tuple[str, ...] = ()
    refused: dict[str, str] = {}  # noqa: RUF012 (a pydantic field)
    damaged: tuple[str, ...] = ()
    missing: str = ""

    @property
    def passed(self) -> bool:
        """Tell whether cells were drawn, and all is as it was kept."""
        return self.short.drawn + self.long.drawn > 0 and not (self.refused or self.damaged or self.missing)

    @property
    def said(self) -> str:
        """Say in words what it found."""
        parts = [f"{self.short.said} (seed {self.seed})"] if self.short.cells else []
        if self.long.cells:
            parts.append(f"{self.long.said} ({self.long.seconds / 3600:.1f} core-hours, each of more than a minute)")
        if self.missing:
            parts.append(f"not audited: {self.missing}")
        if self.refused:
            parts.append(f"{len(self.refused)} not shown: {', '.join(sorted(set(self.refused.values())))}")
        parts += [f"differs: {call}" for call in self.differing] + list(self.damaged)
        return f"kept cells of {self.group}: {'; '.join(parts)}"


def audit_at(workspace: Workspace, group: str) -> Audit | None:
    """Return the last audit of a group's kept cells, None where there is none."""
    return Audit.read_or_none(workspace.audit_path(group))


def audits_of(workspace: Workspace, claims: Iterable[str]) -> list[Audit]:
    """Return the last audit of each group with one of these claims, where it has one."""
    chosen = set(claims)
    groups = dict.fromkeys(claim.group for claim in workspace.claims.claim if claim.id in chosen)
    return [audit for group in groups if (audit := audit_at(workspace, group))]


def most_that_differ(cells: int, drawn: int) -> int:
    """Return how many of `cells` may differ at most, with 95 % confidence, where none of those `drawn` does.

    The chance to draw none of `d` without replacement is `C(cells - d, drawn) / C(cells, drawn)`: the largest `d` for
    which it is at least .05.
    """
    count = 0
    while comb(cells - count - 1, drawn) / comb(cells, drawn) >= ERROR:  # a float times either may be too large
        count += 1
    return count
