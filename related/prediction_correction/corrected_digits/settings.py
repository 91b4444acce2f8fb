"""Sizes of the group."""

from pydantic import NonNegativeInt, PositiveInt

from verdicts.validation import Frozen


class Settings(Frozen):
    """`batches` of `batch` samples of each of the two runs."""

    batches: PositiveInt = 64
    batch: PositiveInt = 256
    seed: NonNegativeInt = 2405
