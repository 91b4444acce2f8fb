"""Sizes of the comparison with other libraries."""

from experiments.benchmarks.loop import settings as loop
from experiments.benchmarks.timing import Pairs


class Settings(loop.Settings):
    """Shapes of the state, batch first, with the steps of a run of each."""

    pairs: Pairs = 31
