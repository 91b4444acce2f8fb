"""Which studies are looked at, and for how long."""

from pydantic import PositiveFloat

from experiments.benchmarks.timing import TimingSettings


class Settings(TimingSettings):
    """Studies that took at least `least` seconds; cells of each are computed for `seconds`, one at least."""

    least: PositiveFloat = 25.0
    seconds: PositiveFloat = 5.0
    interval: PositiveFloat = 0.005
