"""Sizes of the runs with the suite's own network."""

from pydantic import PositiveInt

from experiments.images.runs import BASELINE, DOUBLED, PAPER, RunSettings
from verdicts.claims.sizes import Names, Sizes

REVERSE, FLOW, BAOAB = "reverse diffusion", "Heun ODE", "annealed BAOAB, e = 1/2"
SOLVER = "SDE-DPM-Solver++"


class Settings(RunSettings):
    """Runs with the learned score. Annealed Langevin runs at `between` too.

    Samples are shown at `grid_budget` evaluations.
    """

    budgets: Sizes = (20, 60, 120)
    between: Sizes = (30,)
    batches: PositiveInt = 12
    batch: PositiveInt = 40
    samplers: Names = (
        BASELINE,
        DOUBLED,
        PAPER,
        "PC, Langevin",
        "PC, adaptive",
        REVERSE,
        FLOW,
        SOLVER,
        BAOAB,
    )
    grid_budget: PositiveInt = 20
