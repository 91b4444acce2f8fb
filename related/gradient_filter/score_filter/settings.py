"""Sizes of the group."""

from pydantic import PositiveInt

from analysis.settings import Seeded


class Settings(Seeded):
    """`gains` that are tried per momentum coefficient; `groups` of `particles` each run SGDF's
    own gain (N3).
    """

    gains: PositiveInt = 12
    groups: PositiveInt = 8
    particles: PositiveInt = 1000
