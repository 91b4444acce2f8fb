"""The schema of a check: a quantity against its bound, to within a tolerance, by a function of its
group.
"""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import ConfigDict, Field, JsonValue, Strict, field_validator, model_validator

from verdicts.validation import Frozen

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.-]*$")]
Number = Annotated[float, Strict()]  # `true` is no number


class Relation(StrEnum):
    """How the quantity is claimed to stand to its bound."""

    EQUAL = "="
    AT_MOST = "<="
    AT_LEAST = ">="


BUDGET = 1e-4
"""The false-alarm budget of which checks by Monte Carlo, and tests, spend a `share`."""
MISS = 0.01
"""How often an interval misses the true value, half of it on either side."""
DRAWN = ("Monte Carlo", "stated margin, drawn")
"""Where the tolerance of what is drawn comes from, so that draws can decide wrongly."""
OF_QUERY = "Monte Carlo: Student's test over batches"
"""Where the tolerance of a query comes from that does not say otherwise."""
ORIGINS = (
    "algebra",
    "exact law",
    "rounding",
    "quadrature",
    "Monte Carlo",
    "printed digits",
    "stated margin",
    "stated margin, drawn",
)


class Check(Frozen):
    """`quantity relation bound`, to within `tolerance` (in `unit`), which comes from `origin`.

    `share` is what a check by Monte Carlo spends of the suite's false-alarm budget. `alarm` bounds
    its false-alarm rate where neither that nor one interval of `MISS` does: where several
    comparisons decide, k times `MISS / 2`. `measure` names what measures it, as `module.function`
    of the group, called with the group's settings (where it takes `settings`) and the arguments
    `with`; or a query, called with the group's table and these. A query needs no `tolerance` and no
    `origin`. `enclosed` names a function of the group, called as `measure` is, that proves the
    number: its measurement has an enclosure; or None where these settings are not enclosed.
    """

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    id: Identifier
    quantity: str
    relation: Relation
    bound: Number
    tolerance: Number = Field(default=0.0, ge=0)
    origin: str = OF_QUERY
    unit: str = ""
    share: Number | None = Field(default=None, gt=0, le=1)
    alarm: Number | None = Field(default=None, gt=0, le=1)
    measure: str = Field(pattern=r"^([a-z]\w*\.)?[a-z]\w*$")
    enclosed: str | None = Field(default=None, pattern=r"^[a-z]\w*\.[a-z]\w*$")
    arguments: dict[str, JsonValue] = Field(default={}, alias="with")

    def __hash__(self) -> int:
        return hash(self.id)

    @field_validator("origin")
    @classmethod
    def _origin_is_known(cls, origin: str) -> str:
        if _kind(origin) not in ORIGINS:
            raise ValueError(f"expected one of {', '.join(ORIGINS)}, free text after a colon")
        return origin

    @model_validator(mode="after")
    def _functions_say_what_queries_imply(self) -> Self:
        missing = [name for name in ("tolerance", "origin") if name not in self.model_fields_set]
        if missing and not self.is_query:
            raise ValueError(f"check {self.id}: `{missing[0]}` is missing")
        return self

    @property
    def functions(self) -> tuple[str, ...]:
        """Return what the check calls, as `module.function`."""
        return (self.measure, self.enclosed) if self.enclosed else (self.measure,)

    @property
    def is_query(self) -> bool:
        """Return whether it is measured by a query of its group's table."""
        return "." not in self.measure

    @property
    def by_monte_carlo(self) -> bool:
        """Return whether the tolerance comes from Monte Carlo: another seed gives another value."""
        return _kind(self.origin) == "Monte Carlo"

    @property
    def false_alarm(self) -> float:
        """Return the largest probability that draws refute what is true; 0 where nothing is
        drawn.
        """
        if self.alarm is not None:
            return self.alarm
        if self.share is not None:
            return self.share * BUDGET
        return (_kind(self.origin) in DRAWN) * (
            MISS if self.relation is Relation.EQUAL else MISS / 2
        )

    @property
    def false_confirmation(self) -> float:
        """Return the largest probability that draws confirm what is false; 0 where nothing is
        drawn.

        The worst false value lies just beyond the bound. Its whole interval then lies on the
        claimed side as often as an interval misses to that side; an equality has two sides to be
        refuted on, and one to be confirmed from.
        """
        one_sided = (
            self.relation is not Relation.EQUAL or self.alarm is not None or self.share is not None
        )
        return self.false_alarm if one_sided else self.false_alarm / 2


def _kind(origin: str) -> str:
    """Return where a tolerance comes from, without the free text after a colon."""
    return origin.partition(":")[0].strip()
