"""`ams conform`: does a sampler do what it says? The verdict as text, JSON, a page, a badge and an exit code."""

import ast
import sys
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

import ams
from ams.conformance import adapters
from ams.conformance.as_used import AsUsed, with_clipping, with_guidance
from ams.conformance.changes import changes, read
from ams.conformance.conform import conform
from ams.conformance.page import badge, html
from ams.conformance.report import HOLDS, REFUTED, Report
from ams.conformance.sampler import Sampler
from ams.errors import DataUnavailable, UserError
from ams_suite.lacking import advice

EXIT = {HOLDS: 0, REFUTED: 1}
RAISED, INCONCLUSIVE = 3, 4


def settings(pairs: tuple[str, ...]) -> dict[str, Any]:
    """Return `KEY=VALUE` pairs with values as Python reads them, strings where it does not. Raises UserError."""
    values: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not (key and equals):
            raise UserError(f"--set {pair}: expected KEY=VALUE")
        try:
            values[key] = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            values[key] = text
    return values


def run(
    sampler: str,
    order: int | None,
    kind: str | None,
    set: tuple[str, ...],
    guidance: float | None,
    clip: float | None,
    json: bool,
    html: Path | None,
    badge: Path | None,
    against: Path | None,
) -> int:
    """Test a sampler, print and write what was asked for, return the exit code."""
    given = settings(set)
    old = read(against) if against else None
    try:
        tested = adapters.load(sampler, given)
        if order is not None:
            tested = replace(tested, order=order)
        if kind is not None:
            tested = replace(tested, noise=0.0 if kind == "ode" else (tested.noise or 1.0))
        report = replace(conform(tested, given), used=tuple(_as_used(tested, guidance, clip)))
    except (UserError, DataUnavailable):
        raise
    except ModuleNotFoundError as missing:  # of the code under test, or of the suite's own samplers
        raise UserError(f"{sampler} {advice(missing)}") from missing
    except Exception as error:  # whatever the code under test raises
        words = " ".join(f"{type(error).__name__}: {error}".split())
        print(f"ams conform: {sampler} raised {words}{_place(error)}", file=sys.stderr)
        return RAISED
    _write(report, html, badge)  # first, whatever becomes of a reader of what is printed
    print(report.json() if json else report.text())
    new = changes(old, report.as_dict()) if old is not None else []
    if old is not None:
        print(
            "\n".join(
                ["", f"Against {against}:", *(each.words for each in new), *([] if new else ["nothing changed"])]
            ),
            file=sys.stderr if json else sys.stdout,
        )
    return EXIT[REFUTED] if any(each.worse for each in new) else EXIT.get(report.verdict, INCONCLUSIVE)


def _place(error: Exception) -> str:
    """Return file and line of the innermost frame that is neither the kit's nor PyTorch's nor the import system's."""
    own = [Path(str(module.__file__)).parent for module in (ams, torch)] + [Path(__file__).parent]
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<") and not any(map(Path(frame.filename).is_relative_to, own))
    ]
    return f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""


def _as_used(sampler: Sampler, guidance: float | None, clip: float | None) -> list[AsUsed]:
    asked = ((with_guidance, guidance), (with_clipping, clip))
    return [measure(sampler, value) for measure, value in asked if value is not None]


def _write(report: Report, page: Path | None, mark: Path | None) -> None:
    """Write the page and the badge, whole or not at all. Raises UserError where that cannot be."""
    for path, text in ((page, html), (mark, badge)):
        if path is not None:
            unfinished = path.with_name(path.name + ".part")
            try:
                unfinished.write_text(text(report), encoding="utf-8")
                unfinished.replace(path)
            except OSError as reason:
                raise UserError(f"{path}: {reason.strerror}: name a file in a folder that can be written") from reason
