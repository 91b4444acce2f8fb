"""Sizes of this group: the ladders of steps, each halved from rung to rung, and the nodes of the laws."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt

from verdicts.claims.sizes import Numbers


class Settings(BaseModel):
    """The largest step of each ladder, the rungs, and what the laws on grids and the particles take.

    `excess` is constant momentum's largest step by the excess temperature that claim G4 gives it there, so that all its
    `betas` are equally near to their limits; `friction` is BAOAB's, per unit of time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rungs: PositiveInt = 4
    langevin: float = 0.005
    averaged: float = 0.00125
    averaged_nodes: PositiveInt = 5
    excess: float = 0.0025
    betas: Numbers = (0.4, 0.8)
    constant_nodes: PositiveInt = 5
    kinetic: float = 0.005
    kinetic_nodes: PositiveInt = 8
    friction: float = 4.0
    adaptive: float = 3.125e-4
    adaptive_nodes: PositiveInt = 4
    particles: PositiveInt = 10_000
    particle_steps: PositiveInt = 3000
    seed: NonNegativeInt = 2405
