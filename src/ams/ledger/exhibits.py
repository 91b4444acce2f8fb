"""The schema of `paper/exhibits.toml`: each figure and table of the paper, and what stands for it here."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from ams.ledger.claims import Profile


class Status(StrEnum):
    """How much of an exhibit of the paper stands here."""

    REPRODUCED = "reproduced"
    SCALED = "scaled"
    NOT_HERE = "not here"


class Exhibit(BaseModel):
    """One figure or table of the paper.

    `what` says what it shows there, `here` names the claims, figures and tables that stand for it, `scaling` how they
    are smaller, `reason` why something is missing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    title: str
    what: str
    here: tuple[str, ...] = ()
    status: Status
    profile: Profile | None = None
    scaling: str = ""
    reason: str = ""


class Exhibits(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    exhibit: tuple[Exhibit, ...] = ()
