"""Sizes of the runs on real digits with their exact score."""

from itertools import product

from pydantic import NonNegativeInt, PositiveInt

from ams.samplers.presets import AUTHORS, Hyperparameters
from experiments.images.exact import BASELINE, DOUBLED, PAPER, ExactSettings
from experiments.images.runs import BatchSetup
from verdicts.claims.sizes import Numbers, Sizes

CONSTANT, REVERSE = "Langevin, drift x1.5", "reverse diffusion"


class Settings(ExactSettings):
    """Annealed Langevin and adaptive momentum run at `past` evaluations too (0: not); RK45 at
    `tolerances`.

    D1b's comparison at twice the evaluations is made on `fresh` batches, on which nobody looked.

    Reverse diffusion runs at `reverse` too. D3 compares it with adaptive momentum on `more` batches
    besides the others, on as many of which the minor mode is counted.

    On all these batches D1b reads how many evaluations annealed Langevin needs for the KL that
    adaptive momentum has at each of `equalled`: between its budgets and those `between`.

    `tuned_samplers` are tuned at each of `tuned`, over `factors` (of NCSNv2's step) times `repeats`
    (T) and what leaves two noise levels, on `trials` batches that measure nothing else. The minor
    mode is counted at `rare` evaluations, on `rare_batch` samples a batch.
    """

    past: NonNegativeInt = 0
    reverse: tuple[PositiveInt, ...] = ()
    more: NonNegativeInt = 0
    fresh: NonNegativeInt = 0
    equalled: tuple[PositiveInt, ...] = ()
    between: tuple[PositiveInt, ...] = ()
    tolerances: tuple[float, ...] = ()
    tuned_samplers: tuple[str, ...] = (BASELINE, PAPER, CONSTANT)
    tuned: tuple[PositiveInt, ...] = ()
    factors: Numbers = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0)
    repeats: Sizes = (1, 2, 5, 10, 20)
    trials: PositiveInt = 3
    rare: PositiveInt = 150
    rare_batch: PositiveInt = 128
    rare_samplers: tuple[str, ...] = (BASELINE, DOUBLED)

    @property
    def rare_setup(self) -> BatchSetup:
        """Return what the batches share on which the minor mode is counted."""
        return self.setup._replace(size=self.rare_batch)

    def budgets_of(self, sampler: str) -> tuple[int, ...]:
        """Return a sampler's budgets, each once."""
        past = (self.past,) if self.past and sampler in (BASELINE, PAPER) else ()
        reverse = self.reverse if sampler == REVERSE else ()
        return tuple(dict.fromkeys(super().budgets_of(sampler) + past + reverse))

    @property
    def baseline_budgets(self) -> list[int]:
        """Return annealed Langevin's budgets between which its evaluations at equal KL are read."""
        return sorted({*self.budgets_of(BASELINE), *self.between})

    @property
    def small(self) -> list[int]:
        """Return the budgets called small: 20 to 60 evaluations."""
        return [budget for budget in self.budgets if 20 <= budget <= 60]

    def grid(self, budget: int) -> tuple[Hyperparameters, ...]:
        """Return what tuning tries at a budget."""
        pairs = product(self.repeats_at(budget), self.factors)
        return tuple(AUTHORS._replace(factor=factor, repeats=repeats) for repeats, factor in pairs)

    def repeats_at(self, budget: int) -> list[int]:
        """Return the steps per noise level that tuning tries at a budget, rising: the last leave
        two noise levels.
        """
        return sorted({each for each in self.repeats if each < budget // 2} | {budget // 2})
