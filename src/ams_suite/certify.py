"""`ams certify`: decide the paper's six rows anew in some minutes, break them, and say on one page
what was seen.

The run has a results folder of its own, empty, and reads no kept cells. It computes what the rows
need and nothing else: their claims, at the sizes of `config/certificate.toml`. Claims that rest on
kept cells cost hours: they are named as stored. Then the falsifiers of what was measured run; the
time left goes to the sizes of cpu, row after row.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from ams.errors import UserError
from ams_suite.project import PROJECT
from verdicts.claims.loading import OVERLAY
from verdicts.claims.schema import Claim, Profile
from verdicts.errors import writable
from verdicts.records.files import make_folder, write_whole
from verdicts.records.provenance import now
from verdicts.records.workspace import Workspace, find_root
from verdicts.report import certificate
from verdicts.report.certificate import Falsified, Seen
from verdicts.report.report_texts import load_findings
from verdicts.studies.study import CELLS

SIZES = "config/certificate.toml"
"""The sizes of a certificate, laid over those of cpu."""
MEASURING, PAGE = 0.75, 20.0
"""The part of the time for the rows, the rest being for falsifiers; the seconds that writing the
page takes.
"""
WORTHWHILE = 30.0
"""The seconds below which no larger sizes are begun."""
LINE = re.compile(r"^(?P<node>tests/\S+::\S+) (?P<end>PASSED|FAILED|ERROR|SKIPPED)", re.MULTILINE)
Say = Callable[[str], None]


def certify(minutes: float, out: Path | None, jobs: int, say: Say) -> int:
    """Write the certificate and return the exit code.

    0: each row is decided as it is stored; 1: one is not, or a falsifier did not flip its verdict;
    3: a run failed. Raises UserError for minutes that are no positive number, or a folder that
    cannot be written.
    """
    if not 0 < minutes < float("inf"):
        raise UserError(f"--minutes {minutes:g}: a positive number is expected")
    end = time.monotonic() + 60 * minutes
    root = find_root(Path.cwd())
    folder = _empty_folder(out or root / "results/certificates", now())
    own, larger = opened(root, folder)
    findings = load_findings(root, own.all_claims)
    needed = certificate.needed(own, findings)
    of_instrument = [name for each in findings.instrument for name in each.needs]
    wanted = list(
        dict.fromkeys([*(name for names in needed.values() for name in names), *of_instrument])
    )
    say(
        f"certificate in {minutes:g} min: {', '.join(wanted)}; then their "
        f"falsifiers. Results: {folder}"
    )

    failed = _reproduce(wanted, folder, SIZES, jobs, end - 60 * minutes * (1 - MEASURING), say)
    seen = certificate.seen(own, larger)
    broken = falsify(root, seen.reached, folder / "falsifiers.log", end - PAGE)
    failed |= _enlarge(needed, seen, larger, jobs, end - PAGE, say)

    setup = float(os.environ.get("AMS_SETUP_SECONDS", "0"))
    facts = certificate.facts_of(
        own, certificate.seen(own, larger), findings, broken, minutes, setup, failed
    )
    with writable(folder):
        for name, content in certificate.documents(facts, folder).items():
            write_whole(folder / name, content)
    say(certificate.summary(facts))
    say(f"certificate: {folder / certificate.PAGE}, with certificate.pdf and codecheck.yml")
    return exit_code(facts)


def exit_code(facts: certificate.Facts) -> int:
    """Return 3 where a run failed, 1 where a row is not decided or something is against
    expectation, else 0.
    """
    if facts["failed"]:
        return 3
    return 1 if facts["against"] or not all(row["decided"] for row in facts["rows"]) else 0


def _empty_folder(parent: Path, started: str) -> Path:
    """Make a folder for one certificate, named by the time."""
    folder = parent / re.sub(r"\D", "", started[:19])
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise UserError(f"{folder}: {error.strerror}; name another folder with --out") from None
    return folder.resolve()


def opened(root: Path, folder: Path) -> tuple[Workspace, Workspace]:
    """Return the workspace of the certificate's sizes, and that of cpu's below it. Raises
    UserError.
    """
    with _environment(SIZES):
        own = Workspace.open(root, Profile.CPU, folder, PROJECT)
    with _environment(""):
        return own, Workspace.open(root, Profile.CPU, folder / "larger", PROJECT)


@contextmanager
def _environment(sizes: str) -> Iterator[None]:
    """Let `sizes` alone be laid over a profile's configuration; nothing where it is empty."""
    before = dict(os.environ)
    os.environ |= _sized(sizes)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ |= before


