"""Sizes of the benchmark of sampling with a network."""

from pydantic import PositiveInt

from experiments.benchmarks.timing import Pairs, TimingSettings


class Settings(TimingSettings):
    """Samples of a batch, score evaluations of a run, timed runs."""

    batch: PositiveInt = 256
    budget: PositiveInt = 11
    runs: Pairs = 11
