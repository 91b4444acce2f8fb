"""The commands of `ams`: a class each, whose fields are the options; calling it does the work, returns the exit code.

What the work needs is imported then, so that `--help` is quick, and so that the commands of the library alone (`law`,
`replay`) run where the suite's own dependencies are not installed.
"""

import json as json_text
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, Protocol

from tyro.conf import Positional, UseAppendAction, arg

from ams.errors import UserError
from ams_suite.options import (
    AnyNames,
    Folder,
    Ids,
    Names,
    Numbers,
    ResultsOptions,
    RunningOptions,
    cores_of,
)
from samplercheck.__main__ import Conform, File, Number, Whole


class Command(Protocol):
    """A command with its options: calling it does the work and returns the exit code."""

    def __call__(self) -> int:
        """Do it."""
        ...


SamplerName = Literal["langevin", "constant", "adaptive"]


@dataclass(frozen=True, kw_only=True)
class Reproduce(RunningOptions):
    """Run every claim whose record is not current, then write the ledger and the report."""

    only: Ids = ()
    """These claims or groups alone; C1 to C6: all that restate this claim of the paper."""
    force: Ids = ()
    """Compute these again, though current."""
    list: Annotated[UseAppendAction[tuple[tuple[str, ...], ...]], arg(metavar="[ID ...]", help_behavior_hint="")] = ()
    """List the claims (or these alone) and their state, and stop."""
    check: bool = False
    """Name the results that are missing, damaged, edited or stale, and stop (exit code 1 if any is)."""
    jobs: Whole = None
    """How many cores to use (default: all); on a cluster, how many jobs are in the queue at once."""
    cluster: Annotated[Literal["slurm"] | None, arg(help_behavior_hint="")] = None
    """Submit the jobs to a cluster, as config/slurm says."""

    def __call__(self) -> int:
        """Do it."""
        from verdicts.run import driver

        only, force = _named("--only", self.only), _named("--force", self.force)
        only += tuple(name for some in self.list for name in some)
        chosen = {"only": only, "force": force, "jobs": cores_of(self.jobs)}
        options = self.options(**chosen, cluster=self.cluster, at_once=self.jobs)
        work = driver.list_claims if self.list else driver.check_results if self.check else driver.reproduce
        return work(options, driver.console_of())


@dataclass(frozen=True, kw_only=True)
class RunHere(RunningOptions):
    """Run some claims or groups in this process."""

    ids: Names
    """Claims or groups; C1 to C6: all that restate this claim of the paper."""
    force: bool = False
    """Compute them again, though current."""

    def __call__(self) -> int:
        """Do it."""
        from verdicts.run import driver

        if not self.ids:
            raise UserError("run: name at least one claim or group (`ams list` shows them)")
        options = self.options(only=self.ids, force=self.ids if self.force else (), one_process=True)
        return driver.reproduce(options, driver.console_of())


@dataclass(frozen=True, kw_only=True)
class ListClaims(ResultsOptions):
    """List the claims and the state of their records."""

    ids: AnyNames = ()
    """Claims or groups, C1 to C6 too (default: all)."""

    def __call__(self) -> int:
        """Do it."""
        from verdicts.run import driver

        return driver.list_claims(self.options(only=self.ids), driver.console_of())


@dataclass(frozen=True, kw_only=True)
class CheckResults(ResultsOptions):
    """Name every result that is missing, damaged, edited or stale; exit code 1 if there is one."""

    ids: AnyNames = ()
    """Claims or groups, C1 to C6 too (default: all, with figures, pages and documents)."""

    def __call__(self) -> int:
        """Do it."""
        from verdicts.run import driver

        return driver.check_results(self.options(only=self.ids), driver.console_of())


@dataclass(frozen=True, kw_only=True)
class Certify:
    """Decide the paper's six rows anew, break them, and write one page that a reviewer can attach.

    Exit code 1: a verdict contradicts its expectation, or a falsifier did not flip its own; 3: a run failed.
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
class Law:
    """Print the exact law of a sampler's iterate on a Gaussian target; nothing is sampled."""

    sampler: SamplerName
    """Which step."""
    step: float
    """The step size a."""
    precision: str
    """The target's distinct precisions, L1,L2,..."""
    steps: int
    """How many steps."""
    beta: Number = None
    """The momentum (required for constant, refused else)."""
    multiplicity: Numbers = None
    """How many directions have each precision, N1,N2,... (default: 1 each)."""
    mean: Numbers = None
    """The target's mean, M1,M2,... (default: 0)."""
    start_variance: Numbers = None
    """The start's variance (default: the target's); its mean is 0."""
    delta: float = 1e-3
    """The adaptive rule's clip: beta <= 1 - delta."""
    json: bool = False
    """Print mean, variance, beta, w2 and kl as JSON."""

    def __call__(self) -> int:
        """Do it."""
        from ams_suite.law import law

        return law(**vars(self))


