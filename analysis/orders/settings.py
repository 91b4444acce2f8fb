"""Sizes of this group: sequences of halved steps, and the nodes of the laws."""

from pydantic import PositiveInt

from analysis.settings import Seeded
from verdicts.claims.sizes import Numbers


class Settings(Seeded):
    """The largest step of each sequence, the number of steps, and what the densities on grids take.

    `excess` is constant momentum's largest step by the excess variance that claim G4 gives it
    there, so that all its `betas` are equally near to their limits.
    """

    halvings: PositiveInt = 4
    langevin: float = 0.005
    averaged: float = 0.00125
    averaged_nodes: PositiveInt = 5
    excess: float = 0.0025
    betas: Numbers = (0.4, 0.8)
    constant_nodes: PositiveInt = 5
    adaptive: float = 3.125e-4
    adaptive_nodes: PositiveInt = 4
