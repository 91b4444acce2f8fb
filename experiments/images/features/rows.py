"""Rows of results that carry what their numbers depend on, and refuse to be compared where that differs.

A Frechet distance of 512 samples is larger than one of 5000 whatever the sampler. Numbers with another reference or
extractor, or of samples that were denoised and of samples that were not, do not compare either.
"""

from typing import Self

from pydantic import BaseModel, ConfigDict

from verdicts.records.figures import Cell


class Incomparable(ValueError):
    """Two rows whose quantities or conditions differ; the message names what does."""


class Conditions(BaseModel):
    """What a number depends on beside the sampler: samples `n` in a set, the reference and its size, the extractor by
    name and checksum, whether samples were denoised at the end."""

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
    """A quantity of a sampler at a budget, with its interval over independent sets."""

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
        """Return the row for a table, with 12 digits of the checksum."""
        c = self.conditions
        whole = (self.sampler, self.nfe, self.quantity, self.value, self.low, self.high, self.sets, c.n)
        return (*whole, c.reference, c.reference_n, c.extractor, c.sha256[:12], "yes" if c.denoised else "no")


HEADER = (
    *("sampler", "NFE", "quantity", "value", "low", "high", "sets", "n"),
    *("reference", "reference n", "extractor", "sha256", "denoised"),
)