@dataclass(frozen=True, kw_only=True)
class Replay:
    """Replay traces of the authors' code with their noise; exit code 1 above 1e-9."""

    files: Annotated[Positional[tuple[Path, ...]], arg(metavar="FILE [FILE ...]")]
    """The traces."""

    def __call__(self) -> int:
        """Do it."""
        from ams.traces.replay import replay

        return replay(self.files)


@dataclass(frozen=True, kw_only=True)
class Expect(ResultsOptions):
    """Make the values of the current records the expected ones: writes paper/expected/<profile>.json."""

    profile: Literal["quick", "cpu", "full", "paper", "bench"] = field()  # no default, unlike that of `ResultsOptions`
    """Whose values."""

    def __call__(self) -> int:
        """Do it."""
        from verdicts.run.driver import open_workspace, say
        from verdicts.run.publish import expect

        return expect(open_workspace(self.options()), say)


@dataclass(frozen=True, kw_only=True)
class Keep(ResultsOptions):
    """Publish the cells of a group's study that have a stable name: adds a file to paper/kept/<group>."""

    group: Positional[str]
    """The group's id."""

    def __call__(self) -> int:
        """Do it."""
        from verdicts.run.audit import keep
        from verdicts.run.driver import open_workspace, say

        workspace = open_workspace(self.options())
        return keep(workspace, workspace.claims.group_named(self.group), say)


@dataclass(frozen=True, kw_only=True)
class Docs(ResultsOptions):
    """Build the site of docs/, with the executed notebooks of a profile's results."""

    ids: AnyNames = ()
    """Groups whose notebooks are executed (default: all that have a claim in the profile)."""
    profile: Literal["quick", "cpu", "full", "paper"] = "quick"
    """Whose results the notebooks read."""
    site: Path = Path("results/site")
    """The folder of the site."""

    def __call__(self) -> int:
        """Do it."""
        from ams_suite.site import build_site
        from verdicts.run.driver import open_workspace, say

        workspace = open_workspace(self.options(only=self.ids))
        claims = workspace.claims.select(self.ids)
        chosen = {claim.group for claim in claims if self.ids or workspace.profile in claim.profiles}
        groups = [group for group in workspace.claims.group if group.id in chosen]
        return build_site(workspace, self.site.resolve(), groups, say)


@dataclass(frozen=True, kw_only=True)
class Compare:
    """Put two runs beside one another, check by check.

    Exit code 1 if a value moved, a verdict is another or a check is gone.
    """

    before: Annotated[Positional[Path], arg(metavar="BEFORE")]
    """A ledger (results/<profile>/ledger.json) or kept values (paper/expected/<profile>.json)."""
    after: Annotated[Positional[Path], arg(metavar="AFTER")]
    """Another."""
    out: File = None
    """The CSV file to write (default: the table is printed)."""

    def __call__(self) -> int:
        """Do it."""
        from ams_suite.compare import compare
        from verdicts.claims.loading import load_claims
        from verdicts.records.workspace import find_root
        from verdicts.run.driver import say

        checks = [check for claim in load_claims(find_root(Path.cwd())).claim for check in claim.check]
        rounding = {check.id: check.tolerance for check in checks if check.origin.startswith("rounding")}
        return compare(self.before, self.after, self.out, say, rounding)


@dataclass(frozen=True, kw_only=True)
class Schema:
    """Print the JSON schema of results/<profile>/ledger.json."""

    def __call__(self) -> int:
        """Do it."""
        from verdicts.records.ledger import Ledger

        sys.stdout.write(json_text.dumps(Ledger.model_json_schema(), indent=1) + "\n")
        return 0


def _named(option: str, ids: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    """Return the names given to an option that may be repeated. Raises UserError where it is given without one."""
    if () in ids:
        raise UserError(f"{option}: expected at least one ID; --list shows them")
    return tuple(name for some in ids for name in some)


COMMANDS: dict[str, type[Command]] = {
    "reproduce": Reproduce,
    "certify": Certify,
    "run": RunHere,
    "list": ListClaims,
    "check": CheckResults,
    "law": Law,
    "conform": Conform,
    "replay": Replay,
}
"""What users need."""
TOOLS: dict[str, type[Command]] = {"compare": Compare, "docs": Docs, "expect": Expect, "keep": Keep, "schema": Schema}
"""What maintainers need of a run; the commands of groups are such too, other programs of theirs lie in `tools`."""
