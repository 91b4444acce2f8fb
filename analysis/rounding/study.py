"""What the group computes once: the values of the second implementation."""

from collections.abc import Iterator

from analysis.rounding import second
from analysis.rounding.settings import Settings
from verdicts.records.files import sha256_of
from verdicts.studies import Cell


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield the one cell that S2 reads, where the settings ask for it."""
    if settings.second:
        yield second.second_values.cell(sha256_of(second.PROGRAM.read_bytes()))
