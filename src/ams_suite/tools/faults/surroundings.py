"""What surrounds a run: names of folders, HOME, locale, umask, hash seeds, Python's flags, streams, limits."""

import os
import resource
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from random import Random

from ams_suite.tools.faults.fault import Bench, Try, fault
from ams_suite.tools.faults.kills import CHEAP
from ams_suite.tools.faults.requirements import Reference
from ams_suite.tools.faults.suite import Start

NAMES = {
    "spaces and a comma": "a folder, of mine ",
    "quotes, a dollar and a backtick": 'it\'s $HOME `x` "q" \\',
    "letters of many languages": "größer día 検証 😀 עברית",
    "a dash in front": "-rf",
    "braces, percent, hash": "{x} %s #3 =b [a-z]*?",
    "a newline": "a\nb",
    "bytes that are no UTF-8": os.fsdecode(b"caf\xe9"),
    "as long as a name may be": "x" * 255,
    "a colon": "a:b",
    "dots": "...a..b",
}


@fault("The checkout and the results lie in folders of odd names.", 0)
def odd_paths(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """The verdicts, values and files are those of an undisturbed run, whatever the name."""
    for what, name in NAMES.items():
        reference, place = bench.quick, bench.work / "odd" / name
        place.mkdir(parents=True)
        root = place / "checkout" if len(name) > 200 else place / name
        shutil.copytree(reference.suite.root, root)
        there, out = reference._replace(suite=replace(reference.suite, root=root)), place / "results"
        shutil.copytree(reference.place(), out)
        done = there.suite.run(out)
        yield Try(what, done.code, (*there.after(out, done, {reference.code}), *there.mended(out)))


HOMES: dict[str, Mapping[str, str | None]] = {
    "HOME is not set": {"HOME": None, "XDG_CACHE_HOME": None, "XDG_CONFIG_HOME": None},
    "HOME is empty": {"HOME": ""},
    "HOME is not there": {"HOME": "/nowhere/at/all"},
    "HOME is a file": {"HOME": "/etc/passwd"},
    "HOME cannot be written": {"HOME": "/proc"},
    "TMPDIR is not there": {"TMPDIR": "/nowhere"},
    "TERM and COLUMNS say nothing": {"TERM": "dumb", "COLUMNS": "1"},
    "USER and PATH are not set": {"USER": None, "LOGNAME": None, "PATH": ""},
    "MPLBACKEND and others are foreign": {"MPLBACKEND": "gone", "SNAKEMAKE_PROFILE": "gone", "TZ": "Nowhere/None"},
}


@fault("HOME is unset, empty, missing, a file or not to be written; so are TMPDIR, PATH and others.", 0)
def home(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """The verdicts, values and files are those of an undisturbed run, whatever HOME is."""
    yield from _as_always(bench.quick, {what: Start(variables=each, fresh=True) for what, each in HOMES.items()})


LOCALES = ("C", "POSIX", "C.UTF-8", "de_DE.UTF-8", "tr_TR.UTF-8", "ja_JP.SJIS", "xx_YY.nonsense")


@fault("The locale is another, or none; the console's encoding is ASCII, Latin-1 or UTF-16.", 0)
def locale(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """The verdicts, values and files are those of an undisturbed run, whatever the locale."""
    starts = {f"LC_ALL={name}": Start(variables={"LC_ALL": name, "PYTHONUTF8": "0"}, fresh=True) for name in LOCALES}
    for name in ("ascii", "latin-1", "utf-16"):
        starts[f"PYTHONIOENCODING={name}"] = Start(variables={"PYTHONIOENCODING": name}, fresh=True)
    yield from _as_always(bench.quick, starts, marks=False)


@fault("The umask is 000, 022, 027, 077 or 777.", 0)
def umask(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """The verdicts, values and files are those of an undisturbed run, whatever the umask."""
    masks = (0o000, 0o022, 0o027, 0o077, *([0o777] if os.geteuid() == 0 else []))
    yield from _as_always(bench.jobs, {f"umask {mask:03o}": Start(umask=mask) for mask in masks})


@fault("Python's hashes are seeded otherwise (PYTHONHASHSEED).", 6)
def hash_seed(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """The verdicts, values and files are those of an undisturbed run, whatever the seed."""
    seeds = ["0", "1", *(str(moments.randrange(2, 2**32)) for _ in range(tries - 2))][:tries]
    starts = {f"PYTHONHASHSEED={seed}": Start(variables={"PYTHONHASHSEED": seed}, fresh=True) for seed in seeds}
    yield from _as_always(bench.jobs, starts)


FLAGS = (("-O",), ("-B",), ("-s",), ("-u",), ("-X", "dev"), ("-X", "utf8=0"))


@fault("Python runs with flags: -O (no assert), -OO (no docstring either), -X dev and others.", 0)
def python_flags(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """No flag changes a value; -OO is refused in a line, since a package in use lives on docstrings."""
    starts = {" ".join(flags): Start(flags=flags) for flags in FLAGS}
    yield from _as_always(bench.jobs, starts)
    reference, out = bench.jobs, bench.jobs.place()
    done = reference.suite.run(out, Start(flags=("-OO",)))
    yield Try("-OO", done.code, (*reference.after(out, done, {2}), *reference.mended(out)))


STREAMS = (
    "<&-",
    ">&-",
    "2>&-",
    "<&- >&- 2>&-",
    ">/dev/full",
    "2>/dev/full",
    ">/dev/full 2>&1",
    "> >(head -n 1)",
    "</dev/null",
)


@fault("Standard streams are closed, full, or a pipe whose reader has gone.", 0)
def streams(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """The run ends as always, or with 3 or 141 where its words cannot be written; the next one goes on."""
    reference = bench.quick
    for way in STREAMS:
        out = reference.place()
        done = reference.suite.run(out, Start(streams=way))
        may = {3} if ">/dev/full" in way and way != "2>/dev/full" else {141} if "head" in way else set()
        yield Try(way, done.code, (*reference.after(out, done, {reference.code} | may), *reference.mended(out)))


LIMITS = {
    **{f"ulimit -n {number}": {resource.RLIMIT_NOFILE: number} for number in (8, 12, 16, 24, 40, 64)},
    **{f"ulimit -v {mebibytes} MiB": {resource.RLIMIT_AS: mebibytes << 20} for mebibytes in (256, 512, 1024)},
    **{f"ulimit -s {kibibytes} KiB": {resource.RLIMIT_STACK: kibibytes << 10} for kibibytes in (256, 1024)},
    **{f"ulimit -t {seconds} s": {resource.RLIMIT_CPU: seconds} for seconds in (1, 2)},
    "ulimit -c 0": {resource.RLIMIT_CORE: 0},
}


@fault("Limits are low (ulimit): open files, memory, stack, processor time, core dumps.", 0)
def ulimits(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """What cannot be done ends with 2 or 3, or by the limit's signal; without it the next run goes on."""
    reference = bench.quick
    for what, limits in LIMITS.items():
        out = reference.place()
        done = reference.suite.run(out, Start(limits=limits, fresh=True))
        yield Try(
            what, done.code, (*reference.after(out, done, {reference.code, 2, 3, -24, -9}), *reference.mended(out))
        )


@fault(f"Groups of the quick profile ({', '.join(CHEAP)}) run with other hash seeds, -O, a locale.", 0, True)
def surroundings_of_quick(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """The values are those of a plain run to the last bit."""
    starts = {" ".join(flags): Start(flags=flags) for flags in FLAGS[:1]}
    starts |= {f"PYTHONHASHSEED={seed}": Start(variables={"PYTHONHASHSEED": seed}) for seed in ("0", "4321")}
    starts["LC_ALL=tr_TR.UTF-8"] = Start(variables={"LC_ALL": "tr_TR.UTF-8", "TZ": "Asia/Tokyo"})
    yield from _as_always(Reference.of(bench.real("quick", *CHEAP)), starts)


def _as_always(reference: Reference, starts: Mapping[str, Start], marks: bool = True) -> Iterator[Try]:
    for what, start in starts.items():
        out = reference.place()
        done = reference.suite.run(out, start)
        judge = reference if marks else reference._replace(marks={})  # in another encoding marks are others
        yield Try(
            what, done.code, (*judge.after(out, done, {reference.code}), *reference.same(out), *reference.mended(out))
        )
