"""Sizes of the group."""

from pydantic import PositiveInt

from analysis.settings import Seeded
from verdicts.claims.sizes import Numbers


class Settings(Seeded):
    """Numbers of random (u, b) and of particles; the step on the mixture; condition numbers."""

    points: PositiveInt = 400
    particles: PositiveInt = 100_000
    mixture_step: float = 0.001
    conditions: Numbers = (1e2, 1e3, 1e4, 1e5, 1e6)
