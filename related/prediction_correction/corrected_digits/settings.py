"""Sizes of the group."""

from pydantic import BaseModel, NonNegativeInt, PositiveInt


class Settings(BaseModel, frozen=True, extra="forbid"):
    """`batches` of `batch` samples of each of the two runs."""

    batches: PositiveInt = 64
    batch: PositiveInt = 256
    seed: NonNegativeInt = 2405
