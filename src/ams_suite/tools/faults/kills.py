"""Runs that are killed or interrupted at random moments: all of it, its driver alone, one of its jobs."""

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Iterator
from random import Random

import psutil  # type: ignore[import-untyped]

from ams_suite.tools.faults.fault import Bench, Try, fault
from ams_suite.tools.faults.requirements import INTERRUPTED, Files, Reference, files_of
from ams_suite.tools.faults.suite import Running, Start

KILLED = frozenset({0, 1, -signal.SIGKILL})
ENDED = frozenset({0, 1})


@fault("The whole run, its jobs included, is killed (SIGKILL) at a random moment; then so is the next one.", 50)
def kill_group(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """Kill a run in one process and one with jobs, in turn."""
    yield from _killed((bench.quick, bench.jobs), moments, tries)


def _killed(references: tuple[Reference, ...], moments: Random, tries: int) -> Iterator[Try]:
    """Kill, and kill again what goes on from there, in turn; each second time let it end."""
    lasts = [_seconds(reference) for reference in references]
    for number in range(tries):
        reference = references[number % len(references)]
        out = reference.place()
        broken, moment, before = list[str](), 0.0, Files()
        for _ in range(2):
            run, moment = reference.suite.start(out), moments.uniform(0, lasts[number % len(references)])
            time.sleep(moment)
            _kill(run)
            done = run.ended()
            broken += [*reference.after(out, done, KILLED), *reference.lost(before, out)]
            before = files_of(out, reference.suite.profile)
        broken += reference.mended(out)
        yield Try(f"{reference.suite.profile} after {moment:.2f} s", done.code, tuple(broken))
        shutil.rmtree(out, ignore_errors=True)


@fault("The driver of a run with jobs is killed (SIGKILL) at a random moment; its jobs go on without it.", 20)
def kill_driver(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """While jobs are still at work the next run is refused with 2; after they have ended it goes on."""
    reference, lasts = bench.jobs, _seconds(bench.jobs)
    for _ in range(tries):
        out, moment = reference.place(), moments.uniform(0, lasts)
        run = reference.suite.start(out)
        time.sleep(moment)
        with contextlib.suppress(ProcessLookupError):
            run.signal(signal.SIGKILL)
        done = run.ended()
        again = reference.suite.run(out)
        broken = [*reference.after(out, done, KILLED), *reference.after(out, again, {reference.code, 2})]
        if again.code == 2 and "still at work" not in again.err and "another run is in progress" not in again.err:
            broken.append(f"refused for another reason: {again.err}")
        _wait_for(run)
        yield Try(f"after {moment:.2f} s, next {again.code}", done.code, (*broken, *reference.mended(out)))


@fault("One job of a run is killed (SIGKILL) at a random moment, at most 0.3 s after it has started.", 20)
def kill_job(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """The run ends with 3 and names the job's log; where the job had ended before, as it would."""
    reference = bench.jobs
    for _ in range(tries):
        out, moment = reference.place(), moments.uniform(0, 0.3)
        run = reference.suite.start(out)
        job = _a_job(run, moments)
        time.sleep(moment)
        with contextlib.suppress(psutil.Error):
            if job:
                job.kill()
        done = run.ended()
        broken = [*reference.after(out, done, {reference.code, 3})]
        if done.code == 3 and "a job ended with -9" not in done.out + done.err:
            broken.append(f"the job is not named: {done.err[-200:]}")
        yield Try(f"after {moment:.2f} s", done.code, (*broken, *reference.mended(out)))


@fault("A run is interrupted (SIGINT, SIGTERM, SIGHUP) at a random moment after its start.", 30)
def interrupt(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """It stops its jobs and ends with 130; one that was over ends as it would."""
    references = (bench.quick, bench.jobs)
    lasts = [_seconds(reference) for reference in references]
    for number in range(tries):
        reference, moment = references[number % 2], moments.uniform(0, lasts[number % 2])
        sent = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)[number % 3]
        out = reference.place()
        run = reference.suite.start(out)
        time.sleep(moment)
        with contextlib.suppress(ProcessLookupError):
            run.signal(sent)
        done = run.ended()
        broken = list(reference.after(out, done, ENDED | INTERRUPTED))
        if left := _alive(run):
            broken.append(f"{len(left)} processes outlive it")
        yield Try(f"{sent.name} after {moment:.2f} s", done.code, (*broken, *reference.mended(out)))


@fault("A run is interrupted (SIGINT) at a random moment while its interpreter starts and imports.", 60)
def interrupt_start(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """It ends as a program does that is interrupted, and says no more than a line."""
    reference = bench.quick
    for _ in range(tries):
        out, moment = reference.place(), moments.uniform(0.05, 1.5)
        run = reference.suite.start(out, Start(fresh=True))
        time.sleep(moment)
        run.signal(signal.SIGINT)
        done = run.ended()
        start_of_python = "ams_suite" not in done.err  # before it has come to this suite
        said = done if not start_of_python else done._replace(err="")
        yield Try(f"after {moment:.2f} s", done.code, tuple(reference.after(out, said, ENDED | INTERRUPTED)))


CHEAP = ("update_rule", "momentum", "noise_schedules", "score_filter")


@fault(f"Of the quick profile {len(CHEAP)} groups are killed at random moments, again and again.", 25, True)
def kill_quick(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """Each run goes on from what the last one left, and ends as an undisturbed run does."""
    yield from _killed_until_done(Reference.of(bench.real("quick", *CHEAP)), moments, tries, 15.0)


@fault(f"Of the cpu profile {len(CHEAP)} groups are killed at random moments, again and again.", 25, True)
def kill_cpu(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """Each run goes on from what the last one left, and ends as an undisturbed run does."""
    yield from _killed_until_done(Reference.of(bench.real("cpu", *CHEAP)), moments, tries, 15.0)


@fault("The whole quick profile is killed at random moments, again and again.", 10, True)
def kill_whole_quick(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """Each run goes on from what the last one left, and ends as an undisturbed run does."""
    yield from _killed_until_done(Reference.of(bench.real("quick")), moments, tries, 60.0)


def _killed_until_done(reference: Reference, moments: Random, tries: int, longest: float) -> Iterator[Try]:
    """Kill a run, and each that goes on from there, until one has ended; start over until all tries are made."""
    out, before = reference.place(), Files()
    for number in range(tries):
        run, moment = reference.suite.start(out), moments.uniform(0, longest)
        time.sleep(moment)
        _kill(run)
        done = run.ended()
        broken = [*reference.after(out, done, KILLED), *reference.lost(before, out)]
        before = files_of(out, reference.suite.profile)
        if done.code >= 0 or number == tries - 1:
            broken += reference.mended(out)
            out, before = reference.place(), Files()
        yield Try(f"after {moment:.2f} s", done.code, tuple(broken))


def _kill(run: Running) -> None:
    with contextlib.suppress(ProcessLookupError):
        run.signal_group(signal.SIGKILL)


def _seconds(reference: Reference) -> float:
    out = reference.place()
    begin = time.monotonic()
    reference.suite.run(out)
    return time.monotonic() - begin


def _a_job(run: Running, moments: Random) -> psutil.Process | None:
    """Return one of the run's children, as soon as it has some; None where it ended without."""
    for _ in range(5000):
        with contextlib.suppress(psutil.Error):
            if psutil.Process(run.pid).status() == psutil.STATUS_ZOMBIE:
                return None
            if children := psutil.Process(run.pid).children():
                return moments.choice(children)
        time.sleep(0.002)
    return None


def _alive(run: Running) -> list[psutil.Process]:
    alive = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            if os.getpgid(process.pid) == run.pid and process.status() != psutil.STATUS_ZOMBIE:
                alive.append(process)
    return alive


def _wait_for(run: Running) -> None:
    """Wait until no job of the run is left."""
    end = time.monotonic() + 60
    while _alive(run) and time.monotonic() < end:
        time.sleep(0.02)
