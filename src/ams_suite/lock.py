"""What `constraints.txt` pins, and whether pip installed the files that `constraints.sha256` lists.

pip takes checksums in a file of constraints as an order to refuse whatever has none, so that a
range, such as that of torch, could no longer be installed. So they stand in a file of their own, in
the format of `sha256sum`, and are held against pip's report of what it installed, before anything
of it is run. That takes wheels: to install them runs nothing of theirs.

`reproduce.sh` runs this file as a script, without site-packages (-S): nothing installed has a say.

    python -I -S src/ams_suite/lock.py REPORT [NAME ...]   # one line and exit code 1 if a file differs, or if another
                                                           # distribution than these was installed;
                                                           else nothing and 0
"""

import json
import re
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "constraints.txt"
CHECKSUMS = ROOT / "constraints.sha256"


class Pin(NamedTuple):
    """One release: the distribution's name as the lock spells it, and its version."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name}=={self.version}"


def canonical(name: str) -> str:
    """Return the normal form of a distribution's name (PEP 503): lower case, with `-` for runs
    of `-`, `_` and `.`.
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def entries(text: str) -> Iterator[str]:
    """Yield the lines of a lock that are requirements, in its order."""
    return (line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))


def pins(text: str) -> dict[str, Pin]:
    """Return the releases that a lock's `text` pins with `==`, by canonical name, in its order;
    ranges are left out.
    """
    pinned = (
        Pin(*(part.strip() for part in line.split("=="))) for line in entries(text) if "==" in line
    )
    return {canonical(pin.name): pin for pin in pinned}


def checksums(text: str) -> dict[str, str]:
    """Return the sha256 of each file that lines of `sha256sum` list (`sha256  file name`), by file
    name.

    Raises ValueError for a line of another form.
    """
    listed = {}
    for line in entries(text):
        if not (parts := re.fullmatch(r"([0-9a-f]{64})  (\S+)", line)):
            raise ValueError(f"not a sha256, two spaces and a file name: {line[:100]!r}")
        listed[parts[2]] = parts[1]
    return listed


def differing(
    report: Mapping[str, Any], pinned: Mapping[str, Pin], listed: Mapping[str, str]
) -> list[str]:
    """Return what pip's `report` says was installed for `pinned` distributions from a file that is
    not `listed`.

    One text each: `NAME VERSION: FILE has sha256 X, Y is listed`. Raises KeyError or TypeError for
    a report that pip did not write.
    """
    different = []
    for item in report["install"]:
        name, version = item["metadata"]["name"], item["metadata"]["version"]
        if canonical(name) not in pinned:
            continue
        place = item["download_info"]
        file = unquote(urlsplit(place["url"]).path).rpartition("/")[2]
        sha256 = _sha256(place.get("archive_info", {}))
        if sha256 != listed.get(file):
            different.append(
                f"{name} {version}: {file} has sha256 {sha256[:12]}, "
                f"{listed.get(file, 'none')[:12]} is listed"
            )
    return different


def others(report: Mapping[str, Any], names: Collection[str]) -> list[str]:
    """Return what pip's `report` says was installed beside the distributions of these names, as
    `NAME VERSION`.
    """
    installed = [item["metadata"] for item in report["install"]]
    allowed = {canonical(name) for name in names}
    return [
        f"{one['name']} {one['version']}"
        for one in installed
        if canonical(one["name"]) not in allowed
    ]


def _sha256(archive: Mapping[str, Any]) -> str:
    """Return the checksum of a file as pip reports it (before pip 23 in `hash` alone); `unknown`
    if it has none.
    """
    return str(
        archive.get("hashes", {}).get("sha256")
        or archive.get("hash", "").partition("sha256=")[2]
        or "unknown"
    )


def verdict(
    report: Path, names: Collection[str] = (), lock: Path = LOCK, listing: Path = CHECKSUMS
) -> str:
    """Return one line on what pip's `report` has that may not be used; empty where there is nothing
    of that.

    That is a file of a pinned release that is not listed, or, where `names` are given, another
    distribution.
    """
    try:
        pinned = pins(lock.read_text(encoding="utf-8"))
        listed = checksums(listing.read_text(encoding="utf-8"))
        content = json.loads(report.read_text(encoding="utf-8"))
        different = differing(content, pinned, listed)
        more = f" (and {len(different) - 1} more)" if len(different) > 1 else ""
        if different:
            return (
                f"a file is not the one that was pinned: {different[0]} in "
                f"{listing.name}{more}. Another index"
                " (PIP_INDEX_URL) may have it; an active environment of your own is used as it is"
            )
        if names and (beside := others(content, names)):
            return f"torch's index gave {beside[0]}, and may serve {' and '.join(names)} alone"
    except OSError as error:
        return f"{error.filename} cannot be read: {error.strerror}"
    except (ValueError, KeyError, TypeError) as error:
        return f"{report.name} or {listing.name} cannot be read: {error}"
    return ""


def main(arguments: Sequence[str]) -> int:
    """Do what the module's head says, and return the exit code."""
    first, *names = arguments
    if altered := verdict(Path(first), names):
        print(altered)
    return 1 if altered else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
