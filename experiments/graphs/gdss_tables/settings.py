"""Sizes of the published table: how many graphs of each set, in how many steps."""

from pydantic import NonNegativeInt, PositiveInt

from verdicts.validation import Frozen


class Settings(Frozen):
    """Numbers of sampled graphs of each set, of steps, and of `draws` of real graphs for the floor.

    The graphs are shared among `seeds` runs, from `seed` on.
    A batch of the sampler holds the graphs of one run.
    """

    samples: PositiveInt = 128
    steps: PositiveInt = 1000
    draws: PositiveInt = 2000
    seeds: PositiveInt = 2
    seed: NonNegativeInt = 2405
