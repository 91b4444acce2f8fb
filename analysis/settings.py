"""What the settings of the groups here share."""

from pydantic import NonNegativeInt

from verdicts.validation import Frozen


class Seeded(Frozen):
    """Settings that nothing changes, without unknown fields, and the seed of a group's random
    numbers.
    """

    seed: NonNegativeInt = 2405
