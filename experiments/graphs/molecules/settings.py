"""Sizes of the molecule sets."""

from typing import Literal, NamedTuple

from pydantic import Field, NonNegativeInt, PositiveInt

from verdicts.validation import Frozen


class Sizes(NamedTuple):
    """Numbers of generated molecules, of steps, and of the real molecules that they are compared with."""

    molecules: int
    steps: int
    real: int


class Settings(Frozen):
    """For each set the number of molecules, of steps, and of real molecules; `sets` are those that are generated.

    The molecules are shared among `seeds` runs, from `seed` on: a batch of the sampler holds the molecules of one run.
    """

    sets: tuple[Literal["QM9", "ZINC250k"], ...] = Field(("QM9", "ZINC250k"), min_length=1)
    qm9: tuple[PositiveInt, PositiveInt, PositiveInt] = (500, 200, 500)
    zinc250k: tuple[PositiveInt, PositiveInt, PositiveInt] = (10, 1000, 100)
    seeds: PositiveInt = 2
    seed: NonNegativeInt = 2405

    def of(self, name: str) -> Sizes:
        """Return the sizes of a set."""
        return Sizes(*getattr(self, name.lower()))
