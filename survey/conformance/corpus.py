"""The corpus of publicly reported bugs: its judging half, restated before and after each fix, under the kit.

`survey/corpus.toml` lists the reports, by a stated search and rule of scope, from before any was tried. The code of
those that were drawn by lot for judging lies in `tests/corpus`, written without knowledge of the kit; what could not
be asked as a sampler counts as missed.
"""

import tomllib
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from samplercheck import Sampler, adapters, conform
from survey.conformance.settings import Settings
from verdicts import Measurement, Table
from verdicts.studies import Cell, cell

LIST = Path(__file__).parents[1] / "corpus.toml"
CODE = Path(__file__).parents[2] / "tests" / "corpus"


@cache
def judging() -> tuple[dict[str, Any], ...]:
    """Return the rows of the judging half, by id."""
    return tuple(row for row in tomllib.loads(LIST.read_text(encoding="utf-8"))["bug"] if row["half"] == "judging")


@cache
def restated() -> dict[str, tuple[Callable[[bool], Sampler], str]]:
    """Return the restated samplers by id, each with the checksum of the file that has it."""
    files = sorted(CODE.glob("[!_]*.py"))
    return {
        name: (sampler, sha256(file.read_bytes()).hexdigest())
        for file in files
        for name, sampler in adapters.module_of(file).BUGS.items()
    }


@cell
def judged(name: str, fixed: bool, code: str) -> dict[str, str]:
    """The kit's verdict on a reported bug, before or after its fix; `code` is the checksum of the file that has it."""
    try:
        report = conform(restated()[name][0](fixed))
    except (ArithmeticError, RuntimeError, ValueError, TypeError, IndexError) as error:
        return {"verdict": "raised", "why": f"{type(error).__name__}: {error}"}
    return {"verdict": report.verdict, "why": report.first or report.why}


def cells() -> list[Cell]:
    """Return the cells of all restated rows."""
    return [judged.cell(name, fixed, code) for name, (_, code) in restated().items() for fixed in (False, True)]


def verdict(name: str, fixed: bool) -> dict[str, str]:
    """Return what the kit says of a row; what was not asked of it has the verdict `not asked`."""
    if name not in restated():
        return {"verdict": "not asked", "why": ""}
    return judged(name, fixed, restated()[name][1])


def share(settings: Settings, fixed: bool) -> Measurement:
    """Measure the share of the judging half that is refuted before its fix, or not refuted after it."""
    said = {row["id"]: verdict(row["id"], fixed) for row in judging()}
    right = {name for name, one in said.items() if (one["verdict"] == "refuted") is not fixed}
    missed: dict[str, Any] = {name: " ".join(one.values()) for name, one in said.items() if name not in right}
    return Measurement(value=len(right) / len(said), n=len(said), detail={"missed": missed})


def table() -> Table:
    """Return the rows of the judging half, each with both verdicts and where its first step goes wrong."""
    rows = tuple(
        (before["verdict"], verdict(row["id"], fixed=True)["verdict"], row["project"], row["title"], before["why"][:90])
        for row in judging()
        if (before := verdict(row["id"], fixed=False))
    )
    caption = (
        "Publicly reported bugs of samplers, drawn by lot from a list that was made before any was tried, before and "
        "after the fix; the last column is the weight to look at, or the reason."
    )
    header = ("before", "after", "project", "report", "the kit says")
    return Table(id="reported_bugs", caption=caption, header=header, rows=tuple(sorted(rows)), claims=("F25", "F26"))
