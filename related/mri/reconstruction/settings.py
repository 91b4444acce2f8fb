"""Sizes of the group."""

from pydantic import NonNegativeInt, PositiveInt

from related.mri.train import BUDGET
from verdicts.claims.sizes import Sizes
from verdicts.validation import Frozen


class Settings(Frozen):
    """Of each test subject `slices` T1 slices are reconstructed, by samplers at `budgets` evaluations; `seed` fixes
    noise and starts.
    """

    slices: PositiveInt = 6
    budgets: Sizes = (BUDGET, 100)
    seed: NonNegativeInt = 2405
