"""Sizes of the group."""

from pydantic import PositiveInt

from analysis.settings import Seeded
from verdicts.claims.sizes import Names


class Settings(Seeded):
    """The run that is repeated: budget (NFE), batch, seed; the samplers that are compared."""

    budget: PositiveInt = 60
    batch: PositiveInt = 64
    samplers: Names = ("annealed Langevin", "adaptive momentum", "PC, adaptive", "Heun ODE")
