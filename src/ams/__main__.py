"""The command line: `python -m ams`, or `ams`.

A command is a class: its fields are the options, calling it does the work and returns the exit code. What the work
needs is imported then, so that `--help` and `list` are quick. Bad usage and bad input end in one line on stderr and
exit code 2; whatever else goes wrong, in a traceback and 3.
"""

from __future__ import annotations

import contextlib
import io
import json as json_text
import os
import re
import signal
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from tyro.conf import FlagCreatePairsOff, Positional, UseAppendAction, arg, subcommand

from ams.ledger.claims import Profile
from ams.ledger.problems import InputProblem

if TYPE_CHECKING:
    from ams.runner.driver import Orders

Ids = Annotated[UseAppendAction[tuple[tuple[str, ...], ...]], arg(metavar="ID [ID ...]")]
Names = Annotated[Positional[tuple[str, ...]], arg(metavar="ID [ID ...]")]
ABOUT = "Which claims of arXiv 2405.13726 hold, how firmly, and why."
# What tyro draws around a complaint; its first line is a title
FRAME = "╭╮╰╯│─ "
Sampler = Literal["langevin", "constant", "adaptive"]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Which results."""

    profile: Literal["auto", "quick", "cpu", "gpu", "bench"] = "auto"
    """How much is computed; auto: gpu where CUDA works, else cpu; bench: how fast (`bash reproduce.sh bench`)."""
    out: Path | None = None
    """The folder for results (default: results/ in the repository)."""

    def orders(self, **more: object) -> Orders:
        """Return these options as orders for the driver."""
        from ams.runner.driver import Orders

        profile = None if self.profile == "auto" else Profile(self.profile)
        return Orders(profile=profile, out=self.out, **more)  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True)
class Reproduce(Place):
    """Run every claim whose record is not current, then write the ledger and the report."""

    only: Ids = ()
    """These claims or groups alone."""
    force: Ids = ()
    """Compute these claims or groups again, though current."""
    list: bool = False
    """List the claims and their state, and stop."""
    check: bool = False
    """Name the results that are missing, damaged, edited or stale, and stop (exit code 1 if any is)."""
    offline: bool = False
    """Download nothing."""
    strict: bool = False
    """Exit code 1 also where a claim was not run."""
    jobs: int = field(default_factory=lambda: os.cpu_count() or 1)
    """How many cores to use."""

    def __call__(self) -> int:
        """Do it."""
        from ams.runner import driver

        only, force = _named("--only", self.only), _named("--force", self.force)
        if self.jobs < 1:
            raise InputProblem(f"--jobs {self.jobs}: expected at least 1")
        orders = self.orders(only=only, force=force, offline=self.offline, strict=self.strict, jobs=self.jobs)
        work = driver.list_claims if self.list else driver.check_results if self.check else driver.reproduce
        return work(orders, driver.console_of())


@dataclass(frozen=True, kw_only=True)
class Run(Place):
    """Run some claims or groups in this process, without Snakemake."""

    ids: Names
    """Claims or groups."""
    force: bool = False
    """Compute them again, though current."""
    offline: bool = False
    """Download nothing."""
    strict: bool = False
    """Exit code 1 also where a claim was not run."""

    def __call__(self) -> int:
        """Do it."""
        from ams.runner import driver

        if not self.ids:
            raise InputProblem("run: name at least one claim or group (`ams list` shows them)")
        force = self.ids if self.force else ()
        orders = self.orders(only=self.ids, force=force, offline=self.offline, strict=self.strict, one_process=True)
        return driver.reproduce(orders, driver.console_of())


@dataclass(frozen=True, kw_only=True)
class List(Place):
    """List the claims and the state of their records."""

    ids: Names = ()
    """Claims or groups (default: all)."""

    def __call__(self) -> int:
        """Do it."""
        from ams.runner import driver

        return driver.list_claims(self.orders(only=self.ids), driver.console_of())


@dataclass(frozen=True, kw_only=True)
class Check(Place):
    """Name every result that is missing, damaged, edited or stale; exit code 1 if there is one."""

    ids: Names = ()
    """Claims or groups (default: all, with figures, pages and documents)."""

    def __call__(self) -> int:
        """Do it."""
        from ams.runner import driver

        return driver.check_results(self.orders(only=self.ids), driver.console_of())


@dataclass(frozen=True, kw_only=True)
class Law:
    """Print the exact law of a sampler's iterate on a Gaussian target; nothing is sampled."""

    sampler: Sampler
    """Which step."""
    step: float
    """The step size a."""
    precision: str
    """The target's distinct precisions, L1,L2,..."""
    steps: int
    """How many steps."""
    beta: float | None = None
    """The momentum (required for constant, refused else)."""
    multiplicity: str | None = None
    """How many directions have each precision, N1,N2,... (default: 1 each)."""
    mean: str | None = None
    """The target's mean, M1,M2,... (default: 0)."""
    start_variance: str | None = None
    """The start's variance (default: the target's); its mean is 0."""
    delta: float = 1e-3
    """The adaptive rule's clip: beta <= 1 - delta."""
    json: bool = False
    """Print mean, variance, beta, w2 and kl as JSON."""

    def __call__(self) -> int:
        """Do it."""
        from ams.laws.command import law

        return law(**vars(self))


