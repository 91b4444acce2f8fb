"""Sizes of the group."""

from pydantic import PositiveInt

from analysis.settings import Seeded
from verdicts.claims.sizes import Names


class Settings(Seeded):
    """The run that is repeated: budget (NFE), batch, seed; the samplers that are compared.

    `second`: whether the second implementation runs, which takes a minute.
    """

    budget: PositiveInt = 60
    batch: PositiveInt = 64
    second: bool = True
    samplers: Names = ("annealed Langevin", "adaptive momentum", "PC, adaptive", "Heun ODE")
