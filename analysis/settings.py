"""What the settings of the groups here share."""

from pydantic import BaseModel, ConfigDict, NonNegativeInt


class Seeded(BaseModel):
    """Settings that nothing changes, without unknown fields, and the seed of a group's random numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: NonNegativeInt = 2405