@dataclass(frozen=True, kw_only=True)
class Replay:
    """Replay golden traces of the released code with their noise; exit code 1 above 1e-9."""

    files: Annotated[Positional[tuple[Path, ...]], arg(metavar="FILE [FILE ...]")]
    """The traces."""

    def __call__(self) -> int:
        """Do it."""
        from ams.replay import replay

        return replay(self.files)


@dataclass(frozen=True, kw_only=True)
class Mutate:
    """Put faults into a copy of the code, one at a time: would the tests notice? Exit code 1 if one survives."""

    only: Ids = ()
    """Faults by id or file, `*` and `?` as in a shell (default: all of tests/faults.toml)."""
    force: bool = False
    """Try them again, though their outcome is current."""
    list: bool = False
    """List the faults and what became of them, and stop."""
    jobs: int = field(default_factory=lambda: os.cpu_count() or 1)
    """How many at once."""
    seconds: float = 300.0
    """How long the tests of one fault may take."""
    out: Path | None = None
    """The folder for the record (default: results/ in the repository)."""

    def __call__(self) -> int:
        """Do it."""
        from ams.mutation.command import list_faults, mutate
        from ams.runner.driver import say

        only = _named("--only", self.only)
        if self.jobs < 1:
            raise InputProblem(f"--jobs {self.jobs}: expected at least 1")
        if self.list:
            return list_faults(only, self.out, say)
        return mutate(only, self.force, self.jobs, self.out, self.seconds, say)


@dataclass(frozen=True, kw_only=True)
class Fresh:
    """Measure the Monte Carlo checks at seeds that nobody has chosen; exit code 1 if a verdict is not as expected."""

    ids: Names = ()
    """Claims or groups (default: all)."""
    seeds: int = 20
    """How many seeds."""
    profile: Literal["quick", "cpu", "gpu"] = "quick"
    """The sizes."""
    entropy: int | None = None
    """What the seeds are made from, as a record has it (default: the system's)."""
    out: Path | None = None
    """The folder for results (default: results/ in the repository)."""

    def __call__(self) -> int:
        """Do it."""
        from ams.fresh import fresh
        from ams.runner.driver import say

        if self.seeds < 1:
            raise InputProblem(f"--seeds {self.seeds}: expected at least 1")
        return fresh(self.ids, self.seeds, Profile(self.profile), self.entropy, self.out, say)


