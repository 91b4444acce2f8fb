"""Sizes of the trace checks."""

from pydantic import BaseModel, ConfigDict

from verdicts.claims.sizes import Sizes


class Settings(BaseModel):
    """`levels`: the numbers of steps over whose times sigma is compared."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    levels: Sizes = (100, 200, 500, 1000)
