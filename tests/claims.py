"""Running a claim in a test: its checks, its verdict, as the ledger would have them."""

from functools import cache
from pathlib import Path
from typing import Any

from verdicts.claims.check import Check
from verdicts.claims.loading import load_claims, load_config
from verdicts.claims.measurement import Measurement, check_verdict, claim_verdict
from verdicts.claims.schema import Claims, Group, Profile, Verdict
from verdicts.run.checks import Checks, settings_class

ROOT = Path(__file__).resolve().parents[1]


@cache
def claims() -> Claims:
    return load_claims(ROOT)


def entry(relation: str, bound: float = 1.0, tolerance: float = 0.5) -> Check:
    """Return the entry of a check that no group has."""
    particulars = {"relation": relation, "bound": bound, "tolerance": tolerance}
    return Check(id="X.x", quantity="q", measure="m.f", origin="algebra", **particulars)


def quick_settings(group: str) -> Any:
    """Return a group's settings in the quick profile."""
    return settings_class(_group(group))(**load_config(ROOT, Profile.QUICK, claims()).settings_of(group))


def _group(name: str) -> Group:
    return next(group for group in claims().group if group.id == name)


def expected(identifier: str) -> Verdict:
    """Return the verdict that a claim expects."""
    return Verdict(next(claim.expected for claim in claims().claim if claim.id == identifier))


def claim_of(check: str) -> str:
    """Return the id of the claim that a check belongs to: not always the start of its own, since ids stay."""
    return next(claim.id for claim in claims().claim if any(each.id == check for each in claim.check))


def measured(check: str, settings: Any = None) -> Measurement:
    """Return what a check's function measures, by default with its group's settings in the quick profile.

    What proves the number is left out: a falsifier breaks what measures it.
    """
    claim = next(claim for claim in claims().claim if any(each.id == check for each in claim.check))
    own = next(each for each in claim.check if each.id == check)
    group, settings = _group(claim.group), settings or quick_settings(claim.group)
    return Checks(group, settings).measured(own.model_copy(update={"enclosed": None}))


def verdict_of(identifier: str, only: str = "", settings: Any = None) -> Verdict:
    """Return a claim's verdict from its own functions, or that of the one check named `only`."""
    claim = next(claim for claim in claims().claim if claim.id == identifier)
    settings = settings or quick_settings(claim.group)
    wanted = [check for check in claim.check if check.id.endswith(only)]
    return claim_verdict(check_verdict(check, measured(check.id, settings)) for check in wanted)


def refuted(identifier: str, *parts: str, settings: Any = None) -> bool:
    """Tell whether each check alone refutes its claim; their ids are `identifier`.`part`."""
    names = [f"{identifier}.{part}" for part in parts]
    verdicts = [verdict_of(claim_of(name), name, settings) for name in names]
    return all(verdict is Verdict.REFUTED for verdict in verdicts)
