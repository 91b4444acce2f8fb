"""Sizes of the group, the samplers, and the hyperparameters that the development target chose."""

from pydantic import PositiveInt

from ams.samplers.presets import AUTHORS, Hyperparameters
from analysis.settings import Seeded
from experiments.images.runs import BASELINE, PAPER
from verdicts.claims.sizes import Sizes

ANCESTRAL = "ancestral"
LARGER_DRIFT = "Langevin, drift x1.5"
"""A larger drift than annealed Langevin's, and no momentum."""
SAMPLERS = (BASELINE, PAPER, LARGER_DRIFT, ANCESTRAL)
HEADLINE = 50
"""The evaluations at which hyperparameters are chosen."""
LONG = 1000
"""The evaluations of the longest runs that claims compare."""
GROUPS = 8
"""The groups of a run's samples, each left out in turn for intervals."""


class Settings(Seeded):
    """Every sampler runs at `budgets` (NFE) with `samples` samples in `GROUPS` groups.

    Where claims compare runs there are more: eight times as many at 50 evaluations, twice as
    many at 1000.
    """

    budgets: Sizes = (20, HEADLINE, 100, 300, LONG)
    samples: PositiveInt = 1024

    def budgets_of(self, sampler: str) -> tuple[int, ...]:
        """Return the budgets of a sampler: no claim compares long runs of a larger drift."""
        return tuple(n for n in self.budgets if sampler != LARGER_DRIFT or n < LONG)

    def samples_at(self, budget: int) -> int:
        """Return the number of samples of a run of so many evaluations."""
        return self.samples * {HEADLINE: 8, LONG: 2}.get(budget, 1)


_STEPS = ((5, 1.0), (3, 1.0), (1, 1.0), (1, 2.0), (1, 3.0), (1, 4.0))
"""Steps per noise level, and factors of NCSNv2's step."""
_SCHEDULES = (0.0, 1.5, 2.0, 3.0, 5.0, 7.0)
"""Exponents of EDM's noise levels; 0 for geometric ones."""
_ANNEALED = [AUTHORS._replace(repeats=repeats, factor=factor) for repeats, factor in _STEPS]
TRIALS: dict[str, list[Hyperparameters]] = {
    BASELINE: _ANNEALED,
    PAPER: _ANNEALED,
    ANCESTRAL: [AUTHORS._replace(rho=rho) for rho in _SCHEDULES],
}
"""The six hyperparameters of a sampler that are tried on the development target."""
CHOSEN = {
    BASELINE: TRIALS[BASELINE][4],
    PAPER: TRIALS[PAPER][3],
    ANCESTRAL: TRIALS[ANCESTRAL][0],
    LARGER_DRIFT: AUTHORS._replace(repeats=1),
}
"""What is judged: the trial of least error on the development target. The drift is not tuned."""
