"""Sizes of the group."""

from pydantic import PositiveInt

from analysis.settings import Seeded


class Settings(Seeded):
    """`errors` random diffusions of N1, `climbers` ascents of `ascents` moves each that try to exceed its bound.

    `targets` random Gaussians of the fixed-time claims (N1b).
    """

    errors: PositiveInt = 20_000
    climbers: PositiveInt = 300
    ascents: PositiveInt = 60
    targets: PositiveInt = 30
