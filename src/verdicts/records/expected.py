"""Expected values: what a full run once gave, committed, so that another run can tell what moved.

They decide nothing: verdicts come from the claims file alone.
"""

import os
import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from verdicts.claims.loading import OVERLAY, load_json
from verdicts.claims.schema import Claim, Claims, Profile, Verdict
from verdicts.records.files import JsonFile
from verdicts.records.ledger import ClaimRow, Ledger, collect
from verdicts.records.record import CheckResult
from verdicts.records.workspace import Workspace
from verdicts.validation import Frozen

FOLDER = "paper/expected"
# Another processor sums in another order: what differs by less than this share of a value has not
# moved
SAME = 1e-6


class ExpectedCheck(Frozen):
    """A check's value with its interval."""

    value: float
    low: float
    high: float
    unit: str = ""
    verdict: Verdict


class Made(Frozen):
    """What made a claim's values: when (UTC), on which processor, from which commit."""

    started: str
    processor: str
    commit: str | None


class ExpectedClaim(Frozen):
    """A claim's verdict with its checks, what it cost (seconds, MiB at most), and what made its
    values.
    """

    verdict: Verdict
    seconds: float
    peak_mib: float
    checks: dict[str, ExpectedCheck]
    made: Made


class Expected(JsonFile):
    """The values of a profile's claims, each with what made it; they need not be of one run.

    `studies` is the computing time of each group's study, `beside` that of figures, tables,
    notebook pages, documents; `calibration` is how long a fixed piece of work took where most of
    these times were measured (`run.calibration`; None: not measured).
    """

    profile: Profile
    device: str
    studies: dict[str, float] = {}  # noqa: RUF012 (a pydantic field)
    beside: float = 0.0
    calibration: float | None = None
    claims: dict[str, ExpectedClaim]

    @property
    def newest(self) -> Made:
        """Return what made the newest of the values."""
        return max((claim.made for claim in self.claims.values()), key=lambda made: made.started)

    @property
    def seconds(self) -> float:
        """Return the computing time of the whole run, in seconds of one core."""
        return (
            self.beside
            + sum(self.studies.values())
            + sum(claim.seconds for claim in self.claims.values())
        )

    def seconds_of(self, claims: Iterable[Claim]) -> float:
        """Return what the records of these claims took, in seconds."""
        return sum(self.claims[claim.id].seconds for claim in claims if claim.id in self.claims)

    @property
    def peak_mib(self) -> float:
        """Return the largest resident size of any claim's process, in MiB."""
        return max((claim.peak_mib for claim in self.claims.values()), default=0.0)

    def completed(self, before: "Expected", claims: Claims) -> "Expected":
        """Return these values with earlier ones for the profile's claims that have none and whose
        checks are the same.

        So a run of a few claims replaces their values and leaves the others.
        """
        kept = {
            claim.id: before.claims[claim.id]
            for claim in claims.claim
            if claim.id in before.claims.keys() - self.claims.keys()
            and self.profile in claim.profiles
            and before.claims[claim.id].checks.keys() <= {check.id for check in claim.check}
        }
        whole = self.claims | kept
        every = {claim.id: whole[claim.id] for claim in claims.claim if claim.id in whole}
        studies = {
            group.id: before.studies[group.id]
            for group in claims.group
            if group.id in before.studies
        }
        # of the groups that were drawn now
        beside = max(self.beside, before.beside) if kept else self.beside
        values = {"claims": every, "studies": studies | self.studies, "beside": beside}
        earlier = sum(claim.seconds for claim in kept.values()) + sum(
            seconds for group, seconds in studies.items() if group not in self.studies
        )
        whose = before if earlier > self.seconds - self.beside else self
        return self.model_copy(update=values | {"calibration": whose.calibration})


class Moved(StrEnum):
    """How a check's value stands to the expected one."""

    SAME = "as kept"
    MOVED = "moved"
    NEW = "no kept value"
    ABSENT = "not measured"


class Comparison(NamedTuple):
    """A check with its expected value (None: there is none), its outcome (None: none) and how they
    compare.
    """

    check: str
    expected: ExpectedCheck | None
    result: CheckResult | None
    moved: Moved


def expected_path(root: Path, profile: Profile) -> Path:
    """Return the place of a profile's expected values."""
    return root / FOLDER / f"{profile}.json"


def read_expected(root: Path, profile: Profile) -> Expected | None:
    """Return a profile's expected values, None where there are none. Raises UserError for a file
    that is damaged.
    """
    path = expected_path(root, profile)
    if not path.exists():
        return None
    return load_json(root, f"{FOLDER}/{profile}.json", Expected)


