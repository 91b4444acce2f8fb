"""Sizes of the group: none."""

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """This group has nothing to set."""

    model_config = ConfigDict(frozen=True, extra="forbid")
