"""The commands of `ams`: a class each, whose fields are the options; calling it does the work,
returns the exit code.

What the work needs is imported then, so that `--help` is quick, and so that the commands of the
library alone (`conform`, `replay`) run where the suite's own dependencies are not installed.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Protocol

from tyro.conf import Positional, UseAppendAction, arg

from ams.errors import UserError
from samplercheck.__main__ import Conform, Whole

if TYPE_CHECKING:
    from verdicts.records.run_record import AuditOptions
    from verdicts.run.driver import RunOptions

Ids = Annotated[UseAppendAction[tuple[tuple[str, ...], ...]], arg(metavar="ID [ID ...]")]
# Options whose text says what they are without a value
Folder = Annotated[Path | None, arg(metavar="DIR", help_behavior_hint="")]


class Command(Protocol):
    """A command with its options: calling it does the work and returns the exit code."""

    def __call__(self) -> int:
        """Do it."""
        ...


@dataclass(frozen=True, kw_only=True)
class ResultsOptions:
    """Which results."""

    profile: Literal["auto", "quick", "cpu", "full", "paper", "bench"] = "auto"
    """How much is computed; auto: paper where CUDA works, else cpu; bench: how fast (`bash
    reproduce.sh bench`).
    """
    out: Folder = None
    """The folder for results (default: results/ in the repository)."""

    def options(self, **more: object) -> "RunOptions":
        """Return these as options for the driver."""
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
    """How many kept cells to compute anew, drawn at random (default: 60; 0: no audit)."""
    audit_long: Whole = None
    """How many of the long ones, which take more than some seconds each (default: none)."""
    audit_seed: Whole = None
    """The seed that draws them (default: a fresh one, which is told)."""
    fresh: bool = False
    """Compute all here and read no kept cell (about ten core-hours)."""
    verbose: Annotated[bool, arg(aliases=("-v",))] = False
    """Say why each claim is computed, and show all of its checks."""
    strict: bool = False
    """Exit code 1 also where a claim was not run."""

    def options(self, **more: object) -> "RunOptions":
        """Return these as options for the driver, and say of downloads to this process and those
        that it starts.
        """
        os.environ |= {
            name: "1"
            for name, wanted in (("AMS_OFFLINE", self.offline), ("AMS_FETCH", self.fetch))
            if wanted
        }
        same = {name: getattr(self, name) for name in ("strict", "fetch", "fresh", "verbose")}
        asked = {"audit": self._audit(), **same}
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


@dataclass(frozen=True, kw_only=True)
class Reproduce(RunningOptions):
    """Run every claim whose record is not current, then write the ledger and the report."""

    only: Ids = ()
    """These claims or groups alone; C1 to C6: all that restate this claim of the paper."""
    force: Ids = ()
    """Compute these again, though current."""
    list: Annotated[
        UseAppendAction[tuple[tuple[str, ...], ...]], arg(metavar="[ID ...]", help_behavior_hint="")
    ] = ()
    """List the claims (or these alone) and their state, and stop."""
    check: bool = False
    """Name the results that are missing, damaged, edited or stale, and stop (exit code 1 if any
    is).
    """
    jobs: Whole = None
    """How many cores to use (default: all); on a cluster, how many jobs are in the queue at
    once.
    """
    cluster: Annotated[Literal["slurm"] | None, arg(help_behavior_hint="")] = None
    """Submit the jobs to a cluster, as config/slurm.toml says."""

    def __call__(self) -> int:
        """Do it."""
        from verdicts.run import driver

        only, force = _named("--only", self.only), _named("--force", self.force)
        only += tuple(name for some in self.list for name in some)
        chosen = {"only": only, "force": force, "jobs": cores_of(self.jobs)}
        options = self.options(**chosen, cluster=self.cluster, at_once=self.jobs)
        work = (
            driver.list_claims
            if self.list
            else driver.check_results
            if self.check
            else driver.reproduce
        )
        return work(options, driver.console_of())


@dataclass(frozen=True, kw_only=True)
class RunHere(RunningOptions):
    """Run some claims or groups in this process."""

    ids: Annotated[Positional[tuple[str, ...]], arg(metavar="ID [ID ...]")]
    """Claims or groups; C1 to C6: all that restate this claim of the paper."""
    force: bool = False
    """Compute them again, though current."""

    def __call__(self) -> int:
        """Do it."""
        from verdicts.run import driver

        if not self.ids:
            raise UserError(
                "run: name at least one claim or group; `ams reproduce --list` shows them"
            )
        options = self.options(
            only=self.ids, force=self.ids if self.force else (), one_process=True
        )
        return driver.reproduce(options, driver.console_of())


@dataclass(frozen=True, kw_only=True)
class Certify:
    """Decide the paper's six rows anew, break them, and write one page that a reviewer can attach.

    Exit code 1: a row is not decided as it is stored, or a falsifier did not flip its verdict; 3: a
    run failed.
    """

    minutes: float = 10.0
    """How long it may take, after the set-up."""
    out: Folder = None
    """The folder in which a folder for the certificate is made (default: results/certificates)."""
    jobs: Whole = None
    """How many cores to use (default: all)."""

    def __call__(self) -> int:
        """Do it."""
        from ams_suite.certify import certify
        from verdicts.run.driver import say

        return certify(self.minutes, self.out, cores_of(self.jobs), say)


@dataclass(frozen=True, kw_only=True)
class Replay:
    """Replay traces of the authors' code with their noise; exit code 1 above 1e-9."""

    files: Annotated[Positional[tuple[Path, ...]], arg(metavar="FILE [FILE ...]")]
    """The traces."""

    def __call__(self) -> int:
        """Do it."""
        from ams.traces import replay

        return replay(self.files)


def cores_of(jobs: int | None) -> int:
    """Return how many cores to use, all for None. Raises UserError for a number below 1."""
    if jobs is not None and jobs < 1:
        raise UserError(f"--jobs {jobs}: expected at least 1")
    return jobs or os.cpu_count() or 1


def _named(option: str, ids: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    """Return the names given to an option that may be repeated. Raises UserError where it is
    given without one.
    """
    if () in ids:
        raise UserError(f"{option}: expected at least one ID; --list shows them")
    return tuple(name for some in ids for name in some)


COMMANDS: dict[str, type[Command]] = {
    "reproduce": Reproduce,
    "certify": Certify,
    "run": RunHere,
    "conform": Conform,
    "replay": Replay,
}
"""What users need; `maintenance` has what else there is."""