def kept_runs(root: Path) -> list[Expected]:
    """Return the expected values of every profile that has some. Raises UserError for a file that
    is damaged.
    """
    return [kept for profile in Profile if (kept := read_expected(root, profile))]


def expected_of(
    ledger: Ledger, studies: Mapping[str, float], beside: float, calibration: float
) -> Expected:
    """Return the values of a ledger, for those claims that have a record. Raises ValueError where
    none has.

    `studies` and `beside` are the seconds of studies by group, and of all else that is no check;
    `calibration` those of the fixed piece of work.
    """
    rows = [
        row
        for row in ledger.claims
        if row.provenance is not None and row.verdict is not Verdict.NOT_RUN
    ]
    origins = [row.provenance for row in rows if row.provenance is not None]
    if not origins:
        raise ValueError("no claim has a current record")
    return Expected(
        profile=ledger.profile,
        device=max(origins, key=lambda origin: origin.started).device,
        studies={group: round(seconds, 4) for group, seconds in studies.items()},
        beside=round(beside, 4),
        calibration=calibration,
        claims={row.id: _claim(row) for row in rows},
    )


def _claim(row: ClaimRow) -> ExpectedClaim:
    assert row.provenance is not None
    return ExpectedClaim(
        verdict=row.verdict,
        seconds=row.provenance.seconds,
        peak_mib=row.provenance.peak_mib,
        checks={result.id: kept for result in row.checks if (kept := _check(result))},
        made=Made(
            started=row.provenance.started,
            processor=re.sub(
                r"\((R|TM)\)| (CPU|Processor)\b", "", row.provenance.processor
            ),  # the first screen has it
            commit=row.provenance.commit,
        ),
    )


def _check(result: CheckResult) -> ExpectedCheck | None:
    if result.value is None or result.low is None or result.high is None:
        return None
    return ExpectedCheck.model_validate(result.model_dump(include=set(ExpectedCheck.model_fields)))


def compare(claims: Claims, ledger: Ledger, expected: Expected) -> list[Comparison]:
    """Return every check of the claims beside its expected value, in the order of the claims file.

    A value has moved if its verdict is another, or if the two intervals, each as wide as measured,
    are farther apart than the check's tolerance and than rounding.
    """
    results = {result.id: result for row in ledger.claims for result in row.checks}
    stored = {
        name: each for claim in expected.claims.values() for name, each in claim.checks.items()
    }
    return [
        _comparison(
            check.id,
            check.tolerance,
            stored.get(check.id),
            results.get(check.id),
        )
        for claim in claims.claim
        for check in claim.check
    ]


def against_stored(claims: Claims, ledger: Ledger, expected: Expected | None) -> Ledger:
    """Return the ledger with the checks named whose proved value lies outside the stored interval
    of its profile.

    What is proved holds on any processor, so that then the stored value is wrong: it was edited, or
    its sizes are others. Room is left for the rounding of a stored value that is not proved.
    """
    compared = compare(claims, ledger, expected) if expected else []
    disproved = tuple(
        each.check for each in compared if each.moved is Moved.MOVED and _excluded(each)
    )
    return ledger.model_copy(
        update={"summary": ledger.summary.model_copy(update={"disproved": disproved})}
    )


def judged(workspace: Workspace) -> Ledger:
    """Return the ledger of what lies on disk, beside the stored values of its profile at the
    profile's own sizes.
    """
    ledger = collect(workspace)
    if os.environ.get(OVERLAY):
        return ledger
    return against_stored(
        workspace.claims, ledger, read_expected(workspace.root, workspace.profile)
    )


def _excluded(compared: Comparison) -> bool:
    """Return whether a proved value lies outside the stored interval."""
    proof, stored = compared.result.enclosure if compared.result else None, compared.expected
    if proof is None or stored is None:
        return False
    room = SAME * max(abs(proof.low), abs(proof.high))
    return proof.low > stored.high + room or proof.high < stored.low - room


def _comparison(
    name: str, tolerance: float, expected: ExpectedCheck | None, result: CheckResult | None
) -> Comparison:
    if result is None or result.value is None or result.low is None or result.high is None:
        return Comparison(name, expected, None, Moved.ABSENT)
    if expected is None:
        return Comparison(name, None, result, Moved.NEW)
    gap = max(result.low - expected.high, expected.low - result.high, 0.0)
    allowed = max(tolerance, SAME * max(abs(expected.value), abs(result.value)))
    same = gap <= allowed and result.verdict is expected.verdict
    return Comparison(name, expected, result, Moved.SAME if same else Moved.MOVED)
