"""The kit on trial: publicly reported bugs, and samplers by authors who did not know the kit.

`survey/corpus.toml` lists the reports, by a stated search and rule of scope, from before any was
tried. The code of those that were drawn by lot for judging lies in `tests/corpus`, restated before
and after each fix without knowledge of the kit; what could not be asked as a sampler counts as
missed. Inversions and consistency functions were restated when they could be asked (kit 3.7), by
another author on the same terms.

`survey/blind.toml` lists 40 right and 60 wrong samplers, with the verdicts of the first trial;
their code in `tests/corpus/blind` was frozen before it. They are asked as a user would ask. What
the command line refuses to judge has the verdict `not askable`.
"""

import tomllib
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from ams.errors import UserError
from samplercheck import Sampler, adapters, conform
from samplercheck.command import loaded
from samplercheck.invariants import invariants
from samplercheck.stated_levels import levels_of
from survey.conformance.settings import Settings
from verdicts import Measurement, Table
from verdicts.studies import Cell, cell

LISTS = Path(__file__).parents[1]
CORPUS = LISTS.parent / "tests" / "corpus"
BLIND = CORPUS / "blind"
FULL = Settings(rows="full")
RAISED = (ArithmeticError, AttributeError, RuntimeError, ValueError, TypeError, IndexError)


