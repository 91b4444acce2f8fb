"""`ams certify`: decide the paper's six rows anew in some minutes, break them, and write on one page what was seen.

The run has a results folder of its own, empty, and reads no kept cells: nothing on the page was computed before. Whole
groups are computed, with cpu's settings where their recorded seconds fit into the time, else with quick's. Then the
claims' falsifiers run.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

from ams.errors import UserError
from ams_suite.project import PROJECT
from verdicts.claims.schema import Claim, Claims, Profile
from verdicts.errors import writable
from verdicts.records.expected import Expected, read_expected
from verdicts.records.files import write_whole
from verdicts.records.provenance import now
from verdicts.records.workspace import Workspace, find_root
from verdicts.report import certificate
from verdicts.report.certificate import Falsified
from verdicts.report.report_texts import Finding, load_findings
from verdicts.run.calibration import calibrated
from verdicts.studies.kept import Archive
from verdicts.studies.study import archive_of

SETTINGS = (Profile.CPU, Profile.QUICK)
"""The profiles whose settings a certificate uses, the larger first."""
MEASURING, PAGE = 0.55, 20.0
"""The part of the time for measuring, the rest being for falsifiers; the seconds that writing the page takes."""
BUSY = 0.85
"""The part of the cores' time that jobs use: a group's checks and figures have one core."""
LINE = re.compile(r"^(?P<node>tests/\S+::\S+) (?P<end>PASSED|FAILED|ERROR|SKIPPED)", re.MULTILINE)
Say = Callable[[str], None]


class Planned(NamedTuple):
    """A group that is computed with a profile's settings, and the seconds of one core that this is to take."""

    group: str
    profile: Profile
    seconds: float


def certify(minutes: float, out: Path | None, jobs: int, say: Say) -> int:
    """Write the certificate and return the exit code: 0, 1 where the run contradicts a kept verdict, 3 where it failed.

    Raises UserError for minutes that are no positive number, or a folder that cannot be written.
    """
    if not 0 < minutes < float("inf"):
        raise UserError(f"--minutes {minutes:g}: a positive number is expected")
    end = time.monotonic() + 60 * minutes
    root = find_root(Path.cwd())
    folder = _empty_folder(out or root / "results/certificates", now())
    workspace = Workspace.open(root, Profile.CPU, folder, PROJECT)
    claims, archive = workspace.all_claims, archive_of(workspace)
    findings = load_findings(root, claims).finding
    kept = {profile: run for profile in SETTINGS if (run := read_expected(root, profile))}
    if Profile.CPU in kept:
        kept[Profile.CPU] = without_kept_cells(kept[Profile.CPU], archive)
    plans, unreached = planned(claims, kept, wanted(claims, findings), 60 * minutes * MEASURING * jobs * BUSY)
    groups = ", ".join(f"{each.group} ({each.profile})" for each in plans)
    say(f"certificate in {minutes:g} min: {groups}; then the falsifiers. Results: {folder}")
    setup = float(os.environ.get("AMS_SETUP_SECONDS", "0"))
    failed = _measure(plans, folder, jobs, end - 60 * minutes * (1 - MEASURING), say)
    broken = falsify(root, falsifiers(claims, findings, plans), folder / "falsifiers.log", end - PAGE)
    profiles = dict.fromkeys(plan.profile for plan in plans) or (Profile.QUICK,)  # in a moment nothing is measured
    measured = [Workspace.open(root, each, folder, PROJECT) for each in profiles]
    facts = certificate.facts_of(root, measured, broken, minutes, setup, unreached, failed)
    with writable(folder):
        for name, content in certificate.documents(facts, folder).items():
            write_whole(folder / name, content)
    say(certificate.summary(facts))
    say(f"certificate: {folder / certificate.PAGE}, with certificate.pdf and codecheck.yml")
    return 3 if failed else 1 if facts["against"] else 0


def _empty_folder(parent: Path, started: str) -> Path:
    """Make a folder for one certificate, named by the time."""
    folder = parent / re.sub(r"\D", "", started[:19])
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise UserError(f"{folder}: {error.strerror}; name another folder with --out") from None
    return folder


def wanted(claims: Claims, findings: Sequence[Finding]) -> list[Claim]:
    """Return the claims that the rows rest on: first each row's number, then what its sentence needs, row after row."""
    numbers = [claims.claim_of(each.number.check).id for each in findings if each.number]
    needed = (name for nth in zip_longest(*(each.needs for each in findings)) for name in nth if name)
    by_id = {claim.id: claim for claim in claims.claim}
    return [by_id[name] for name in dict.fromkeys([*numbers, *needed])]


