"""How many verdicts of a run chance alone may turn: the false-alarm rates of all checks that draw, summed."""

from verdicts.claims.schema import Claims, Profile
from verdicts.report.words import number


def rates(claims: Claims, profile: Profile) -> dict[str, float]:
    """Return the false-alarm rate of each check of a profile that draws, by its id."""
    decided = (check for claim in claims.claim if profile in claim.profiles for check in claim.check)
    return {check.id: rate for check in decided if (rate := check.false_alarm)}


def family_wise(claims: Claims, profile: Profile) -> str:
    """Say how many of a profile's checks are refuted falsely, at most, on average over runs.

    Rates add, whether or not checks are independent, so their sum also bounds the probability of any false alarm. Each
    rate is that of a true value at its bound; farther inside it falls to nothing.
    """
    drawn = rates(claims, profile)
    expected = number(sum(drawn.values()), 2)
    return (
        f"{len(drawn)} checks draw. Were every true value at its bound, chance would refute at most {expected} a run."
    )
