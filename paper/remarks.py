"""What people write for the report beside claims and exhibits: notation, findings, deviations, limitations.

None of these files holds a measured number: a text names the checks whose values it tells.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from ams.ledger.claims import Claims, Profile, Verdict
from ams.ledger.expected import read_expected
from ams.ledger.loading import load_claims, load_exhibits, load_toml
from ams.ledger.problems import InputProblem, unknown

DEVIATIONS = "paper/deviations.toml"
LIMITATIONS = "paper/limitations.toml"
FINDINGS = "paper/findings.toml"
NOTATION = "paper/notation.toml"
VALUE = re.compile(r"\{([A-Za-z]\w*\.\w+)\}")


class _Written(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Deviation(_Written):
    """Where description, released code and what runs here differ; `effect` says what the `checks` measure of it."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    title: str
    described: str
    released: str
    here: str
    effect: str
    checks: tuple[str, ...] = ()


class Limitation(_Written):
    """Something that this artifact cannot tell, and what follows from it."""

    title: str
    text: str


class Finding(_Written):
    """What was found about a claim of the paper, said where the verdicts are those that it `needs`.

    `{check}` in the text becomes that check's measured value.
    """

    paper: str
    needs: dict[str, Verdict]
    text: str

    @property
    def values(self) -> list[str]:
        """Return the checks whose values the text holds."""
        return VALUE.findall(self.text)

    def told(self, verdicts: Mapping[str, Verdict], measured: Mapping[str, str]) -> str:
        """Return the text with its values; empty where a verdict is another, or a value is missing."""
        if any(verdicts.get(claim) is not verdict for claim, verdict in self.needs.items()):
            return ""
        if any(name not in measured for name in self.values):
            return ""
        return VALUE.sub(lambda match: measured[match[1]], self.text)


class Symbol(_Written):
    """A symbol of claims and figures."""

    sign: str
    meaning: str


class Notation(_Written):
    """The whole file: the formulas of the sampler's step, and the symbols."""

    step: tuple[str, ...] = ()
    symbol: tuple[Symbol, ...] = ()


class Findings(_Written):
    """The whole file."""

    finding: tuple[Finding, ...] = ()


class Deviations(_Written):
    """The whole file."""

    deviation: tuple[Deviation, ...] = ()


class Limitations(_Written):
    """The whole file."""

    limitation: tuple[Limitation, ...] = ()


def refuse_bad_texts(root: Path, profile: Profile) -> None:
    """Read all that people write for the report below `root`, and the expected values. Raises InputProblem."""
    claims = load_claims(root)
    load_exhibits(root)
    load_findings(root, claims)
    load_deviations(root, claims)
    load_limitations(root)
    load_notation(root)
    read_expected(root, profile)


def load_deviations(root: Path, claims: Claims) -> tuple[Deviation, ...]:
    """Read the deviations below `root`; each check that they name must exist. Raises InputProblem."""
    if not (root / DEVIATIONS).is_file():
        return ()
    found = load_toml(root, DEVIATIONS, Deviations).deviation
    known = [check.id for claim in claims.claim for check in claim.check]
    for deviation in found:
        for name in deviation.checks:
            if name not in known:
                raise InputProblem(f"{DEVIATIONS}: deviation[{deviation.id}].checks: {unknown('check', name, known)}")
    return found


def load_limitations(root: Path) -> tuple[Limitation, ...]:
    """Read the limitations below `root`; no file, none. Raises InputProblem."""
    if not (root / LIMITATIONS).is_file():
        return ()
    return load_toml(root, LIMITATIONS, Limitations).limitation


def load_notation(root: Path) -> Notation:
    """Read the notation below `root`; no file, none. Raises InputProblem."""
    return load_toml(root, NOTATION, Notation) if (root / NOTATION).is_file() else Notation()


def load_findings(root: Path, claims: Claims) -> tuple[Finding, ...]:
    """Read the findings below `root`; the claims and checks that they name must exist. Raises InputProblem."""
    if not (root / FINDINGS).is_file():
        return ()
    found = load_toml(root, FINDINGS, Findings).finding
    names = [claim.id for claim in claims.claim]
    checks = [check.id for claim in claims.claim for check in claim.check]
    for finding in found:
        for kind, wanted, known in (("claim", finding.needs, names), ("check", finding.values, checks)):
            for name in wanted:
                if name not in known:
                    raise InputProblem(f"{FINDINGS}: finding[{finding.paper}]: {unknown(kind, name, known)}")
    return found
