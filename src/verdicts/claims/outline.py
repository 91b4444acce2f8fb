"""The schema of `paper/outline.toml`: what is claimed by others, and the parts of the report."""

from pydantic import Field

from verdicts.validation import Frozen

OUTLINE = "paper/outline.toml"


class StatedClaim(Frozen):
    """A claim of the work under test, in one sentence; the suite's own claims name it by its `id`."""

    id: str
    text: str


class Part(Frozen):
    """A part of the report; groups name it by its `id`."""

    id: str
    title: str


class Outline(Frozen):
    """`paper/outline.toml`: the claims under test as their authors state them, the parts of the report.

    `subject` names the work under test in every figure and table; groups lie in the folders `rooms`.
    """

    subject: str
    rooms: tuple[str, ...] = ("analysis", "experiments")
    part: tuple[Part, ...] = Field(min_length=1)
    claim: tuple[StatedClaim, ...] = ()

    @property
    def parts(self) -> dict[str, str]:
        """Return the parts' titles by id, in the report's order."""
        return {part.id: part.title for part in self.part}

    @property
    def stated(self) -> dict[str, str]:
        """Return the stated claims' texts by id, in order."""
        return {claim.id: claim.text for claim in self.claim}
