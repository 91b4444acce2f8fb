"""Sizes of the timings, and the rate that hours of a GPU are computed at."""

from typing import Annotated

from pydantic import Field, PositiveFloat, PositiveInt

from experiments.benchmarks.costs import FEWEST_PAIRS, Pairs, TimingSettings
from verdicts.claims.sizes import Names, Sizes

Batches = Annotated[tuple[tuple[PositiveInt, PositiveInt], ...], Field(min_length=1)]
"""Numbers of images, and their pixels a side."""


class Settings(TimingSettings):
    """Networks run on images of `small` (that for CIFAR-10) and of `wide` (that for 256 pixels): how many at once, and
    their pixels a side, ascending. One small image at once is mostly the reading of weights.

    Each resolution's time is predicted from the one before it in `pairs` interleaved pairs. Other times are medians of
    `runs` runs. Graph networks run on `graphs` graphs of each set, whose numbers of nodes are evenly spaced quantiles;
    those of `few_of` on `few`. E2a predicts the time of the second of `batches`, in graphs, from the first.

    `tflops` is an assumption: the operations a second that a GPU sustains, in 10^12. The image table has a column for
    each of `budgets`, in score evaluations.
    """

    small: Batches = ((2, 32), (1, 64))
    wide: Batches = ((1, 64),)
    pairs: Pairs = FEWEST_PAIRS
    runs: PositiveInt = 3
    graphs: PositiveInt = 32
    few: PositiveInt = 4
    few_of: Names = ("ENZYMES", "grid")
    tflops: PositiveFloat = 10.0
    batches: tuple[PositiveInt, PositiveInt] = (64, 256)
    budgets: Sizes = (20, 50, 100, 200, 500)

    def graphs_of(self, name: str) -> int:
        """Return the number of graphs that a set's networks are timed on."""
        return self.few if name in self.few_of else self.graphs
