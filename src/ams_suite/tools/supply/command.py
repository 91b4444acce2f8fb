"""`ams supply`: licences and checksums of the pinned releases; a bill of materials and advisories if asked for."""

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from ams_suite.lock import CHECKSUMS, LOCK, ROOT, Pin, checksums, names, pins
from ams_suite.tools.supply import index
from ams_suite.tools.supply.licences import POLICY, Licensed, Policy, installed, judged
from ams_suite.tools.supply.sbom import bill
from verdicts.errors import UserError
from verdicts.records.files import canonical_json, write_whole

Say = Callable[[str], None]
HEAD = """\
# The files of the releases in constraints.txt, wheels and sources, as `sha256sum` lists them: reproduce.sh installs no
# other of a pinned release. Left out: what no platform with torch and bash can use, Pythons below 3.11, and torch,
# whose build is the platform's. Written by `ams supply --pin`, in the order of the lock.
"""


def supply(sbom: Path | None, pin: bool, advisories: bool, say: Say) -> int:
    """List the licences of the lock's installed distributions; check them, and that each pin has checksums.

    `sbom` is the bill of materials to write; `pin` writes the checksums anew, as the index lists them; `advisories`
    asks the index what is known against the pinned releases. Returns 1 where something is not as it should be, else 0.
    Raises UserError.
    """
    lock, policy = _read(LOCK), Policy.read()
    pinned = pins(lock)
    if pin:
        write_whole(
            CHECKSUMS, HEAD + "".join(f"{line}\n" for line in index.listing(pinned.values(), index.index_url()))
        )
        say(f"checksums: written to {CHECKSUMS.name}")
    try:
        listed = checksums(_read(CHECKSUMS))
    except ValueError as error:
        raise UserError(f"{CHECKSUMS}: {error}; `ams supply --pin` writes it anew") from error
    present = list(installed(names(lock)))
    problems = [*_licences((judged(each, policy) for each in present), say), *unlisted(pinned, listed)]
    if sbom:
        project = tomllib.loads(_read(ROOT / "pyproject.toml"))["project"]
        write_whole(sbom, canonical_json(bill(project, present, listed, policy), indent=1) + "\n")
        say(f"bill of materials: {sbom}")
    problems += _advisories([*pinned.values()], say) if advisories else []
    for problem in problems:
        say(problem)
    there = f"{len(present)} of {len(names(lock))} distributions installed"
    say(f"{there}, {len(listed)} files listed, {len(problems)} problems")
    return 1 if problems else 0


def unlisted(pinned: Mapping[str, Pin], listed: Mapping[str, str]) -> list[str]:
    """Return a line for each pinned release of which no file is listed, and for each file of no pinned release."""
    missing = [pin for pin in pinned.values() if not any(index.is_of(file, pin) for file in listed)]
    strange = [file for file in listed if not any(index.is_of(file, pin) for pin in pinned.values())]
    advice = "`ams supply --pin` asks the index"
    return [
        *(f"checksums: {CHECKSUMS.name} lists no file of {pin}: {advice}" for pin in missing),
        *(f"checksums: {file} in {CHECKSUMS.name} is of no pinned release: {advice}" for file in strange),
    ]


def _licences(present: Iterable[Licensed], say: Say) -> list[str]:
    """Say the licence of each distribution; return a line for each that is unknown or not allowed."""
    problems = []
    for each in present:
        say(f"{each.name:<38} {each.version:<18} {each.licence or 'unknown'}")
        if each.problem:
            problems.append(f"licences: {each.name} {each.version}: {each.problem}; see {POLICY.relative_to(ROOT)}")
    return problems


def _advisories(pinned: Sequence[Pin], say: Say) -> list[str]:
    """Say how many advisories the index knows, and of how many releases it knows nothing; return a line for each."""
    address = index.index_url()
    known, silent = index.advisories(pinned, address)
    if len(silent) == len(pinned):
        say(f"advisories: the index gives none ({address}), so nothing is known of weaknesses of these releases")
    else:
        unknown = f"; it knows nothing of {', '.join(pin.name for pin in silent)}" if silent else ""
        say(f"advisories: {len(known)} of the pinned releases{unknown}")
    return [f"advisories: {advisory}" for advisory in known]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read ({error}): `ams supply` works in a checkout") from error
