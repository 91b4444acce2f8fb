"""A section that a tool of the suite adds to the report: a text and a table, dated, with the files that it rests on."""

from typing import NamedTuple

from verdicts.records.figures import Table
from verdicts.records.files import Checksummed
from verdicts.records.workspace import Workspace

FOLDER = "sections"
KEPT = "paper/expected/sections"


class Section(Checksummed):
    """What a tool found; `command` makes it again, `sources` are the digests of the files that it depends on.

    Files are named from the repository, or from a root of its Python path (`src`).
    """

    id: str
    title: str
    text: str
    table: Table
    command: str
    started: str
    sources: dict[str, str]


class SectionView(NamedTuple):
    """A section, how many of its sources have changed since, and whether it is one that was kept."""

    section: Section
    changed: int
    kept: bool


def sections_of(workspace: Workspace) -> list[SectionView]:
    """Return the sections of the results, of this profile and of all; where there is none of an id, the one kept."""
    places = [workspace.root / KEPT, workspace.folder.parent / FOLDER, workspace.folder / FOLDER]
    newest: dict[str, SectionView] = {}
    for place in places:
        for path in sorted(place.glob("*.json")):
            if (section := Section.read_or_none(path)) and section.started:  # else nothing was tried
                changed = sum(digest != workspace.digest_of(name) for name, digest in section.sources.items())
                newest[section.id] = SectionView(section, changed, place == places[0])
    return list(newest.values())
