"""Sizes of the exact law's benchmark."""

from pydantic import PositiveInt

from experiments.benchmarks.timing import Pairs, TimingSettings


class Settings(TimingSettings):
    """Distinct directions and timed steps of the exact law; expected norms that are checked.

    The comparison with particles has directions and steps of its own. It times `particles` of them and scales their
    time to as many as reach the relative `error` of the variance.
    """

    directions: PositiveInt = 4096
    steps: PositiveInt = 25
    norms: PositiveInt = 4
    compared_directions: PositiveInt = 64
    compared_steps: PositiveInt = 10
    particles: PositiveInt = 4096
    error: float = 1e-3
    pairs: Pairs = 31
