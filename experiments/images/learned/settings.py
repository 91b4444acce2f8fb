"""Sizes of the runs with the suite's own network."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

SAMPLERS = (
    "annealed Langevin",
    "Langevin, drift x2",
    "adaptive momentum",
    "PC, Langevin",
    "PC, adaptive",
    "reverse diffusion",
    "flow, Heun",
    "isothermal, e = 1/2",
)


class Settings(BaseModel):
    """Budgets (NFE), independent batches and samples in each, samplers; those run on the exact score too, and up to which
    budget; factors of the step among which annealed samplers are tuned; last noise level, images a row of the grid."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    budgets: tuple[int, ...] = (20, 60, 200)
    batches: int = 6
    batch: int = 96
    samplers: tuple[str, ...] = SAMPLERS
    compared: tuple[str, ...] = ("annealed Langevin", "Langevin, drift x2", "adaptive momentum", "flow, Heun")
    compared_budgets: tuple[int, ...] = (20, 200)
    factors: tuple[float, ...] = ()
    last_sigma: float = 0.05
    grid_budget: int = 60
    seed: int = 2405

    @property
    def small(self) -> tuple[int, ...]:
        """Return the budgets called small: at most 60 evaluations."""
        return tuple(budget for budget in self.budgets if budget <= 60)
