"""Running a claim of paper/claims.toml in a test: its checks, its verdict, as the ledger would have them."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from verdicts.claims.schema import Claim, Profile, Verdict
from verdicts.claims.loading import load_claims, load_config
from verdicts.claims.measurement import bound_checks
from verdicts.claims.verdict import check_verdict, claim_verdict

ROOT = Path(__file__).resolve().parents[1]


@cache
def claims() -> dict[str, Claim]:
    return {claim.id: claim for claim in load_claims(ROOT).claim}


def quick_settings(group: str) -> Any:
    """Return a group's settings in the quick profile."""
    everything = load_claims(ROOT)
    module = import_module(next(entry.module for entry in everything.group if entry.id == group))
    return module.Settings(**load_config(ROOT, Profile.QUICK, everything).settings_of(group))


def verdict_of(identifier: str, only: str = "", settings: Any = None) -> Verdict:
    """Return a claim's verdict from its own functions, or that of the one check named `only`."""
    claim = claims()[identifier]
    module = import_module(next(group.module for group in load_claims(ROOT).group if group.id == claim.group))
    functions, settings = bound_checks(module), settings or quick_settings(claim.group)
    wanted = [check for check in claim.check if check.id.endswith(only)]
    return claim_verdict(check_verdict(check, functions[check.id](settings)) for check in wanted)
