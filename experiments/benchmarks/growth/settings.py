"""Sizes at which growth is measured."""

from pydantic import PositiveInt

from experiments.benchmarks.timing import TimingSettings
from verdicts.claims.sizes import Sizes
from verdicts.validation import Frozen


class Large(Frozen):
    """Sizes of T13: `few` steps of `batches` particles in `dimension`, the last of which is the claim's; `dimensions`
    and `steps` with `batch` particles. `runs` runs at each size."""

    dimension: PositiveInt = 64
    batches: Sizes = (62_500, 88_000, 125_000, 177_000, 250_000, 354_000, 500_000, 707_000, 1_000_000)
    dimensions: Sizes = (16, 23, 32, 45, 64, 91, 128)
    steps: Sizes = (10, 20, 30, 40, 60, 80, 120)
    batch: PositiveInt = 100_000
    few: PositiveInt = 10
    runs: PositiveInt = 3


class Settings(TimingSettings):
    """Sizes of each quantity, three or more; runs at each size."""

    batches: Sizes = (128, 192, 256, 384, 512, 768, 1024)
    dimensions: Sizes = (128, 192, 256, 384, 512, 768, 1024)
    steps: Sizes = (100, 200, 400, 800, 1600)
    points: Sizes = (4000, 8000, 16000, 32000, 64000)
    directions: Sizes = (4096, 8192, 16384, 32768, 65536)
    runs: PositiveInt = 9
    large: Large = Large()
