"""The blind trial: 40 right and 60 wrong samplers, by authors who did not know the kit, asked as a user would ask.

`survey/blind.toml` lists them, with the verdicts of the first trial; their code in `tests/corpus/blind` was frozen
before it. What the command line refuses to judge has the verdict `not askable`.
"""

import tomllib
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from ams.errors import UserError
from samplercheck import conform
from samplercheck.command import loaded
from survey.conformance.settings import Settings
from verdicts import Measurement, Table
from verdicts.studies import Cell, cell

LIST = Path(__file__).parents[1] / "blind.toml"
CODE = Path(__file__).parents[2] / "tests" / "corpus" / "blind"
ALL = Settings(rows="full")


@cache
def samplers(settings: Settings) -> tuple[dict[str, Any], ...]:
    """Return the rows of the list: all in the profile full, the few of the profile cpu, none in quick."""
    rows = tomllib.loads(LIST.read_text(encoding="utf-8"))["sampler"]
    return tuple(row for row in rows if settings.rows == "full" or (settings.rows == "cpu" and row.get("few")))


@cell
def judged(
    sampler: str, order: int | None, kind: str | None, network: str | None, convention: str | None, code: str
) -> dict[str, str]:
    """The kit's verdict on a sampler of a file, asked with these options; `code` is the checksum of the file."""
    try:
        report = conform(loaded(f"{CODE}/{sampler}", {}, order, kind, network, convention))
    except UserError as error:
        return {"verdict": "not askable", "why": str(error).replace(f"{CODE}/", "")}
    except (ArithmeticError, AttributeError, RuntimeError, ValueError, TypeError, IndexError) as error:
        return {"verdict": "raised", "why": f"{type(error).__name__}: {error}"}
    weight = report.worst.text() if report.worst else ""
    return {"verdict": report.verdict, "why": report.why, "place": report.place, "weight": weight, "hint": report.hint}


def _asked(row: dict[str, Any]) -> tuple[str, int | None, str | None, str | None, str | None, str]:
    convention = row["convention"] if row.get("stated") else None
    code = sha256((CODE / row["file"]).read_bytes()).hexdigest()
    return f"{row['file']}:{row['name']}", row.get("order"), row.get("kind"), row.get("network"), convention, code


def cells(settings: Settings) -> list[Cell]:
    """Return the cells of the samplers of a profile."""
    return [judged.cell(*_asked(row)) for row in samplers(settings)]


def verdict(row: dict[str, Any]) -> dict[str, str]:
    """Return what the kit says of a sampler of the list."""
    return judged(*_asked(row))


def refuted(settings: Settings, right: bool) -> Measurement:
    """Count the right or the wrong samplers that are refuted; the detail names those not judged as they are."""
    said = {row["id"]: verdict(row)["verdict"] for row in samplers(settings) if row["right"] is right}
    due = "holds" if right else "refuted"
    others: dict[str, Any] = {name: one for name, one in said.items() if one != due}
    return Measurement(value=list(said.values()).count("refuted"), n=len(said), detail={"others": others})


def table() -> Table:
    """Return all samplers with the verdicts of the first trial and of the present kit, and what the kit names."""
    rows = []
    for row in samplers(ALL):
        said = verdict(row)
        names = said.get("place") or said.get("weight") or said.get("hint") or said["why"]
        what = "" if row["right"] else row["bug"]
        rows.append((row["id"], said["verdict"], row["first"], row.get("named", ""), what[:90], names[:90]))
    caption = (
        "Blind trial: right (r) and wrong (w) samplers by authors who did not know the kit, frozen before it saw them. "
        "The first trial was before any mend; the last column is the weight or the place to look at, or the reason."
    )
    header = ("sampler", "verdict", "first trial", "named by", "defect", "the kit says")
    return Table(id="blind_trial", caption=caption, header=header, rows=tuple(rows), claims=("F28", "F29"))
