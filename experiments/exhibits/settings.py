"""Sizes of the counts, and the rate that hours of a GPU are computed at."""

from pydantic import PositiveFloat, PositiveInt

from verdicts.claims.sizes import Names, Sizes
from verdicts.validation import Frozen


class Settings(Frozen):
    """Graph networks' operations are counted on `graphs` graphs of each set, those of `few_of` on
    `few`.

    The graphs' numbers of nodes are evenly spaced quantiles. `tflops` is an assumption: the
    operations a second that a GPU sustains, in 10^12. The image table has a column for each of
    `budgets`, in score evaluations.
    """

    graphs: PositiveInt = 32
    few: PositiveInt = 4
    few_of: Names = ("ENZYMES", "grid")
    tflops: PositiveFloat = 10.0
    budgets: Sizes = (20, 50, 100, 200, 500)

    def graphs_of(self, name: str) -> int:
        """Return the number of graphs that a set's networks are counted on."""
        return self.few if name in self.few_of else self.graphs
