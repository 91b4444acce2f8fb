"""Sizes of the trace checks."""

from verdicts.claims.sizes import Sizes
from verdicts.validation import Frozen


class Settings(Frozen):
    """`levels`: the numbers of steps over whose times sigma is compared."""

    levels: Sizes = (100, 200, 500, 1000)