def _sized(sizes: str) -> Mapping[str, str]:
    return {OVERLAY: sizes}


def _reproduce(
    names: Sequence[str], folder: Path, sizes: str, jobs: int, end: float, say: Say
) -> bool:
    """Compute these claims in a process ended in time; tell whether it failed.

    It has one job more than cores: the group that takes longest comes last, and is not to wait.
    """
    words = ["reproduce", "--profile", Profile.CPU, "--only", *names, "--audit", "0"]
    words += ["--out", str(folder), "--jobs", str(jobs + 1 if jobs > 1 else 1)]
    log = folder / "reproduce.log"
    code = in_time([sys.executable, "-m", "ams_suite", *words], log, Path.cwd(), end, _sized(sizes))
    at = f"the sizes of {sizes}" if sizes else "the sizes of cpu"
    say(
        f"{', '.join(names)} at {at}: "
        f"{'ended by the clock' if code is None else f'exit code {code}'}"
    )
    return code not in (None, 0, 1)


def _enlarge(
    needed: Mapping[str, Sequence[str]],
    seen: Seen,
    larger: Workspace,
    jobs: int,
    end: float,
    say: Say,
) -> bool:
    """Compute what smaller sizes decided at cpu's sizes, row after row, while time is left; tell
    whether that failed.

    The cells that both sizes have in common are computed once.
    """
    folder, failed = larger.folder.parent, False
    make_folder(folder)
    (folder / CELLS).symlink_to(Path("..") / CELLS)
    for names in needed.values():
        smaller = [name for name in names if name in seen.smaller]
        if smaller and end - time.monotonic() > WORTHWHILE:
            failed |= _reproduce(smaller, folder, "", jobs, end, say)
    return failed


def in_time(
    command: Sequence[str],
    log: Path,
    where: Path,
    end: float,
    environment: Mapping[str, str] | None = None,
) -> int | None:
    """Run a command with its output in a log; return its exit code, None where it had to be
    ended at `end`.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=where,
            env={**os.environ, **(environment or {})},
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            return process.wait(max(end - time.monotonic(), 0.0))
        except subprocess.TimeoutExpired:
            return None
        finally:
            for sent in (signal.SIGTERM, signal.SIGKILL):
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, sent)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(5)


def falsify(root: Path, chosen: Sequence[Claim], log: Path, end: float) -> list[Falsified]:
    """Run the claims' falsifiers in order until `end`; say of each whether the verdict flipped
    (None: not reached).
    """
    nodes = list(dict.fromkeys(claim.falsifier for claim in chosen))
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-v",
        "--no-header",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        *nodes,
    ]
    if nodes:
        in_time(command, log, root, end)
    by_node: dict[str, list[str]] = {}
    for line in LINE.finditer(log.read_text(encoding="utf-8", errors="replace") if nodes else ""):
        by_node.setdefault(line["node"].split("[")[0], []).append(line["end"])
    return [
        Falsified(claim.id, claim.title, claim.falsifier, _flipped(by_node.get(claim.falsifier)))
        for claim in chosen
    ]


def _flipped(ends: Sequence[str] | None) -> bool | None:
    """Return whether a falsifier's tests passed, None where it was not reached or skipped."""
    if not ends or set(ends) == {"SKIPPED"}:
        return None
    return set(ends) <= {"PASSED", "SKIPPED"}
