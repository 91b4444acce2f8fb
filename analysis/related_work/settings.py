"""Sizes of the group."""

from pydantic import PositiveInt

from analysis.settings import Seeded
from verdicts.claims.sizes import Numbers, Sizes


class Settings(Seeded):
    """`errors` random diffusions of N1, `climbers` ascents of `ascents` moves each that try to exceed its bound.

    `targets` random Gaussians of the fixed-time claims (N1b); `cases` random schedules, spectra and scores of the path
    bound (N2); `counts` the steps of its orders; `budgets` and `sizes` the steps and score errors over which noise
    schedules are compared (N2b); `gains` the gains that are tried per momentum coefficient (N3); `groups` of
    `particles` each run SGDF's own gain.
    """

    errors: PositiveInt = 20_000
    climbers: PositiveInt = 300
    ascents: PositiveInt = 60
    targets: PositiveInt = 30
    cases: PositiveInt = 200
    counts: Sizes = (200, 400, 800, 1600, 3200)
    budgets: Sizes = (20, 50, 100, 200)
    sizes: Numbers = (0.0, 0.03, 0.1, 0.3, 1.0)
    gains: PositiveInt = 12
    groups: PositiveInt = 8
    particles: PositiveInt = 1000
