"""Records: one file a claim, written whole, and read with suspicion.

A record is shown as current only if its bytes are the ones that were written (digest over the
content, canonical bytes), its schema is this one, its key is the present key, and its verdicts
follow from its values.
"""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from pydantic import JsonValue, ValidationError

from verdicts.claims.check import Check
from verdicts.claims.measurement import (
    Enclosure,
    Measurement,
    check_verdict,
    claim_verdict,
    tightness,
)
from verdicts.claims.schema import Claim, Verdict
from verdicts.errors import in_utf8
from verdicts.records.figures import Figure, Table
from verdicts.records.files import Checksummed, NotCurrent, sha256_of
from verdicts.records.keys import KeyParts
from verdicts.records.provenance import Provenance
from verdicts.validation import Frozen


class CheckResult(Frozen):
    """One check's outcome: a measurement with its verdict, or the reason why there is none.

    `where` is the file and line of the function that measured; `seconds` its wall-clock time.
    `enclosure` is that of a proved value.
    """

    id: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    seeds: tuple[int, ...] = ()
    unit: str = ""
    detail: dict[str, JsonValue] = {}  # noqa: RUF012 (a pydantic field)
    enclosure: Enclosure | None = None
    verdict: Verdict
    tightness: float | None = None
    seconds: float = 0.0
    where: str = ""
    reason: str = ""

    @classmethod
    def of(cls, check: Check, measured: Measurement, seconds: float, where: str) -> Self:
        """Judge a measurement by its entry in the claims file. Raises ValueError if their units
        differ.
        """
        if measured.unit and check.unit and measured.unit != check.unit:
            raise ValueError(
                f"{check.id} is measured in {measured.unit} and claimed in {check.unit}"
            )
        low, high = measured.interval
        values: dict[str, Any] = dict(measured) | {
            "low": low,
            "high": high,
            "unit": measured.unit or check.unit,
        }
        return cls(
            id=check.id,
            **values,
            verdict=check_verdict(check, measured),
            tightness=tightness(check, measured),
            seconds=round(seconds, 4),
            where=where,
        )

    @classmethod
    def unreached(
        cls,
        check: Check,
        reason: str,
        seconds: float,
        where: str,
        absence: Mapping[str, JsonValue] | None = None,
    ) -> Self:
        """Return the outcome of a check that could not be made, with what `absence_of` says of it,
        or that broke.
        """
        return cls(
            id=check.id,
            verdict=Verdict.NOT_RUN,
            reason=in_utf8(reason),
            seconds=round(seconds, 4),
            where=where,
            detail=dict(absence or {}),
        )


def absence_of(error: BaseException) -> dict[str, JsonValue]:
    """Return what an error with `not_run` says of itself, where it does.

    `settled`: a second try is in vain; `missing`: which file, package or device; `remedy`: how to
    have it.
    """
    named = {name: in_utf8(str(getattr(error, name, ""))) for name in ("missing", "remedy")}
    said: dict[str, JsonValue] = {"settled": bool(getattr(error, "settled", False)), **named}
    return {name: value for name, value in said.items() if value}


class Keyed(Checksummed):
    """A file with what it depends on, `parts`, and their `key`; `failed` marks what broke, which is
    never current.
    """

    id: str
    key: str
    parts: KeyParts
    failed: bool = False
    provenance: Provenance

    @classmethod
    def of(cls, name: str, parts: KeyParts, provenance: Provenance, **fields: Any) -> Self:
        """Return the file of these parts with its other fields."""
        return cls(id=name, key=parts.key, parts=parts, provenance=provenance, **fields)

    @classmethod
    def current(cls, path: Path, parts: KeyParts) -> Self:
        """Read the file back if it is whole, unedited and has the present key. Raises
        NotCurrent.
        """
        file = cls.read(path)
        if file.key != parts.key:
            raise NotCurrent(f"stale: {parts.changes_since(file.parts)}")
        return file


class Record(Keyed):
    """All that was found about one claim; `kept`: on how many kept cells it rests.

    `unaudited` names the checks that are not auditable: the tolerances of these cells exceed a
    tenth of their margin.
    """

    checks: tuple[CheckResult, ...]
    verdict: Verdict
    kept: int = 0
    unaudited: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """Return why the claim was not run (empty where it was)."""
        return "; ".join(dict.fromkeys(check.reason for check in self.checks if check.reason))

    @property
    def settled(self) -> bool:
        """Tell whether only new code or settings could run what was not run."""
        return all(
            "settled" in check.detail for check in self.checks if check.verdict is Verdict.NOT_RUN
        )


class Artefacts(Keyed):
    """A group's study, what it drew and tabulated, or its notebook's page.

    `files` gives the sha256 of each file, relative to the record. `reason` says what is not there
    and why, `settled` that only new code or settings could change that.
    """

    files: dict[str, str] = {}  # noqa: RUF012 (a pydantic field)
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    reason: str = ""
    settled: bool = True


def current_record(claim: Claim, path: Path, parts: KeyParts) -> Record:
    """Return a claim's record if it is whole, unedited and has the present key. Raises
    NotCurrent.
    """
    record = Record.current(path, parts)
    if record.id != claim.id or not _follows(claim, record):
        raise NotCurrent("edited: its verdict does not follow from its values")
    return record


def current_artefacts(path: Path, parts: KeyParts) -> Artefacts:
    """Return a group's artefacts if the record and every file are whole and have the present key.
    Raises NotCurrent.
    """
    artefacts = Artefacts.current(path, parts)
    for name, digest in artefacts.files.items():
        try:
            present = sha256_of((path.parent / name).read_bytes())
        except FileNotFoundError as error:
            raise NotCurrent(f"{name} is gone") from error
        except OSError as error:
            raise NotCurrent(f"{name} cannot be read: {error.strerror}") from error
        if present != digest:
            raise NotCurrent(f"{name} was edited")
    return artefacts


def artefacts_at(path: Path, parts: KeyParts) -> Artefacts | None:
    """Return a group's artefacts as `current_artefacts` does, None where they are not current."""
    with suppress(NotCurrent):
        return current_artefacts(path, parts)
    return None


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