def _rows(name: str, table: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = tomllib.loads(
        (LISTS / f"{name}.toml").read_text(encoding="utf-8")
    )[table]
    return rows


def _judged(made: Callable[[], Sampler]) -> dict[str, str]:
    """Return the kit's verdict on a sampler, why, and what it names; what is not judged says
    why.
    """
    try:
        report = conform(made())
    except UserError as error:
        return {"verdict": "not askable", "why": str(error).replace(f"{BLIND}/", "")}
    except RAISED as error:
        return {"verdict": "raised", "why": f"{type(error).__name__}: {error}"}
    weight = report.worst.text() if report.worst else ""
    return {
        "verdict": report.verdict,
        "why": report.why,
        "place": report.place,
        "weight": weight,
        "hint": report.hint,
    }


def _first(said: dict[str, str]) -> str:
    """Return the place or the weight to look at, else why."""
    return said.get("place") or said.get("weight") or said["why"]


@cache
def reported(half: str) -> tuple[dict[str, Any], ...]:
    """Return the reported bugs of the judging half, or those of the other that were held out."""
    return tuple(row for row in _rows("corpus", "bug") if row["half"] == half)


@cache
def restated() -> dict[str, tuple[Callable[[bool], Sampler], str]]:
    """Return the restated samplers by id, each with the checksum of the file that has it."""
    return {
        name: (sampler, sha256(file.read_bytes()).hexdigest())
        for file in sorted(CORPUS.glob("[!_]*.py"))
        for name, sampler in adapters.module_of(file).BUGS.items()
    }


@cell
def judged_bug(name: str, fixed: bool, code: str) -> dict[str, str]:
    """The kit's verdict on a reported bug, before or after its fix; `code` is the checksum of
    the file that has it.
    """
    return _judged(lambda: restated()[name][0](fixed))


@cell
def refuted_by_statement(name: str, code: str) -> str:
    """What refutes a reported bug by what the fixed sampler states: its noise levels, and that it
    runs in one step.

    Empty where nothing does. Both are read off the fixed sampler's runs, for every bug alike.
    """
    before, after = (restated()[name][0](fixed) for fixed in (False, True))
    try:
        one = 1 if invariants(replace(after, fewest=1))["finite"].holds else None
    except RAISED:
        one = None
    try:
        findings = invariants(replace(before, levels=partial(levels_of, after), fewest=one))
    except RAISED as error:
        return f"{type(error).__name__}: {error}"
    return next(
        (
            f"{name}: {findings[name].why}"
            for name in ("finite", "levels", "bfloat16")
            if findings[name].holds is False
        ),
        "",
    )


def of_bug(name: str, fixed: bool) -> dict[str, str]:
    """Return what the kit says of a reported bug; what was not asked of it has the verdict `not
    asked`.
    """
    if name not in restated():
        return {"verdict": "not asked", "why": ""}
    return judged_bug(name, fixed, restated()[name][1])


def as_stated(name: str) -> dict[str, str]:
    """Return what the kit says of a reported bug before its fix, told what
    `refuted_by_statement` tells it.
    """
    why = refuted_by_statement(name, restated()[name][1]) if name in restated() else ""
    return {"verdict": "refuted", "why": why} if why else of_bug(name, fixed=False)


def share(
    settings: Settings, fixed: bool, stated: bool = False, half: str = "judging"
) -> Measurement:
    """Measure the share of a half's reported bugs that is refuted before its fix, or not refuted
    after it.

    `stated`: the kit is told the fixed sampler's noise levels and fewest steps.
    """
    said = {
        row["id"]: as_stated(row["id"]) if stated else of_bug(row["id"], fixed)
        for row in reported(half)
    }
    right = {name for name, one in said.items() if (one["verdict"] == "refuted") is not fixed}
    missed: dict[str, Any] = {
        name: f"{one['verdict']} {_first(one)}" for name, one in said.items() if name not in right
    }
    return Measurement(value=len(right) / len(said), n=len(said), detail={"missed": missed})


@cache
def samplers(settings: Settings) -> tuple[dict[str, Any], ...]:
    """Return the samplers of the blind trial: all in the profile full, the few of the profile
    cpu, none in quick.
    """
    rows = _rows("blind", "sampler")
    return tuple(
        row
        for row in rows
        if settings.rows == "full" or (settings.rows == "cpu" and row.get("few"))
    )


@cell
def judged_blind(
    sampler: str,
    order: int | None,
    kind: str | None,
    network: str | None,
    convention: str | None,
    code: str,
) -> dict[str, str]:
    """The kit's verdict on a sampler of a file, asked with these options; `code` is the checksum
    of the file.
    """
    return _judged(lambda: loaded(f"{BLIND}/{sampler}", {}, order, kind, network, convention))


def _asked(row: dict[str, Any]) -> tuple[str, int | None, str | None, str | None, str | None, str]:
    convention = row["convention"] if row.get("stated") else None
    code = sha256((BLIND / row["file"]).read_bytes()).hexdigest()
    return (
        f"{row['file']}:{row['name']}",
        row.get("order"),
        row.get("kind"),
        row.get("network"),
        convention,
        code,
    )


def of_blind(row: dict[str, Any]) -> dict[str, str]:
    """Return what the kit says of a sampler of the blind trial."""
    return judged_blind(*_asked(row))


def refuted(settings: Settings, right: bool) -> Measurement:
    """Count the right or the wrong samplers that are refuted; the detail names those not judged
    as they are.
    """
    said = {
        row["id"]: of_blind(row)["verdict"] for row in samplers(settings) if row["right"] is right
    }
    due = "holds" if right else "refuted"
    others: dict[str, Any] = {name: one for name, one in said.items() if one != due}
    return Measurement(
        value=list(said.values()).count("refuted"), n=len(said), detail={"others": others}
    )


def cells(settings: Settings) -> list[Cell]:
    """Return the cells of the reported bugs, if they are asked for, and of the blind samplers of
    a profile.
    """
    bugs = [
        (name, fixed, code) for name, (_, code) in restated().items() for fixed in (False, True)
    ]
    of_bugs: list[Cell] = [judged_bug.cell(*each) for each in bugs]
    of_bugs += [refuted_by_statement.cell(name, code) for name, (_, code) in restated().items()]
    return (of_bugs if settings.bugs else []) + [
        judged_blind.cell(*_asked(row)) for row in samplers(settings)
    ]


def table_of_bugs() -> Table:
    """Return the reported bugs with their three verdicts, and what to look at first or why."""
    rows = []
    for half in ("judging", "held out"):
        for row in reported(half):
            said = (
                of_bug(row["id"], fixed=False),
                as_stated(row["id"]),
                of_bug(row["id"], fixed=True),
            )
            verdicts = (each["verdict"] for each in said)
            rows.append((half, *verdicts, row["project"], row["title"], _first(said[1])[:90]))
    caption = (
        "Publicly reported bugs of samplers, drawn by lot from a list that was made "
        "before any was tried, those held "
        "out when the kit was frozen: before the fix, before it with stated noise levels, "
        "after it. The last column is "
        "the weight to look at, or the reason."
    )
    header = ("half", "before", "with levels", "after", "project", "report", "the kit says")
    return Table(
        id="reported_bugs",
        caption=caption,
        header=header,
        rows=tuple(sorted(rows)),
        claims=("F25", "F30"),
    )


def table_of_blind_samplers() -> Table:
    """Return all blind samplers with the verdicts of the first trial and of the present kit, and
    what the kit names.
    """
    rows = []
    for row in samplers(FULL):
        said, defect = of_blind(row), "" if row["right"] else row["bug"]
        names = said.get("place") or said.get("weight") or said.get("hint") or said["why"]
        rows.append(
            (
                row["id"],
                said["verdict"],
                row["first"],
                row.get("named", ""),
                defect[:90],
                names[:90],
            )
        )
    caption = (
        "Blind trial: right (r) and wrong (w) samplers by authors who did not know the "
        "kit, frozen before it saw them. "
        "The first trial was before any mend; the last column is the weight or the "
        "place to look at, or the reason."
    )
    header = ("sampler", "verdict", "first trial", "named by", "defect", "the kit says")
    return Table(
        id="blind_trial", caption=caption, header=header, rows=tuple(rows), claims=("F25", "F28")
    )
