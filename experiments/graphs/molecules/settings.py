"""Sizes of the set of molecules."""

from pydantic import NonNegativeInt, PositiveInt

from verdicts.validation import Frozen


class Settings(Frozen):
    """Numbers of sampled molecules, of steps, and of `real` molecules that they are compared with.

    The molecules are shared among `seeds` runs, from `seed` on.
    A batch of the sampler holds the molecules of one run.
    """

    samples: PositiveInt = 500
    steps: PositiveInt = 200
    real: PositiveInt = 500
    seeds: PositiveInt = 2
    seed: NonNegativeInt = 2405
