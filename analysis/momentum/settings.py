"""Sizes of the group."""

from pydantic import PositiveInt

from analysis.settings import Seeded


class Settings(Seeded):
    """Numbers of random (u, b) and of particles; the step on the mixture."""

    points: PositiveInt = 400
    particles: PositiveInt = 100_000
    mixture_step: float = 0.001