def without_kept_cells(run: Expected, archive: Archive) -> Expected:
    """Return a run's record as if it had computed what is kept of its groups: their recorded seconds are longer."""
    spared = {name: sum(cell.seconds for cell in archive.of_group(name).values()) for name in run.studies}
    return run.model_copy(update={"studies": {name: run.studies[name] + spared[name] for name in spared}})


def planned(
    claims: Claims, kept: Mapping[Profile, Expected], order: Sequence[Claim], room: float
) -> tuple[list[Planned], list[str]]:
    """Return which groups are computed with which settings in `room` seconds of one core, and the claims left out.

    Groups are taken in order, at the smallest settings that decide the claim asked for; what room is left raises them
    to cpu's, in order.
    """
    slower = _slowdown(kept)
    plans: dict[str, Planned] = {}
    left_out: list[str] = []
    for claim in order:
        if claim.group in plans and plans[claim.group].profile in claim.profiles:
            continue
        profile = next((each for each in reversed(SETTINGS) if each in claim.profiles and each in kept), None)
        before = plans[claim.group].seconds if claim.group in plans else 0.0
        seconds = slower * cost(claims, kept[profile], claim.group) if profile else float("inf")
        if profile is None or seconds - before > room:
            left_out.append(claim.id)
            continue
        room -= seconds - before
        plans[claim.group] = Planned(claim.group, profile, seconds)
    for group, plan in plans.items():
        larger = slower * cost(claims, kept[Profile.CPU], group) if Profile.CPU in kept else float("inf")
        if plan.profile is not Profile.CPU and larger - plan.seconds <= room:
            room -= larger - plan.seconds
            plans[group] = Planned(group, Profile.CPU, larger)
    return list(plans.values()), left_out


def _slowdown(kept: Mapping[Profile, Expected]) -> float:
    """Return how much longer this machine takes than that of the kept runs, 1 where that is not known."""
    known = [run.calibration for run in kept.values() if run.calibration]
    return calibrated() / known[0] if known else 1.0


def cost(claims: Claims, run: Expected, group: str) -> float:
    """Return the recorded seconds of one core of a group's study, checks and figures."""
    return run.studies.get(group, 0.0) + run.seconds_of(claims.of_group(group)) + run.beside / max(len(run.studies), 1)


def _measure(plans: Sequence[Planned], folder: Path, jobs: int, end: float, say: Say) -> bool:
    """Compute the groups, each profile in a process ended in time, the smaller first; tell whether one failed."""
    failed = False
    for profile in [each for each in reversed(SETTINGS) if any(plan.profile is each for plan in plans)]:
        groups = [plan.group for plan in plans if plan.profile is profile]
        words = ["reproduce", "--profile", profile, "--only", *groups, "--force", *groups]
        words += ["--out", str(folder), "--jobs", str(jobs), "--audit", "0"]
        code = in_time([sys.executable, "-m", "ams_suite", *words], folder / f"{profile}.log", Path.cwd(), end)
        say(f"{', '.join(groups)} ({profile}): {'ended by the clock' if code is None else f'exit code {code}'}")
        failed |= code == 3
    return failed


def in_time(command: Sequence[str], log: Path, where: Path, end: float) -> int | None:
    """Run a command with its output in a log; return its exit code, None where it had to be ended at `end`."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=where,
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


def falsifiers(claims: Claims, findings: Sequence[Finding], plans: Sequence[Planned]) -> list[Claim]:
    """Return the claims whose falsifiers run, in order: the rows' own first, then the others of their groups."""
    first = wanted(claims, findings)
    groups = {plan.group for plan in plans}
    return [*first, *(claim for claim in claims.claim if claim.group in groups and claim not in first)]


def falsify(root: Path, chosen: Sequence[Claim], log: Path, end: float) -> list[Falsified]:
    """Run the claims' falsifiers in order until `end`; say of each whether the verdict flipped (None: not reached)."""
    nodes = list(dict.fromkeys(claim.falsifier for claim in chosen))
    command = [sys.executable, "-m", "pytest", "-v", "--no-header", "-p", "no:cacheprovider", "-p", "no:xdist", *nodes]
    in_time(command, log, root, end)
    by_node: dict[str, list[str]] = {}
    for line in LINE.finditer(log.read_text(encoding="utf-8", errors="replace")):
        by_node.setdefault(line["node"].split("[")[0], []).append(line["end"])
    return [
        Falsified(claim.id, claim.title, claim.falsifier, _flipped(by_node.get(claim.falsifier))) for claim in chosen
    ]


def _flipped(ends: Sequence[str] | None) -> bool | None:
    """Return whether a falsifier's tests passed, None where it was not reached or skipped."""
    if not ends or set(ends) == {"SKIPPED"}:
        return None
    return set(ends) <= {"PASSED", "SKIPPED"}
