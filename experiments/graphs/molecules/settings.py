"""Sizes of the set of molecules."""

from pydantic import NonNegativeInt, PositiveInt

from verdicts.validation import Frozen


class Settings(Frozen):
    """Numbers of molecules, of steps, and of the `real` molecules that they are compared with.

    The molecules are shared among `seeds` runs, from `seed` on: a batch of the sampler holds the molecules of one run.
    """

    molecules: PositiveInt = 500
    steps: PositiveInt = 200
    real: PositiveInt = 500
    seeds: PositiveInt = 2
    seed: NonNegativeInt = 2405
