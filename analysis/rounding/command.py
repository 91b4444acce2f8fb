"""`bash reproduce.sh verify`: the second implementation beside this one, number by number."""

import sys
from dataclasses import dataclass

DIGITS = "S2.digits"
"""The check that says how many digits are asked for."""


@dataclass(frozen=True, kw_only=True)
class Verify:
    """Run the second implementation, and print to how many digits this one agrees, number by
    number.

    Both are computed here, in some minutes of one core. Exit code 1: a number agrees to fewer than
    nine digits, or a count differs.
    """

    def __call__(self) -> int:
        """Do it."""
        from analysis.rounding import second
        from verdicts.claims.loading import load_claims
        from verdicts.studies import Memory, using

        with using(Memory()):
            theirs = second.theirs()
            ours = second.ours(theirs)
        required = next(
            check.bound
            for check in load_claims(second.ROOT).claim_of(DIGITS).check
            if check.id == DIGITS
        )
        lines = [f"{'check':22}{'this suite':>24}{'paper/verify':>24}  digits"]
        lines += [
            (
                f"{name:22}{ours[name]:>24.15g}{value:>24.15g}  "
                f"{second.digits_of(ours[name], value):.1f}"
            )
            for name, value in theirs.items()
        ]
        fewest, counts = second.judged(ours, theirs)
        lines.append(
            f"{fewest.n} numbers agree to at least {fewest.value:.1f} digits "
            f"({fewest.detail['fewest']}); "
            f"of {counts.n} counts {counts.value:.0f} differ"
        )
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        return 1 if fewest.value < required or counts.value else 0
