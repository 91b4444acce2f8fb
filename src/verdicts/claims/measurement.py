"""What a check returns, and how it says that it cannot."""

from collections.abc import Mapping
from typing import ClassVar, Self

from pydantic import JsonValue, model_validator

from verdicts.validation import Frozen


class Unavailable(Exception):
    """A file, a device or data that a check needs are not there: the claim is `not run`, with this text as reason.

    Any exception with a true attribute `not_run` counts so; thus a library of mathematics need not know this engine.
    It is tried again at each run, unless it is `settled`: no change but of the check's code or settings can help.
    `missing` names the file, package or device in a word or two, `remedy` says in one clause how to have it: a run
    lists by them what it could not do.
    """

    not_run: ClassVar[bool] = True
    settled: bool = False

    def __init__(self, reason: str = "", missing: str = "", remedy: str = "") -> None:
        super().__init__(reason)
        self.missing, self.remedy = missing, remedy


class NotBuilt(Unavailable):
    """The suite itself lacks what a check needs."""

    settled = True


class InsufficientData(Unavailable):
    """The data that these settings give do not tell what is asked: every number may be the answer."""

    settled = True


class Measurement(Frozen):
    """One measured quantity.

    `low` and `high` bound it (both or neither; without them the value is exact: `low = high = value`); `n` is the
    number of independent observations behind it and `seeds` are all the seeds that were used; `unit` is empty for
    a pure number; `detail` holds whatever else is worth a reader's while, as JSON. A boolean counts as 0 or 1.

    Raises ValidationError for a NaN or an infinity, half an interval, or an interval that misses the value.
    """

    value: float
    low: float | None = None
    high: float | None = None
    n: int | None = None
    seeds: tuple[int, ...] = ()
    unit: str = ""
    detail: Mapping[str, JsonValue] = {}

    @model_validator(mode="after")
    def _interval_holds_value(self) -> Self:
        if (self.low is None) != (self.high is None):
            raise ValueError(f"half an interval: low={self.low}, high={self.high}; give both or neither")
        low, high = self.interval
        if not low <= self.value <= high:
            raise ValueError(f"the interval [{low}, {high}] does not hold the value {self.value}")
        return self

    @property
    def interval(self) -> tuple[float, float]:
        """Return `(low, high)`, which is `(value, value)` for an exact measurement."""
        if self.low is None or self.high is None:
            return self.value, self.value
        return self.low, self.high
