"""Sizes at which growth is measured."""

from pydantic import PositiveInt

from experiments.benchmarks.timing import TimingSettings
from verdicts.claims.sizes import Sizes


class Settings(TimingSettings):
    """Sizes of each quantity, three or more; runs at each size."""

    batches: Sizes = (128, 192, 256, 384, 512, 768, 1024)
    dimensions: Sizes = (128, 192, 256, 384, 512, 768, 1024)
    steps: Sizes = (100, 200, 400, 800, 1600)
    points: Sizes = (4000, 8000, 16000, 32000, 64000)
    directions: Sizes = (4096, 8192, 16384, 32768, 65536)
    runs: PositiveInt = 9
