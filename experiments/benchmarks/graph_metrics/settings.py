"""Sizes of the benchmark of graph metrics."""

from pydantic import PositiveInt

from experiments.benchmarks.timing import Pairs, TimingSettings


class Settings(TimingSettings):
    """Graphs of a set, a multiple of 32."""

    graphs: PositiveInt = 128
    pairs: Pairs = 12
