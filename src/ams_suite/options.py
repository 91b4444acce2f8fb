"""Options that several commands of `ams` share: which results, how claims are run."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import Positional, UseAppendAction, arg

from ams.errors import UserError
from samplercheck.__main__ import Whole

if TYPE_CHECKING:
    from verdicts.records.run_record import AuditOptions
    from verdicts.run.driver import RunOptions

Ids = Annotated[UseAppendAction[tuple[tuple[str, ...], ...]], arg(metavar="ID [ID ...]")]
Names = Annotated[Positional[tuple[str, ...]], arg(metavar="ID [ID ...]")]
# Options whose text says what they are without a value
AnyNames = Annotated[Positional[tuple[str, ...]], arg(metavar="[ID ...]", help_behavior_hint="")]
Folder = Annotated[Path | None, arg(metavar="DIR", help_behavior_hint="")]
Numbers = Annotated[str | None, arg(metavar="X1,X2,...", help_behavior_hint="")]


@dataclass(frozen=True, kw_only=True)
class ResultsOptions:
    """Which results."""

    profile: Literal["auto", "quick", "cpu", "full", "paper", "bench"] = "auto"
    """How much is computed; auto: paper where CUDA works, else cpu; bench: how fast (`bash reproduce.sh bench`)."""
    out: Folder = None
    """The folder for results (default: results/ in the repository)."""

    def options(self, **more: object) -> "RunOptions":
        """Return these as options for the driver."""
        if sys.flags.optimize > 1:
            raise UserError("-OO: altair, which draws, needs docstrings; run without it, and without PYTHONOPTIMIZE=2")
        from ams_suite.project import PROJECT
        from verdicts.claims.schema import Profile
        from verdicts.run.driver import RunOptions

        profile = None if self.profile == "auto" else Profile(self.profile)
        return RunOptions(project=PROJECT, profile=profile, out=self.out, **more)  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True)
class RunningOptions(ResultsOptions):
    """How claims are run."""

    offline: bool = False
    """Download nothing."""
    fetch: bool = False
    """Ask for missing files now; else each is asked for once a day."""
    audit: Whole = None
    """How many kept cells to compute anew, drawn at random (default: two minutes of them; 0: none)."""
    audit_long: Whole = None
    """How many of those that take more than a minute (default: none)."""
    audit_seed: Whole = None
    """The seed that draws them (default: a fresh one, which is told)."""
    verbose: Annotated[bool, arg(aliases=("-v",))] = False
    """Say why each claim is computed, and show all of its checks."""
    strict: bool = False
    """Exit code 1 also where a claim was not run."""

    def options(self, **more: object) -> "RunOptions":
        """Return these as options for the driver, and say of downloads to this process and those that it starts."""
        os.environ |= {
            name: "1" for name, wanted in (("AMS_OFFLINE", self.offline), ("AMS_FETCH", self.fetch)) if wanted
        }
        asked = {"audit": self._audit(), "strict": self.strict, "fetch": self.fetch, "verbose": self.verbose}
        setup = int(os.environ.get("AMS_SETUP_SECONDS", "0"))  # as `reproduce.sh` says
        return super().options(**asked, setup=setup, **more)

    def _audit(self) -> "AuditOptions":
        from verdicts.records.run_record import AuditOptions

        given = {"short": self.audit, "long": self.audit_long, "seed": self.audit_seed}
        chosen = {name: value for name, value in given.items() if value is not None}
        for name, value in chosen.items():
            if value < 0:
                option = "--audit" if name == "short" else f"--audit-{name}"
                raise UserError(f"{option} {value}: expected a whole number from 0")
        return AuditOptions(asked=bool(chosen), **chosen)


def cores_of(jobs: int | None) -> int:
    """Return how many cores to use, all for None. Raises UserError for a number below 1."""
    if jobs is not None and jobs < 1:
        raise UserError(f"--jobs {jobs}: expected at least 1")
    return jobs or os.cpu_count() or 1
