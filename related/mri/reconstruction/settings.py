"""Sizes of the group."""

from pydantic import BaseModel, NonNegativeInt, PositiveInt

from related.mri.train import BUDGET
from verdicts.claims.sizes import Sizes


class Settings(BaseModel, frozen=True, extra="forbid"):
    """Of each test subject `slices` T1 slices are reconstructed, by samplers at `budgets` evaluations; `seed` fixes
    noise and starts.
    """

    slices: PositiveInt = 6
    budgets: Sizes = (BUDGET, 100)
    seed: NonNegativeInt = 2405
