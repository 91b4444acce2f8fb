"""Results that are damaged: cut short, edited, zeroed, swapped, lost; and the run that meets them."""

import shutil
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from random import Random

from ams_suite.tools.faults.fault import Bench, Try, fault
from ams_suite.tools.faults.requirements import NO_RESULT, Reference

Spoil = Callable[[Path, Random], object]
UNSEEN = ("published.json", "memo.json", *NO_RESULT[2:])
"""What `--check` does not look at: it has no result in it."""
INNER, OUTER = "/study/start/", "cells/*/gamma/study/outcome/*"
"""Cells that only others ask for, and these: `--check` does not read the inner ones, only who computes an outer one."""


def _edited(path: Path, moments: Random) -> None:
    """Change one bit."""
    raw = bytearray(path.read_bytes())
    raw[moments.randrange(len(raw))] ^= 1 << moments.randrange(8)
    path.write_bytes(raw)


KINDS: dict[str, Spoil] = {
    "cut short": lambda path, moments: path.write_bytes(path.read_bytes()[: moments.randrange(path.stat().st_size)]),
    "emptied": lambda path, moments: path.write_bytes(b""),
    "zeroed": lambda path, moments: path.write_bytes(bytes(path.stat().st_size)),
    "one bit changed": _edited,
    "lost": lambda path, moments: path.unlink(),
}


@fault("A file of whole results is cut short, emptied, zeroed, lost, or one bit of it is changed.", 0)
def damaged_file(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """Every file in every way: `--check` names its claim, group or document, and the next run makes it again."""
    reference, whole = bench.quick, _whole(bench.quick)
    cases = list(product(_files(whole), KINDS))
    for name, kind in sorted(moments.sample(cases, tries)) if 0 < tries < len(cases) else cases:
        out = _copy(reference, whole)
        if (out / name).stat().st_size:
            KINDS[kind](out / name, moments)
            yield _noticed(reference, out, f"{name} {kind}", {name})


SWAPPED = ("*/records/*.json", "cells/**/*.json", "*/*/**/*.csv", "*/figures/*/artefacts.json", "*/*.pdf")
"""Results of which two can change places, each of a kind: records, cells, tables, lists of figures, documents."""


@fault("Two records, cells, tables, lists of a group's figures, or documents of whole results change places.", 30)
def swapped_files(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """Each file is whole, and neither holds what its name says: the run computes both again."""
    reference, whole = bench.quick, _whole(bench.quick)
    for number in range(tries):
        out = _copy(reference, whole)
        first, other = moments.sample(_files(whole, SWAPPED[number % len(SWAPPED)]), 2)
        one, two = ((out / name).read_bytes() for name in (first, other))
        (out / first).write_bytes(two)
        (out / other).write_bytes(one)
        yield _noticed(reference, out, f"{first} and {other}", {first, other} if one != two else set())


@fault("A random part of the files of whole results is lost, as after a loss of power.", 30)
def lost_files(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """The next run computes what is lost."""
    reference, whole = bench.quick, _whole(bench.quick)
    for _ in range(tries):
        out, share = _copy(reference, whole), moments.random()
        gone = [name for name in _files(whole) if moments.random() < share]
        for name in gone:
            (out / name).unlink()
        yield _noticed(reference, out, f"{len(gone)} files", set(gone))


@fault("Whole results of another suite, whose code is another, lie in the place of this one's.", 1)
def foreign_results(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """No verdict of other code is shown as one of this code."""
    other = bench.small("quick")
    module = next(other.root.glob("*/common.py"))
    module.write_text("ONE = 1.5\n", "utf-8")
    out, reference = bench.quick.place(), bench.quick
    other.run(out)
    records = {name.relative_to(out).as_posix() for name in out.rglob("*") if name.is_file()}
    yield _noticed(reference, out, "all", records, clean=False)


def _whole(reference: Reference) -> Path:
    out = reference.place()
    reference.suite.run(out)
    return out


def _copy(reference: Reference, whole: Path) -> Path:
    out = reference.suite.place()
    shutil.copytree(whole, out)
    return out


def _files(out: Path, pattern: str = "**/*") -> list[str]:
    return sorted(path.relative_to(out).as_posix() for path in out.glob(pattern) if path.is_file())


def _words(name: str) -> set[str]:
    """Return the words of a file's place of which `--check` uses one: a claim, a group, the document itself."""
    place = Path(name)
    words = {place.stem, *place.parts[1:-1]} - {"records", "figures", "studies", "cells", "study", "notebooks"}
    return words if place.stem != "run" else {"ledger"}  # which says what the last run computed


def _noticed(reference: Reference, out: Path, case: str, spoilt: set[str], clean: bool = True) -> Try:
    """Ask what is not current, then run; what is `spoilt` and seen is named."""
    broken, seen = [], {name for name in spoilt if not (name.endswith(UNSEEN) or INNER in name)}
    checked = reference.suite.check(out)
    if checked.code != (1 if seen else 0):
        broken.append(f"--check ended with {checked.code}: {checked.out.strip().splitlines()[-1:]}")
    for name in sorted(seen) if clean else ():
        if not any(word in checked.out for word in _words(name)):
            broken.append(f"--check does not name {name}: {checked.out.strip().splitlines()[:1]}")
    if "Traceback" in checked.err:
        broken.append("--check ended in a traceback")
    for path in out.glob(OUTER) if any(INNER in name for name in spoilt) else ():
        path.unlink()
    done = reference.suite.run(out)
    broken += reference.after(out, done, {reference.code}, spoilt if clean else reference.files.keys() | spoilt)
    broken += reference.mended(out) if clean else [line for line in reference.mended(out) if "left over" not in line]
    shutil.rmtree(out, ignore_errors=True)
    return Try(case, done.code, tuple(broken))
