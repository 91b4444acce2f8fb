"""What the survey computes once: the conformance kit's report on each sampler at each setting.

`survey.toml` names them. A library that is not installed has no cells: the rows of it are not run.
The version stands in a cell's arguments, so that another version of a library is another cell.
"""

import json
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from ams.errors import DataUnavailable
from samplercheck import adapters, conform

# Imported though `adapters.load` finds them by name: a cell's key has the sources of what its
# module imports.
from samplercheck.adapters import denoisers, schedulers  # noqa: F401
from survey import libraries
from survey.conformance import defects, trials
from survey.conformance.settings import Settings
from verdicts.studies import Cell, cell

PROFILES = ("quick", "cpu", "full")


class Row(NamedTuple):
    """A sampler at settings; `profile` is the least one that conforms it."""

    library: str
    sampler: str
    settings: dict[str, Any]
    profile: str

    @property
    def name(self) -> str:
        """Return sampler and settings in a line."""
        return " ".join([self.sampler, *(f"{key}={value}" for key, value in self.settings.items())])


@cache
def survey() -> tuple[Row, ...]:
    """Return all rows of the survey: those listed, and the samplers of more repositories, at
    their defaults.
    """
    content = tomllib.loads(Path(__file__).with_name("survey.toml").read_text())
    listed = [Row(library, *row) for library, rows in content.items() for row in rows]
    return (
        *listed,
        *(
            Row(name, each, {}, "full")
            for name, samplers in libraries.MORE.items()
            for each in samplers
        ),
    )


def rows(settings: Settings, library: str | None = None) -> list[Row]:
    """Return the rows of the settings, of one library or of all."""
    wanted = PROFILES[: PROFILES.index(settings.rows) + 1]
    return [row for row in survey() if row.profile in wanted and library in (None, row.library)]


@cell
def report(name: str, given: str, release: str, steps: tuple[int, ...]) -> dict[str, Any]:
    """The report on a sampler at settings, which `given` has as JSON, in one release of its
    library.
    """
    settings = json.loads(given)
    result = conform(adapters.load(name, settings), settings, steps)
    return {key: value for key, value in json.loads(result.json()).items() if key != "seconds"}


def reports(settings: Settings, library: str) -> list[tuple[Row, dict[str, Any]]]:
    """Return a library's rows with their reports.

    Raises DataUnavailable where it is not installed, or has no row at these settings.
    """
    release, chosen = adapters.release(library), rows(settings, library)
    if not chosen:
        raise DataUnavailable(
            f"no sampler of {library} is in the survey of the profile {settings.rows}"
        )
    return [(row, report(*_arguments(row, release, settings))) for row in chosen]


def _arguments(row: Row, release: str, settings: Settings) -> tuple[str, str, str, tuple[int, ...]]:
    return f"{row.library}:{row.sampler}", json.dumps(row.settings), release, settings.steps


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield a cell for each row of an installed library, each reported bug, blind sampler and
    defect of the profile.
    """
    release_of = cache(adapters.installed)
    yield from trials.cells(settings)
    for row in rows(settings):
        if (release := release_of(row.library)) is not None:
            yield report.cell(*_arguments(row, release, settings))
    for name, defect in defects.DEFECTS.items():
        release = release_of(defect.sampler.split(":")[0])
        if release is not None and PROFILES.index(defect.profile) <= PROFILES.index(settings.rows):
            patches = dict.fromkeys(["", defects.patch_of(name)])
            yield from (defects.effect.cell(name, release, patched) for patched in patches)
