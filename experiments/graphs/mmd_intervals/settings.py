"""Sizes of the simulated experiments."""

from pydantic import NonNegativeInt, PositiveInt

from verdicts.validation import Frozen


class Settings(Frozen):
    """How many graphs a population, a reference and a generated set have; the shares of pairs that are flipped.

    The reference is drawn from community_small. Generated sets are drawn from the graphs of a second population of
    community_small with a share `nearer` or `farther` of their pairs flipped.
    """

    population: PositiveInt = 500
    reference: PositiveInt = 20
    generated: PositiveInt = 20
    nearer: float = 0.02
    farther: float = 0.05
    experiments: PositiveInt = 600
    seed: NonNegativeInt = 11
