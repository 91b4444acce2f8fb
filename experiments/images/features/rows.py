"""Rows of results that carry what their numbers depend on, and refuse to be compared where that differs.

A Frechet distance of 512 samples is no smaller than one of 5000 because a sampler is better; nor are numbers of another
reference, another extractor, or of samples that were denoised at the end and others that were not.
"""

from collections.abc import Sequence
from typing import Self

from pydantic import BaseModel, ConfigDict

from verdicts.records.figures import Cell


class Incomparable(ValueError):
    """Two rows that say different things; the message names what differs."""


class Conditions(BaseModel):
    """What a number depends on beside the sampler: samples `n` a set, the reference and its size, the extractor by name
    and checksum, whether samples were denoised at the end."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n: int
    reference: str
    reference_n: int
    extractor: str
    sha256: str
    denoised: bool

    def refuse_other(self, other: Self) -> None:
        """Raise Incomparable unless `other` is equal."""
        for name, value in self:
            if value != (theirs := getattr(other, name)):
                raise Incomparable(f"rows cannot be compared: {name} is {value!r} in one, {theirs!r} in the other")


class Row(BaseModel):
    """A sampler's number at a budget, with its interval over independent sets."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    sampler: str
    nfe: int
    quantity: str
    value: float
    low: float
    high: float
    sets: int
    conditions: Conditions

    def minus(self, other: Self) -> float:
        """Return this row's value less the other's. Raises Incomparable."""
        if self.quantity != other.quantity:
            raise Incomparable(f"rows cannot be compared: {self.quantity} and {other.quantity}")
        self.conditions.refuse_other(other.conditions)
        return self.value - other.value

    def cells(self) -> tuple[Cell, ...]:
        """Return the row for a table, its conditions in full but for the checksum, of which 12 digits are given."""
        c = self.conditions
        whole = (self.sampler, self.nfe, self.quantity, self.value, self.low, self.high, self.sets, c.n)
        return (*whole, c.reference, c.reference_n, c.extractor, c.sha256[:12], "yes" if c.denoised else "no")


HEADER = (
    "sampler",
    "NFE",
    "quantity",
    "value",
    "low",
    "high",
    "sets",
    "n",
    "reference",
    "its n",
    "extractor",
    "sha256",
    "denoised",
)


def comparable(rows: Sequence[Row]) -> Sequence[Row]:
    """Return the rows, all of one quantity under the same conditions. Raises Incomparable."""
    for row in rows[1:]:
        rows[0].minus(row)
    return rows


def ahead(rows: Sequence[Row]) -> Row:
    """Return the row with the least value. Raises Incomparable unless quantity and conditions are the same in all."""
    return min(comparable(rows), key=lambda row: row.value)
