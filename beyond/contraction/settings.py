"""Sizes of the group."""

from pydantic import PositiveInt

from analysis.settings import Seeded


class Settings(Seeded):
    """Random chains (momentum coefficient, step, curvature); pairs of copies, and their steps, on
    other targets.

    For adaptive momentum: random spectra; random starts of its mean field.
    """

    points: PositiveInt = 2000
    pairs: PositiveInt = 200
    steps: PositiveInt = 300
    spectra: PositiveInt = 100
    starts: PositiveInt = 3
