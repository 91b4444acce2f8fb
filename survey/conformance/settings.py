"""Which samplers and reported bugs the survey judges, and at which numbers of steps."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from verdicts.validation import Frozen


class Settings(Frozen):
    """The rows of `survey.toml` up to a profile, and the numbers of steps from which orders are
    fitted.
    """

    rows: Literal["quick", "cpu", "full"] = "quick"
    bugs: bool = False
    """Whether the corpus of reported bugs is judged too."""
    steps: Annotated[tuple[PositiveInt, ...], Field(min_length=6)] = (24, 36, 48, 72, 96, 144)
