"""Results that are damaged: cut short, edited, zeroed, swapped, lost; and the run that meets them."""

import shutil
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from random import Random

from tools.faults.fault import Attempt, Undisturbed, fault
from tools.faults.requirements import NO_RESULT, Reference

UNSEEN = ("published.json", "memo.json", *NO_RESULT[2:])
"""What `--check` does not look at: it has no result in it."""
INNER, OUTER = "/study/start/", "cells/*/gamma/study/outcome/*"
"""Cells that only others ask for, and these: `--check` does not read the inner ones, only who computes an outer one."""


def _edited(path: Path, moments: Random) -> None:
    """Change one bit."""
    raw = bytearray(path.read_bytes())
    raw[moments.randrange(len(raw))] ^= 1 << moments.randrange(8)
    path.write_bytes(raw)


def _exchanged(path: Path, moments: Random) -> None:
    """Write what another file of its kind near it holds; nothing where there is none."""
    near = {each.read_bytes() for each in path.parents[1].rglob(f"*{path.suffix}") if each.is_file()}
    path.write_bytes(moments.choice(sorted(near - {path.read_bytes()}) or [b""]))


KINDS: dict[str, Callable[[Path, Random], object]] = {
    "cut short": lambda path, moments: path.write_bytes(path.read_bytes()[: moments.randrange(path.stat().st_size)]),
    "emptied": lambda path, moments: path.write_bytes(b""),
    "zeroed": lambda path, moments: path.write_bytes(bytes(path.stat().st_size)),
    "one bit changed": _edited,
    "exchanged": _exchanged,
    "lost": lambda path, moments: path.unlink(),
}


@fault(
    "A file of whole results is cut short, emptied, zeroed or lost, holds what another should, or one bit is changed."
)
def damaged_file(suite: Undisturbed, moments: Random, tries: int) -> Iterator[Attempt]:
    """Every file in every way: `--check` names its claim, group or document, and the next run makes it again."""
    reference, whole = suite.quick, _whole(suite.quick)
    cases = list(product(_files(whole), KINDS))
    for name, kind in sorted(moments.sample(cases, tries)) if 0 < tries < len(cases) else cases:
        out = _copy(reference, whole)
        if (out / name).stat().st_size:
            KINDS[kind](out / name, moments)
            yield _noticed(reference, out, f"{name} {kind}", {name})


@fault("A random part of the files of whole results is lost, as after a loss of power.", 30)
def lost_files(suite: Undisturbed, moments: Random, tries: int) -> Iterator[Attempt]:
    """The next run computes what is lost."""
    reference, whole = suite.quick, _whole(suite.quick)
    for _ in range(tries):
        out, share = _copy(reference, whole), moments.random()
        gone = [name for name in _files(whole) if moments.random() < share]
        for name in gone:
            (out / name).unlink()
        yield _noticed(reference, out, f"{len(gone)} files", set(gone))


def _whole(reference: Reference) -> Path:
    out = reference.place()
    reference.suite.run(out)
    return out


def _copy(reference: Reference, whole: Path) -> Path:
    return Path(shutil.copytree(whole, reference.suite.place()))


def _files(out: Path, pattern: str = "**/*") -> list[str]:
    return sorted(path.relative_to(out).as_posix() for path in out.glob(pattern) if path.is_file())


def _words(name: str) -> set[str]:
    """Return the words of a file's place of which `--check` uses one: a claim, a group, the document itself."""
    place = Path(name)
    words = {place.stem, *place.parts[1:-1]} - {"records", "figures", "studies", "cells", "study", "notebooks"}
    return words if place.stem != "run" else {"ledger"}  # which says what the last run computed


def _noticed(reference: Reference, out: Path, case: str, spoilt: set[str]) -> Attempt:
    """Ask what is not current, then run; what is `spoilt` and seen is named."""
    broken, seen = [], {name for name in spoilt if not (name.endswith(UNSEEN) or INNER in name)}
    checked = reference.suite.check(out)
    if checked.code != (1 if seen else 0) or "Traceback" in checked.err:
        broken.append(f"--check ended with {checked.code}: {(checked.out + checked.err).strip().splitlines()[-1:]}")
    for name in sorted(seen):
        if not any(word in checked.out for word in _words(name)):
            broken.append(f"--check does not name {name}: {checked.out.strip().splitlines()[:1]}")
    for path in out.glob(OUTER) if any(INNER in name for name in spoilt) else ():
        path.unlink()
    done = reference.suite.run(out)
    broken += [*reference.after(out, done, {reference.code}, spoilt), *reference.mended(out)]
    shutil.rmtree(out, ignore_errors=True)
    return Attempt(case, done.code, tuple(broken))
