"""The page of all samplers of the survey: `python -m survey.conformance.matrix` writes
docs/sampler_matrix.md.

Each row of the survey whose library is installed is judged anew, in a process of its own, with the
kit's checks: no stored result is read. A row that gives no report says why.
"""

import shlex
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import Any

from samplercheck import __version__, adapters, conform
from samplercheck.in_process import Ended, in_process, silent
from samplercheck.verdict_words import HOLDS
from survey.conformance.study import Row, survey

PAGE = Path(__file__).parents[2] / "docs" / "sampler_matrix.md"
BESIDE = 2
"""Rows that are judged at a time."""
UNSEEN = "distribution on the mixture"
"""Noted of each sampler that draws, since small distances cannot be seen: left out."""
LONGEST = 120.0
"""Seconds after which a row is given up."""
HEAD = f"""# The surveyed samplers

Each sampler below was judged as its library ships it, at the settings in its command, by kit
{__version__}. *Refuted* rows name the checks that fail
([what verdicts mean](sampler_reference.md#what-to-conclude)).
A note decides nothing.
The column *order* has the measured order, and the stated one where the library states one.
`python -m survey.conformance.matrix` makes this page, from the libraries that are installed.
"""


def judged(row: Row) -> dict[str, Any]:
    """Return the report on a row, as plain values."""
    sampler = adapters.load(f"{row.library}:{row.sampler}", dict(row.settings))
    return conform(sampler, dict(row.settings)).as_dict()


def line(row: Row) -> str:
    """Return a row of the page: its command, verdict, order and notes."""
    given = [word for key, value in row.settings.items() for word in ("--set", f"{key}={value}")]
    command = shlex.join(["samplercheck", f"{row.library}:{row.sampler}", *given])
    try:
        report, _ = in_process(judged, row, seconds=LONGEST)
    except Ended as reason:
        return f"| `{command}` | no report | | {reason.args[0].splitlines()[0]} |"
    against = [
        one["check"] for one in report["judgements"] if one["verdict"] == report["verdict"] != HOLDS
    ]
    noted = ", ".join(check for check in report["noted"] if check != UNSEEN)
    checks = "; ".join(filter(None, [", ".join(against), noted and f"noted: {noted}"]))
    order = report["order"] and report["order"]["value"]
    stated = f"; {report['stated_order']} stated" if report["stated_order"] else ""
    shown = f"{order:.1f}{stated}" if order else stated.lstrip("; ")
    return f"| `{command}` | {report['verdict']} | {shown} | {checks} |"


def page() -> Iterator[str]:
    """Yield the lines of the page, library by library."""
    yield HEAD
    for library, rows in groupby(survey(), key=lambda row: row.library):
        release, named = adapters.installed(library), list(rows)
        if release is None:
            continue
        print(f"{library}: {len(named)} rows", file=sys.stderr, flush=True)
        # imported once, before its rows have processes of their own
        with (
            suppress(Exception),
            silent(),
        ):
            judged(named[0])
        yield f"## {library} {release}\n"
        yield "| command | verdict | order | checks |\n|---|---|---|---|"
        with ProcessPoolExecutor(BESIDE) as pool:
            yield from pool.map(line, named)
        yield ""


if __name__ == "__main__":
    PAGE.write_text("\n".join(page()))
