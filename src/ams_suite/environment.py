"""What `reproduce.sh` asks about the Python that runs this: what it lacks, where torch is, why a
set-up failed.

`reproduce.sh` runs this file as a script, with whatever Python it meets and before anything is
installed; so it imports nothing outside the standard library, save a reader of requirement strings
where one is needed.

    python -P src/ams_suite/environment.py missing [EXTRA ...]        # "satisfied", or what is absent or too old
    python -P src/ams_suite/environment.py requirements [EXTRA ...]   # one requirement a line, for pip's -r
    python -P src/ams_suite/environment.py lowest [EXTRA ...]         # their oldest releases, for pip's -c
    python -P src/ams_suite/environment.py index                      # an index for torch alone, or nothing
    python -P src/ams_suite/environment.py finish FOLDER              # add the checkout and the command `ams`
    python -P src/ams_suite/environment.py cause LOG                  # what went wrong; what to do
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Sequence
from contextlib import suppress
from http.client import HTTPException
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple
from urllib.request import urlopen

if TYPE_CHECKING:
    from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ROOT / "pyproject.toml"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
SATISFIED = "satisfied"
SHOWN = 3  # of what is missing; the rest is counted
AMS = """\
#!/bin/sh
exec "$(dirname -- "$0")/python" -m ams_suite "$@"
"""
"""The command `ams` of an environment, whatever its folder is called."""


def requirements(extras: Sequence[str] = (), project: Path = PROJECT) -> list[str]:
    """Return the requirement strings of the project file `project` and of its `extras`, in the
    file's order.

    Raises KeyError for an extra that the project does not define, OSError or
    tomllib.TOMLDecodeError for a file that cannot be read.
    """
    table = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
    optional = table["optional-dependencies"]
    return [*table["dependencies"], *(line for extra in extras for line in optional[extra])]


def parsed(requirement: str) -> "Requirement":
    """Return `requirement` (PEP 508) parsed by `packaging`, or by the copy of it that pip carries.

    Raises ModuleNotFoundError for a Python that has neither.
    """
    try:
        from packaging.requirements import Requirement
    except ModuleNotFoundError:
        from pip._vendor.packaging.requirements import Requirement  # type: ignore[assignment]
    return Requirement(requirement)


def lowest(requirement: str) -> str | None:
    """Return the oldest release that a `requirement` (PEP 508) with `>=` allows, as
    `name==version`.

    None for a requirement without a lower end.
    """
    wanted = parsed(requirement)
    ends = [each.version for each in wanted.specifier if each.operator == ">="]
    return f"{wanted.name}=={ends[0]}" if ends else None


def unmet(requirement: str) -> str | None:
    """Return None if an installed distribution satisfies `requirement` (PEP 508), else what is
    wrong, in words.

    A requirement whose marker excludes this platform is met. Local versions count (`2.13.0+cpu`
    meets `>=2.3`), and so do pre-releases, since what is installed was somebody's choice.
    """
    wanted = parsed(requirement)
    if wanted.marker is not None and not wanted.marker.evaluate():
        return None
    try:
        installed = version(wanted.name)
    except PackageNotFoundError:
        return f"{wanted.name} (absent)"
    if wanted.specifier.contains(installed, prereleases=True):
        return None
    return f"{wanted.name} ({installed} found, {wanted.specifier} wanted)"


def missing(extras: Sequence[str]) -> str:
    """Return "satisfied" if this Python has what the project and its `extras` ask for, else what it
    lacks, in words.

    Raises KeyError for an extra that the project does not define.
    """
    try:
        problems = [problem for problem in map(unmet, requirements(extras)) if problem]
    except ModuleNotFoundError:  # neither packaging nor pip: so little is hardly an environment
        return "pip"
    more = f" and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
    return ", ".join(problems[:SHOWN]) + more or SATISFIED


def answers(url: str, seconds: float = 5.0) -> bool:
    """Return whether a web address answers in time.

    Looking up its name counts, which a time limit of `urlopen` does not cover; hence the thread.
    """
    came: list[int] = []

    def ask() -> None:
        with suppress(OSError, HTTPException), urlopen(url, timeout=seconds) as response:
            came.append(response.status)

    thread = Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    return bool(came)


def index() -> str:
    """Return PyTorch's index of CPU builds, which spare gigabytes of CUDA, where they serve and it
    answers; else "".

    They serve on Linux without an NVIDIA GPU. An index that pip is told to use (pip config) is the
    user's decision.
    """
    if (
        sys.platform != "linux"
        or os.environ.get("AMS_OFFLINE") == "1"
        or shutil.which("nvidia-smi")
    ):
        return ""
    settings = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True
    )
    return (
        ""
        if re.search("(index-url|no-index)=", settings.stdout) or not answers(CPU_INDEX)
        else CPU_INDEX
    )


def finish(place: Path) -> None:
    """Add to the virtual environment `place` what pip does not: the checkout's packages and the
    command `ams`.

    Raises OSError where something cannot be written.
    """
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(place)}))
    (site / "ams-suite.pth").write_text(f"{ROOT / 'src'}\n{ROOT}\n", encoding="utf-8")
    (place / "bin/ams").write_text(AMS, encoding="utf-8")
    (place / "bin/ams").chmod(0o755)


class Cause(NamedTuple):
    """A known way for a set-up to fail: the `pattern` that its log shows (any case), and what to
    tell the user.
    """

    pattern: str
    advice: str


# The first that matches is shown; so a full disk comes before the errors that follow from it, and
# an index that did not answer before the "no matching distribution" that pip concludes from it.
CAUSES = (
    Cause(
        r"No space left|Errno 28|Disk quota",
        "the disk is full; free about 3 GB (8 GB for a CUDA build) where the "
        "environment goes, or name another place"
        " with AMS_ENV",
    ),
    Cause(
        r"Errno (13|30)\b|Read-only file system",
        "a folder cannot be written; name another place for the environment with AMS_ENV",
    ),
    Cause(
        r"ensurepip is not available|No module named '?(venv|ensurepip)",
        "this Python has no venv module; on Debian or Ubuntu: apt-get install python{python}-venv",
    ),
    Cause(
        r"connection error|NewConnectionError|Name or service not known|timed "
        r"out|ProxyError|IncompleteRead"
        r"|SSLError|CERTIFICATE_VERIFY",
        "the package index cannot be reached; check the network or the proxy, "
        "or point PIP_INDEX_URL or"
        " PIP_FIND_LINKS to a place that can be",
    ),
    Cause(
        r"No matching distribution found for (?P<what>[^ ;(\n]+)",
        "no {what} for Python {python} in the package index or among the local "
        "wheels; use another index"
        " (PIP_INDEX_URL), a folder of wheels (PIP_FIND_LINKS) or another Python",
    ),
    Cause(
        r"\(constraint\) (?P<what>[^\s=]+==\S+)",
        "no {what} for Python {python} that suits the rest in the package index or "
        "among the local wheels, and"
        " constraints.txt pins it; use another index (PIP_INDEX_URL), or AMS_RANGES=1 for "
        "the ranges of pyproject.toml",
    ),
    Cause(
        r"ResolutionImpossible|conflicting dependencies",
        (
            "the requirements conflict with one another or with constraints of "
            "your own (pip config list)"
        ),
    ),
)


def ending(log: str) -> str:
    """Return the last line of `log` that is called an error, else its last line; empty if it has
    none.

    What stopped pip is not its last line: it tidies up after it.
    """
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [line.partition("ERROR: ")[2] for line in lines if "ERROR: " in line]
    return (errors or lines or [""])[-1]


def cause(log: str) -> str:
    """Return what went wrong with what to do about it (CAUSES), read off the text `log` that
    venv and pip left.
    """
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    for known in CAUSES:
        if match := re.search(known.pattern, log, re.IGNORECASE):
            return known.advice.format(python=python, **match.groupdict())
    last = ending(log)
    return f"it ended with: {last}" if last else "it ended without a word"


def read(log: Path) -> str:
    """Return the text of a log file, empty if there is none; a full disk, which cuts a log
    short, is added to it.
    """
    text = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
    full = shutil.disk_usage(log.parent).free < 2**20
    return f"{text}\nNo space left where the log is" if full else text


def answer(arguments: Sequence[str]) -> str:
    """Return what the command line prints (see the module's head); raise KeyError for an unknown
    word or extra.
    """
    match arguments:
        case ["missing", *extras]:
            return missing(extras)
        case ["requirements", *extras]:
            return "\n".join(requirements(extras))
        case ["lowest", *extras]:
            return "\n".join(end for end in map(lowest, requirements(extras)) if end)
        case ["index"]:
            return index()
        case ["finish", place]:
            finish(Path(place))
            return ""
        case ["cause", log]:
            return cause(read(Path(log)))
        case _:
            raise KeyError(" ".join(arguments))


if __name__ == "__main__":
    print(answer(sys.argv[1:]))
