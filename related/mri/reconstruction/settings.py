"""Sizes of the group."""

from pydantic import PositiveInt

from analysis.settings import Seeded
from related.mri.train import BUDGET
from verdicts.claims.sizes import Sizes


class Settings(Seeded):
    """Of each test subject `slices` T1 slices are reconstructed, by samplers at `budgets`
    evaluations; `seed` fixes noise and starts.
    """

    slices: PositiveInt = 6
    budgets: Sizes = (BUDGET, 100)
