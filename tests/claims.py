"""Running a claim in a test: its checks, its verdict, as the ledger would have them."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any

from verdicts.claims.check import Check
from verdicts.claims.loading import load_claims, load_config
from verdicts.claims.measurement import Measurement, check_verdict, claim_verdict
from verdicts.claims.schema import Claim, Claims, Group, Profile, Verdict
from verdicts.run.checks import Checks, settings_class
from verdicts.studies import Memory, using

ROOT = Path(__file__).resolve().parents[1]
BOTH_SIDES: set[str] = set()
"""The claims that the running test saw refuted as they are, and holding once altered (`upheld`)."""


@cache
def claims() -> Claims:
    return load_claims(ROOT)


def entry(relation: str, bound: float = 1.0, tolerance: float = 0.5) -> Check:
    """Return the entry of a check that no group has."""
    particulars = {"relation": relation, "bound": bound, "tolerance": tolerance}
    return Check(id="X.x", quantity="q", measure="m.f", origin="algebra", **particulars)


def quick_settings(group: str) -> Any:
    """Return a group's settings in the quick profile."""
    return settings_class(_group(group))(
        **load_config(ROOT, Profile.QUICK, claims()).settings_of(group)
    )


def _group(name: str) -> Group:
    return next(group for group in claims().group if group.id == name)


def expected(identifier: str) -> Verdict:
    """Return the verdict that a claim expects."""
    return Verdict(_claim(identifier).expected)


def _claim(identifier: str) -> Claim:
    return next(claim for claim in claims().claim if claim.id == identifier)


def claim_of(check: str) -> str:
    """Return the id of the claim that a check belongs to: not always the start of its own, since
    ids stay.
    """
    return next(
        claim.id for claim in claims().claim if any(each.id == check for each in claim.check)
    )


def measured(check: str, settings: Any = None) -> Measurement:
    """Return what a check's function measures, by default with its group's settings in the quick
    profile.

    What proves the number is left out: a falsifier breaks what measures it.
    """
    claim = _claim(claim_of(check))
    own = next(each for each in claim.check if each.id == check)
    group, settings = _group(claim.group), settings or quick_settings(claim.group)
    return Checks(group, settings).measured(own.model_copy(update={"enclosed": None}))


def verdict_of(identifier: str, only: str = "", settings: Any = None) -> Verdict:
    """Return a claim's verdict from its own functions, or that of the one check named `only`."""
    claim = _claim(identifier)
    settings = settings or quick_settings(claim.group)
    wanted = [check for check in claim.check if check.id.endswith(only)]
    return claim_verdict(check_verdict(check, measured(check.id, settings)) for check in wanted)


def refuted(identifier: str, *parts: str, settings: Any = None) -> bool:
    """Tell whether each check alone refutes its claim; their ids are `identifier`.`part`."""
    names = [f"{identifier}.{part}" for part in parts]
    verdicts = [verdict_of(claim_of(name), name, settings) for name in names]
    return all(verdict is Verdict.REFUTED for verdict in verdicts)


@contextmanager
def upheld(
    *identifiers: str, settings: Any = None, apart: Collection[str] = (), anew: bool = False
) -> Iterator[None]:
    """Be the falsifier of claims that are expected to be refuted: the body alters the thing that
    they claim.

    As they are they must be refuted, and once altered they must hold. The body alters a sampler, a
    law or data; a claim's own measuring functions stay, since a number that is scaled alters
    nothing that is claimed. The checks `apart` say where a refutation ends: they hold as they are,
    and tell nothing of a claim that holds. `anew`: what is altered lies in cells, so that they are
    computed once more. Raises AssertionError.
    """
    chosen = [_claim(identifier) for identifier in identifiers]
    for claim in chosen:
        assert verdict_of(claim.id, settings=settings) is Verdict.REFUTED, f"{claim.id} as it is"
    for check in apart:
        assert verdict_of(claim_of(check), check, settings) is Verdict.HOLDS, f"{check} as it is"
    measures = [_measures(claim) for claim in chosen]
    yield
    assert measures == [_measures(claim) for claim in chosen], "what measures is replaced"
    with using(Memory()) if anew else nullcontext():
        for claim in chosen:
            told = [check.id for check in claim.check if check.id not in apart]
            altered = {check: verdict_of(claim.id, check, settings) for check in told}
            assert set(altered.values()) == {Verdict.HOLDS}, f"{claim.id} altered: {altered}"
    BOTH_SIDES.update(identifiers)


def _measures(claim: Claim) -> list[Callable[..., Any]]:
    """Return the functions that measure a claim's checks, as their modules have them now."""
    checks = Checks(_group(claim.group), quick_settings(claim.group))
    return [checks.function(check) for check in claim.check]


def one_sided(node: str) -> list[str]:
    """Return the claims expected to be refuted whose falsifier is `node`, and that `upheld` did
    not see so.
    """
    test = node.partition("[")[0]
    named = [claim for claim in claims().claim if claim.falsifier == test]
    return [each.id for each in named if each.expected == "refuted" and each.id not in BOTH_SIDES]
