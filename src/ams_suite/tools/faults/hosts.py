"""Two runs at once: in one folder, on one host and on two; of two profiles, which share the cells."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from signal import SIGKILL

from ams_suite.tools.faults.fault import Bench, Try, fault
from ams_suite.tools.faults.requirements import Reference
from ams_suite.tools.faults.suite import Start

HOST = (
    "unshare",
    "--uts",
    "--net",
    "--pid",
    "--fork",
    "--kill-child",
    "sh",
    "-c",
    'hostname another && exec "$@"',
    "sh",
)
"""Another host, as far as one kernel can give it: a name, a network and numbers of processes of its own."""


@fault("Two runs start in one folder on one host, the second a random while after the first.", 20)
def two_runs(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """One does the work; the other is refused in a line, or finds it done."""
    for _ in range(tries):
        yield _both(bench.jobs, Start(), moments.uniform(0, 1.5))


@fault("Two runs start in one folder on two hosts (namespaces of one kernel; no network file system was tried).", 8)
def two_hosts(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """One does the work; the other, on another host, is refused in a line, or finds it done."""
    for _ in range(tries):
        if not can(HOST):
            yield Try("", skipped="no right to make namespaces here")
            return
        yield _both(bench.jobs, Start(before=HOST), moments.uniform(0, 4.0))


def _both(reference: Reference, second: Start, wait: float) -> Try:
    out = reference.place()
    first = reference.suite.start(out, Start(fresh=bool(second.before)))
    time.sleep(wait)
    other = reference.suite.start(out, second)
    ends = [run.ended() for run in (first, other)]
    broken = [line for done in ends for line in reference.after(out, done, {reference.code, 2})]
    refused = [done for done in ends if done.code == 2]
    broken += [f"refused with: {done.err}" for done in refused if "another run is in progress in" not in done.err]
    if len(refused) == 2:
        broken.append("both were refused")
    return Try(
        f"{wait:.2f} s apart, {len(refused)} refused",
        max(done.code for done in ends),
        (*broken, *reference.mended(out)),
    )


@fault("Runs of two profiles, which share the cells, start in one folder at once; one of them is killed.", 10)
def two_profiles(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """The one that goes on ends as it does alone, and so does the next run of the killed one."""
    cpu, words = bench.jobs, ("reproduce", "--profile", "quick")
    quick = Reference.of(replace(cpu.suite, words=words))
    for _ in range(tries):
        out = cpu.place()
        runs = [cpu.suite.start(out), quick.suite.start(out)]
        time.sleep(moments.uniform(0, 1.0))
        runs[1].signal_group(SIGKILL)
        ends = [run.ended() for run in runs]
        broken = [*cpu.after(out, ends[0], {cpu.code}), *quick.after(out, ends[1], {0, 1, -9})]
        yield Try("", ends[0].code, (*broken, *quick.mended(out), *cpu.mended(out)))


@fault("The checkout cannot be written (a read-only file system); the results go elsewhere, then nowhere.", 2)
def read_only_checkout(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """Elsewhere all is as always; in the checkout it is refused in a line that names `--out`."""
    reference = Reference.of(bench.small("quick", "small"))  # without the study, which writes beside its code
    root = reference.suite.root
    mounts = f'mount --bind "{root}" "{root}" && mount -o remount,ro,bind "{root}" && cd "{root}" && exec "$@"'
    before = ("unshare", "--mount", "sh", "-c", mounts, "sh")
    if not can(before):
        yield Try("", skipped="no right to mount a file system here")
        return
    out = reference.place()
    done = reference.suite.run(out, Start(before=before))
    yield Try("results elsewhere", done.code, (*reference.after(out, done, {reference.code}), *reference.mended(out)))
    done = reference.suite.run(None, Start(before=before))
    broken = list(reference.after(reference.suite.place(), done, {2}))
    if "--out DIR" not in done.err or done.err.count("\n") != 1:
        broken.append(f"it is not told in a line what to do: {done.err}")
    yield Try("results in it", done.code, tuple(broken))


def can(before: tuple[str, ...]) -> bool:
    """Return whether a command can be run so."""
    return (
        os.geteuid() == 0 and shutil.which(before[0]) is not None and subprocess.run([*before, "true"]).returncode == 0
    )
