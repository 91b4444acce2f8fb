"""Sizes of the group."""

from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt

from verdicts.claims.sizes import Numbers


class Settings(BaseModel):
    """Numbers of random (u, b) and of particles; the step on the mixture; condition numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    points: PositiveInt = 400
    particles: PositiveInt = 100_000
    mixture_step: float = 0.001
    conditions: Numbers = (1e2, 1e3, 1e4, 1e5, 1e6)
    seed: NonNegativeInt = 2405
