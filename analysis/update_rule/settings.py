"""Sizes of the group."""

from pydantic import PositiveInt

from analysis.settings import Seeded
from verdicts.claims.sizes import Numbers, Sizes


class Settings(Seeded):
    """The deltas and steps of P3, budgets (NFE) of its annealed part; R3's batch; R4's and R5's
    numbers of levels.

    `enclosed` says whether P3's numbers are proved.
    """

    deltas: Numbers = (1e-6, 1e-5, 1e-4, 1e-3)
    steps: Numbers = (1e-5, 1e-4, 1e-3, 1e-2, 0.1, 0.3)
    budgets: Sizes = (50, 150, 500)
    repeats: PositiveInt = 5
    batch: PositiveInt = 64
    levels: Sizes = (30, 100, 300)
    enclosed: bool = True
