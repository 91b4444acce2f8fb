"""Sizes of the group."""

from pydantic import PositiveInt

from analysis.settings import Seeded


class Settings(Seeded):
    """`batches` of `batch` samples of each of the two runs."""

    batches: PositiveInt = 64
    batch: PositiveInt = 256
