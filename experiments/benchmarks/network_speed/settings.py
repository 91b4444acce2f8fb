"""Sizes of the benchmark of a network computed in several ways."""

from pydantic import PositiveInt

from experiments.benchmarks.timing import Pairs, TimingSettings


class Settings(TimingSettings):
    """Images of a batch; timed pairs; score evaluations and images of the runs whose samples are compared."""

    batch: PositiveInt = 64
    pairs: Pairs = 11
    budget: PositiveInt = 50
    images: PositiveInt = 32
