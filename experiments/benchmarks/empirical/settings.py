"""Sizes of the benchmark of a data set's score."""

from pydantic import PositiveInt

from experiments.benchmarks.timing import Pairs, TimingSettings


class Settings(TimingSettings):
    """Points and dimension of MNIST, the batch, the noise level, and the fewer points that memory is compared at."""

    points: PositiveInt = 60_000
    fewer: PositiveInt = 20_000
    dimension: PositiveInt = 784
    batch: PositiveInt = 256
    sigma: float = 1.0
    pairs: Pairs = 25