@dataclass(frozen=True, kw_only=True)
class Expect:
    """Make the values of the current records the expected ones: writes paper/expected/<profile>.json."""

    profile: Literal["quick", "cpu", "gpu", "bench"]
    """Whose values."""
    out: Path | None = None
    """The folder for results (default: results/ in the repository)."""

    def __call__(self) -> int:
        """Do it."""
        from ams.runner.driver import say
        from ams.runner.expecting import expect

        return expect(Profile(self.profile), self.out, say)


@dataclass(frozen=True, kw_only=True)
class Schema:
    """Print the JSON schema of results/<profile>/ledger.json."""

    def __call__(self) -> int:
        """Do it."""
        from ams.ledger.summary import schema

        sys.stdout.write(json_text.dumps(schema(), indent=1) + "\n")
        return 0


Command = (
    Annotated[Reproduce, subcommand(name="reproduce")]
    | Annotated[Run, subcommand(name="run")]
    | Annotated[List, subcommand(name="list")]
    | Annotated[Check, subcommand(name="check")]
    | Annotated[Law, subcommand(name="law")]
    | Annotated[Replay, subcommand(name="replay")]
    | Annotated[Mutate, subcommand(name="mutate")]
    | Annotated[Fresh, subcommand(name="fresh")]
    | Annotated[Expect, subcommand(name="expect")]
    | Annotated[Schema, subcommand(name="schema")]
)


def parse(arguments: Sequence[str]) -> Reproduce | Run | List | Check | Law | Replay | Mutate | Fresh | Expect | Schema:
    """Return the command that the arguments ask for. Raises InputProblem; `--help` raises SystemExit(0)."""
    if "--out=" in arguments or ("--out", "") in pairwise(arguments):  # as a Path, it would be the current folder
        raise InputProblem("--out '': expected a folder")
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            return tyro.cli(Command, args=arguments, prog="ams", description=ABOUT, config=(FlagCreatePairsOff,))
    except SystemExit as ending:
        if ending.code != 2:
            raise
        raise InputProblem(_condensed(complaint.getvalue())) from None


def _named(option: str, ids: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    """Return the names given to an option that may be repeated. Raises InputProblem where it is given without one."""
    if () in ids:
        raise InputProblem(f"{option}: expected at least one ID; --list shows them")
    return (*(name for some in ids for name in some),)


def _condensed(framed: str) -> str:
    """Return the first statement of tyro's framed complaint as one line, and what it thinks was meant."""
    lines = [line.strip(FRAME) for line in framed.strip().splitlines()[1:]]
    text = "\n".join("" if set(line) == {"-"} else line for line in lines).strip()
    meant = re.search(r"Perhaps you meant:\s+(--\S+)", text)
    first = " ".join(text.split("\n\n")[0].split()).rstrip(".")
    return f"{first}; {f'did you mean {meant[1]}?' if meant else '`ams --help` shows what is expected'}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; without arguments, show the help."""
    given = sys.argv[1:] if arguments is None else arguments
    _open_streams()
    # Asked to end by a scheduler is as good as by a key: jobs are stopped, what is finished is kept
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        code = parse(given or ["--help"])()
        sys.stdout.flush()
    except InputProblem as problem:
        return _ended(2, f"ams: {problem}\n")
    except BrokenPipeError:  # a reader that has seen enough, as in `| head`: the shell's code for it
        return _ended(128 + signal.SIGPIPE)
    except KeyboardInterrupt:
        return _ended(130, "ams: interrupted; what was finished is kept, the same command goes on from there\n")
    except Exception:  # Python's own code for it, 1, is a verdict here
        return _ended(3, traceback.format_exc())
    return code


def _open_streams() -> None:
    """Replace closed standard streams (`>&-`), at once, lest the next file that is opened be taken for one of them."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 (open to the end)


def _ended(code: int, words: str = "") -> int:
    """Write `words` to stderr and return the code; streams that take nothing more are not to change it at exit."""
    for stream, text in ((sys.stdout, ""), (sys.stderr, words)):
        try:
            stream.write(text)
            stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return code


if __name__ == "__main__":
    sys.exit(main())
