"""Sizes of the runs with the suite's own network."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt

SAMPLERS = (
    "annealed Langevin",
    "Langevin, drift x2",
    "adaptive momentum",
    "PC, Langevin",
    "PC, adaptive",
    "reverse diffusion",
    "Heun ODE",
    "annealed BAOAB, e = 1/2",
)


class Settings(BaseModel):
    """Budgets (NFE), independent batches and samples in each, samplers; those run on the exact score too, and at which
    budgets; the last noise level; the budget of the grid of samples."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    budgets: tuple[PositiveInt, ...] = (20, 60, 120)
    batches: PositiveInt = 12
    batch: PositiveInt = 40
    samplers: tuple[str, ...] = SAMPLERS
    compared: tuple[str, ...] = ("annealed Langevin", "Langevin, drift x2", "adaptive momentum")
    compared_budgets: tuple[PositiveInt, ...] = (60,)
    last_sigma: float = 0.05
    grid_budget: PositiveInt = 60
    seed: NonNegativeInt = 2405
