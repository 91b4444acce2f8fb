"""What the last run was asked for."""

import secrets
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

from pydantic import Field

from verdicts.claims.schema import Profile
from verdicts.records.checksummed import Checksummed
from verdicts.records.provenance import now
from verdicts.records.workspace import Workspace
from verdicts.validation import Frozen


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
    machines have several clocks. `fetch`: what could not be run is tried again, however recently it was.
    """

    id: str = Field(default_factory=lambda: secrets.token_hex(8))
    profile: Profile
    started: str
    selected: tuple[str, ...]
    forced: tuple[str, ...]
    fetch: bool = False
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
        audit: AuditOptions | None = None,
    ) -> Self:
        """Return the options of a run that starts now. Raises UserError for an unknown name."""
        selected = tuple(claim.id for claim in workspace.claims.select(only))
        forced = tuple(claim.id for claim in workspace.claims.select(force)) if force else ()
        about: dict[str, Any] = {"profile": workspace.profile, "started": now(), "audit": audit or AuditOptions()}
        return cls(selected=selected, forced=forced, fetch=fetch, **about)

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


def run_path(workspace: Workspace) -> Path:
    """Return the place of the run's options."""
    return workspace.folder / "run.json"
