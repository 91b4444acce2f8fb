"""Sizes of the particle loop's benchmark."""

from pydantic import PositiveInt

from experiments.benchmarks.timing import Pairs, TimingSettings
from verdicts.claims.sizes import Sizes


class Settings(TimingSettings):
    """Shapes of the state, batch first, with the steps of a run of each; many pairs, since runs are short."""

    image: Sizes = (64, 3, 32, 32)
    point: Sizes = (64, 2)
    image_steps: PositiveInt = 20
    point_steps: PositiveInt = 200
    pairs: Pairs = 201
