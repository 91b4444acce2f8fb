"""Records: one file a claim, written whole, and read with suspicion.

A record is shown as current only if its bytes are the ones that were written (digest over the content, canonical
bytes), its schema is this one, its key is the present key, and its verdicts follow from its values.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from ams.ledger.claims import Check, Claim, Verdict
from ams.ledger.figures import Figure, Table
from ams.ledger.files import canonical_json, sha256_of, write_whole
from ams.ledger.keys import KeyParts
from ams.ledger.measurement import Measurement
from ams.ledger.provenance import Provenance
from ams.ledger.verdicts import check_verdict, claim_verdict, tightness

SCHEMA = 1


class NotCurrent(Exception):
    """A file may not be shown as current; the text says why."""


class Sealed(BaseModel):
    """A file that carries the sha256 of its own content, so that any change of a byte is noticed."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    schema_version: int = SCHEMA

    def to_bytes(self) -> bytes:
        """Return the one byte form of this content, digest included."""
        content = self.model_dump(mode="json")
        content["digest"] = sha256_of(canonical_json(content))
        return (canonical_json(content, indent=1) + "\n").encode()

    def write(self, path: Path) -> None:
        """Write the file whole or not at all. Raises OSError."""
        write_whole(path, self.to_bytes())

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the file back. Raises NotCurrent for anything but the bytes once written."""
        try:
            raw = path.read_bytes()
        except OSError as error:
            raise NotCurrent("no record" if isinstance(error, FileNotFoundError) else f"unreadable: {error}") from error
        try:
            content = json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise NotCurrent("damaged: not JSON, perhaps cut short") from error
        if not isinstance(content, dict) or content.get("schema_version") != SCHEMA:
            raise NotCurrent(f"damaged, or written by another version: its schema is not {SCHEMA}")
        digest = content.pop("digest", None)
        try:
            found = cls.model_validate(content)
            same = digest == sha256_of(canonical_json(content)) and raw == found.to_bytes()
        except (ValueError, RecursionError) as error:  # also of a text that UTF-8 lacks: a lone surrogate
            raise NotCurrent("edited: its fields are not those of a record") from error
        if not same:
            raise NotCurrent("edited: its content does not match its digest")
        return found


class CheckResult(BaseModel):
    """One check's outcome: a measurement with its verdict, or the reason why there is none.

    `where` is the file and line of the function that measured; `seconds` its wall-clock time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    id: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    seeds: tuple[int, ...] = ()
    unit: str = ""
    detail: dict[str, JsonValue] = {}
    verdict: Verdict
    tightness: float | None = None
    seconds: float = 0.0
    where: str = ""
    reason: str = ""

    @classmethod
    def of(cls, check: Check, measured: Measurement, seconds: float, where: str) -> Self:
        """Judge a measurement by its entry in the claims file. Raises ValueError if their units differ."""
        if measured.unit and check.unit and measured.unit != check.unit:
            raise ValueError(f"{check.id} is measured in {measured.unit} and claimed in {check.unit}")
        low, high = measured.interval
        values: dict[str, Any] = dict(measured) | {"low": low, "high": high, "unit": measured.unit or check.unit}
        return cls(
            id=check.id,
            **values,
            verdict=check_verdict(check, measured),
            tightness=tightness(check, measured),
            seconds=round(seconds, 4),
            where=where,
        )

    @classmethod
    def unreached(cls, check: Check, reason: str, seconds: float, where: str, settled: bool = False) -> Self:
        """Return the outcome of a check that could not be made or that broke; a second try is in vain if `settled`."""
        detail: dict[str, JsonValue] = {"settled": True} if settled else {}
        return cls(
            id=check.id, verdict=Verdict.NOT_RUN, reason=reason, seconds=round(seconds, 4), where=where, detail=detail
        )


class Record(Sealed):
    """All that was found about one claim. `failed` marks a check that broke: such a record is never current."""

    id: str
    key: str
    parts: KeyParts
    checks: tuple[CheckResult, ...]
    verdict: Verdict
    failed: bool = False
    provenance: Provenance

    @property
    def reason(self) -> str:
        """Return why the claim was not run (empty where it was)."""
        return "; ".join(check.reason for check in self.checks if check.reason)

    @property
    def settled(self) -> bool:
        """Tell whether only new code or settings could run what was not run."""
        return all("settled" in check.detail for check in self.checks if check.verdict is Verdict.NOT_RUN)


class Artefacts(Sealed):
    """What a group drew and tabulated, or a notebook's page; `files` gives the sha256 of each, relative to the record.

    `reason` says why there is nothing; `failed` marks drawing that broke: such a record is never current.
    """

    id: str
    key: str
    parts: KeyParts
    files: dict[str, str] = {}
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    reason: str = ""
    failed: bool = False
    provenance: Provenance


def current_record(claim: Claim, path: Path, parts: KeyParts) -> Record:
    """Return a claim's record if it is whole, unedited and has the present key. Raises NotCurrent."""
    record = Record.read(path)
    _refuse_stale(record.key, record.parts, parts)
    if record.id != claim.id or not _follows(claim, record):
        raise NotCurrent("edited: its verdict does not follow from its values")
    return record


def current_artefacts(path: Path, parts: KeyParts) -> Artefacts:
    """Return a group's artefacts if the record and every file are whole and have the present key. Raises NotCurrent."""
    artefacts = Artefacts.read(path)
    _refuse_stale(artefacts.key, artefacts.parts, parts)
    for name, digest in artefacts.files.items():
        try:
            found = sha256_of((path.parent / name).read_bytes())
        except OSError as error:
            raise NotCurrent(f"{name} is gone") from error
        if found != digest:
            raise NotCurrent(f"{name} was edited")
    return artefacts


def _refuse_stale(key: str, old: KeyParts, new: KeyParts) -> None:
    if key != old.key:
        raise NotCurrent("edited: its key does not follow from its parts")
    if key != new.key:
        raise NotCurrent(f"stale: {new.changes_since(old)}")


def _follows(claim: Claim, record: Record) -> bool:
    """Return whether the verdicts are those that the claims file gives for the recorded values."""
    if [check.id for check in claim.check] != [result.id for result in record.checks]:
        return False
    pairs = zip(claim.check, record.checks, strict=True)
    same = all(_judged(check, result) is result.verdict for check, result in pairs)
    return same and record.verdict is claim_verdict(result.verdict for result in record.checks)


def _judged(check: Check, result: CheckResult) -> Verdict:
    if result.value is None:
        return Verdict.NOT_RUN
    try:
        measured = Measurement(value=result.value, low=result.low, high=result.high)
    except ValidationError:
        return Verdict.NOT_RUN
    return check_verdict(check, measured)
