"""S2: the second implementation beside this one, number by number.

`paper/verify/verify.py` is NumPy alone. Who wrote it had read its specification beside it, and
nothing of `src`.
"""

import math
import runpy
from collections.abc import Iterable, Mapping
from pathlib import Path

from analysis.adaptive import convergence, isotropic  # noqa: F401 (S2 depends on their sources)
from analysis.annealed import checks as annealed  # noqa: F401
from verdicts import Measurement
from verdicts.claims.loading import load_claims, load_config
from verdicts.claims.schema import Profile
from verdicts.records.files import sha256_of
from verdicts.run.checks import Checks, settings_class
from verdicts.studies import cell

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "paper/verify/verify.py"
FLOOR = 1e-9
"""What vanishes but for rounding is compared absolutely: both below this agree."""
MOST = 15.0
"""The digits of two numbers that are equal."""


@cell
def second_values(program: str) -> dict[str, float]:
    """Return the second implementation's values by check id; `program`: its digest."""
    return dict(runpy.run_path(str(PROGRAM))["values"]())


def theirs() -> dict[str, float]:
    """Return the second implementation's values, a count as an integer."""
    return second_values(sha256_of(PROGRAM.read_bytes()))


def _sized() -> dict[str, Checks]:
    """Return the groups by name, with cpu's sizes: the specification states them."""
    claims = load_claims(ROOT)
    config = load_config(ROOT, Profile.CPU, claims)
    return {
        group.id: Checks(group, settings_class(group).model_validate(config.settings_of(group.id)))
        for group in claims.group
        if group.id in ("adaptive", "annealed")
    }


def ours(names: Iterable[str]) -> dict[str, float]:
    """Return this implementation's values of some checks, as their claims measure them (no proofs
    of them).
    """
    wanted, sized, values = set(names), _sized(), dict[str, float]()
    for claim in load_claims(ROOT).claim:
        for check in claim.check:
            if check.id in wanted:
                plain = check.model_copy(update={"enclosed": None})
                values[check.id] = sized[claim.group].measured(plain).value
    return values


def difference(one: float, other: float) -> float:
    """Return `|a - b| / max(|a|, |b|)`; 0 where both are below `FLOOR`."""
    largest = max(abs(one), abs(other))
    return abs(one - other) / largest if largest > FLOOR else 0.0


def digits_of(one: float, other: float) -> float:
    """Return to how many digits two numbers agree, `-log10` of their difference, at most `MOST`."""
    apart = difference(one, other)
    return min(MOST, -math.log10(apart)) if apart else MOST


def judged(
    ours: Mapping[str, float], theirs: Mapping[str, float]
) -> tuple[Measurement, Measurement]:
    """Return the fewest digits to which any number agrees, and how many counts differ.

    A count is a value of theirs that is whole; the detail names the number, and the counts.
    """
    agreed = {name: digits_of(ours[name], value) for name, value in theirs.items()}
    worst = min(agreed, key=lambda name: agreed[name])
    counts = [name for name, value in theirs.items() if value == int(value)]
    apart = [name for name in counts if ours[name] != theirs[name]]
    fewest = Measurement(value=agreed[worst], n=len(agreed), detail={"fewest": worst})
    return fewest, Measurement(
        value=float(len(apart)), n=len(counts), detail={"differ": ", ".join(apart)}
    )


def digits() -> Measurement:
    """Measure the fewest digits to which both agree."""
    second = theirs()
    return judged(ours(second), second)[0]


def counts_that_differ() -> Measurement:
    """Measure how many numbers of evaluations, budgets and counts are not equal."""
    whole = {name: value for name, value in theirs().items() if value == int(value)}
    return judged(ours(whole), whole)[1]
