"""Where, when, with what and at what cost a result was made."""

import importlib.metadata
import platform
import resource
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from verdicts.claims.schema import Profile
from verdicts.validation import Frozen


class Environment(Frozen):
    """The machine and the software: equal for all results of one process.

    `threads` is what the numerical library uses, `commit` the checkout's (None outside of git),
    `dirty` whether its tracked files differ from it.
    """

    python: str
    packages: dict[str, str]
    platform: str
    processor: str
    device: str
    threads: int
    commit: str | None
    dirty: bool | None


class Provenance(Environment):
    """The environment with what belongs to one result: UTC `started`, wall-clock `seconds`,
    `peak_mib` (the process's largest resident size until then), the profile, the digest of its
    `config` part, and the id of the `run` that made it (empty: none did).
    """

    profile: Profile
    config: str
    started: str
    seconds: float
    peak_mib: float
    run: str = ""


class ComputedOn(Frozen):
    """What computed a result: the model of its device, the releases that its numbers depend on, the
    instruction set in use, the number of threads. Where all are equal, results have the same bytes.
    """

    device: str = ""
    versions: dict[str, str] = {}  # noqa: RUF012 (a pydantic field)
    instructions: str = ""
    threads: int = 0

    @property
    def releases(self) -> str:
        """Return the releases in words."""
        return ", ".join(f"{name} {version}" for name, version in sorted(self.versions.items()))


def computed_on_here(
    device: str | None, packages: tuple[str, ...], instructions: str = "", threads: int = 0
) -> ComputedOn:
    """Return what computes in this process: the device of that name (None: the processor), with
    these distributions.
    """
    versions = _versions(packages)
    return ComputedOn(
        device=device or _processor(), versions=versions, instructions=instructions, threads=threads
    )


def now() -> str:
    """Return the present UTC time, ISO 8601 to the microsecond: texts sort as times do."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


class Stopwatch:
    """Measures one piece of work, from construction on."""

    def __init__(self) -> None:
        self.started = now()
        self._begin = time.perf_counter()

    def provenance(
        self, environment: Environment, profile: Profile, config: str, run: str = ""
    ) -> Provenance:
        """Return the provenance of the work that ends now, done for the run of this id."""
        return Provenance(
            **environment.model_dump(),
            profile=profile,
            config=config,
            started=self.started,
            seconds=round(time.perf_counter() - self._begin, 4),
            peak_mib=round(_peak_mib(), 1),
            run=run,
        )


def environment_of(root: Path, device: str, threads: int, packages: tuple[str, ...]) -> Environment:
    """Describe this process's environment.

    `root` is the checkout, `device` the name of the device in use, `threads` what computations use,
    `packages` the distributions whose versions count.
    """
    return Environment(
        python=platform.python_version(),
        packages=_versions(packages),
        platform=platform.platform(),
        processor=_processor(),
        device=device,
        threads=threads,
        commit=git(root, "rev-parse", "HEAD"),
        dirty=None
        if (status := git(root, "status", "--porcelain", "--untracked-files=no")) is None
        else status != "",
    )


@cache
def _versions(packages: tuple[str, ...]) -> dict[str, str]:
    versions = {}
    for name in packages:
        with suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return versions


@cache
def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def git(root: Path, *arguments: str) -> str | None:
    """Return what `git` answers about a checkout; None outside of one, where git is missing and
    where it fails.
    """
    command = ["git", "--no-optional-locks", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _peak_mib() -> float:
    scale = 1024.0**2 if sys.platform == "darwin" else 1024.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale
