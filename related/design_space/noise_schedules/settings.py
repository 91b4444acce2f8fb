"""Sizes of the group."""

from pydantic import PositiveInt

from analysis.settings import Seeded
from verdicts.claims.sizes import Numbers, Sizes


class Settings(Seeded):
    """`cases` random schedules, spectra and scores of the path bound (N2).

    `counts` the steps of its orders; `budgets` and `sizes` the steps and score errors over which
    noise schedules are compared (N2b).
    """

    cases: PositiveInt = 200
    counts: Sizes = (200, 400, 800, 1600, 3200)
    budgets: Sizes = (20, 50, 100, 200)
    sizes: Numbers = (0.0, 0.03, 0.1, 0.3, 1.0)
