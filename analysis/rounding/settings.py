"""Sizes of the group."""

from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt

from verdicts.claims.sizes import Names


class Settings(BaseModel):
    """The run that is repeated: budget (NFE), batch, seed; the samplers that are compared."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    budget: PositiveInt = 60
    batch: PositiveInt = 64
    seed: NonNegativeInt = 2405
    samplers: Names = ("annealed Langevin", "adaptive momentum", "PC, adaptive", "Heun ODE")
