"""Sizes of the benchmark of graph sampling."""

from pydantic import PositiveInt

from experiments.benchmarks.timing import Pairs, TimingSettings


class Settings(TimingSettings):
    """Graphs of a batch by data set; steps of a run."""

    community_small: PositiveInt = 128
    ego_small: PositiveInt = 128
    enzymes: PositiveInt = 32
    steps: PositiveInt = 4
    pairs: Pairs = 11
