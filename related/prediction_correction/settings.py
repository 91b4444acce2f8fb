"""Sizes of the group."""

from pydantic import PositiveInt

from analysis.settings import Seeded
from verdicts.claims.sizes import Numbers, Sizes


class Settings(Seeded):
    """`errors` random diffusions of N1, `climbers` ascents of `ascents` moves each that try to
    exceed its bound.

    `targets` random Gaussians of the fixed-time claims (N1b). At equal cost (N1c, N1d) the score's
    errors are `score_errors`; `times` T1 are tried with corrections, whose numbers are
    `corrections`, and thrice as many for the flow alone. `truncated` random score errors of the L2
    bound (N1).
    """

    errors: PositiveInt = 20_000
    climbers: PositiveInt = 300
    ascents: PositiveInt = 60
    targets: PositiveInt = 30
    score_errors: Numbers = (0.0, 1e-4, 1e-3, 1e-2, 3e-2, 1e-1)
    times: PositiveInt = 14
    corrections: Sizes = (2, 4, 8, 12, 16, 20, 24, 28, 32, 35, 38)
    truncated: PositiveInt = 60
