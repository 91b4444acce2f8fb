"""Sizes of the group."""

from pydantic import NonNegativeInt, PositiveInt

from analysis.settings import Seeded
from verdicts.claims.sizes import Sizes


class Settings(Seeded):
    """`cases` random data sets and spectra of the exact claim N5; two-layer networks of `widths` on
    `points` points, `seeds` of each, trained for `steps` steps (N6); `budgets` steps of the
    samplers (N5, N7a); `networks` seeds of the network that three weights of the loss train for
    `updates` steps (N7).
    """

    cases: PositiveInt = 40
    widths: Sizes = (64, 256)
    points: Sizes = (32,)
    seeds: PositiveInt = 16
    steps: PositiveInt = 1000
    budgets: Sizes = (50,)
    networks: NonNegativeInt = 0
    updates: PositiveInt = 500
