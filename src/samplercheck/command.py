"""What `samplercheck` and `ams conform` do: the verdict as text, JSON, a page, a badge and an exit code."""

import ast
import math
import sys
import sysconfig
import traceback
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from json import loads
from pathlib import Path
from typing import Any

import torch

import ams
import samplercheck
from ams.errors import DataUnavailable, UserError
from ams.lacking import advice
from samplercheck import adapters
from samplercheck.as_used import with_clipping, with_guidance
from samplercheck.changes import changes, read
from samplercheck.judgement import conform
from samplercheck.page import badge, html
from samplercheck.report import HOLDS, REFUTED, Report

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
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):  # all that `literal_eval` raises
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
    _add_survey()
    _check_options(order, guidance, clip)
    old = read(against) if against else None
    try:
        tested = adapters.load(sampler, given)
        if order is not None:
            tested = replace(tested, order=order)
        if kind is not None:
            stated = {"ode": 0.0, "sde": tested.noise or 1.0, "churn": None}
            tested = replace(tested, noise=stated[kind])
        report = conform(tested, given)
        asked = ((with_guidance, guidance), (with_clipping, clip))
        report = replace(report, used=tuple(measure(tested, value) for measure, value in asked if value is not None))
    except (UserError, DataUnavailable):
        raise
    except ModuleNotFoundError as missing:  # of the code under test, or of the suite's own samplers
        raise UserError(f"{sampler} {advice(missing)}") from missing
    except (Exception, SystemExit) as error:  # whatever the code under test raises; its exit code is no verdict
        words = " ".join(f"{type(error).__name__}: {error}".split())
        print(f"ams conform: {sampler} raised {words}{_place(error)}", file=sys.stderr)
        return RAISED
    _write(report, html, badge)  # first, whatever becomes of a reader of what is printed
    print(report.json() if json else report.text())
    new = changes(old, loads(report.json())) if old is not None else []
    if old is not None:
        print(
            "\n".join(
                ["", f"Against {against}:", *(each.words for each in new), *([] if new else ["nothing changed"])]
            ),
            file=sys.stderr if json else sys.stdout,
        )
    return EXIT[REFUTED] if any(each.worse for each in new) else EXIT.get(report.verdict, INCONCLUSIVE)


def _add_survey() -> None:
    """Add the libraries that the survey has by file, where it lies beside the kit, in a checkout of the suite."""
    with suppress(ModuleNotFoundError):
        import_module("survey.by_file")


def _check_options(order: int | None, guidance: float | None, clip: float | None) -> None:
    """Raise UserError for an option whose value means nothing."""
    if order is not None and order < 1:
        raise UserError(f"--order {order}: an order is 1 or more; leave it out to judge the order that is stated")
    if guidance is not None and not math.isfinite(guidance):
        raise UserError(f"--guidance {guidance}: expected a finite weight, such as 3")
    if clip is not None and not (math.isfinite(clip) and clip > 0):
        raise UserError(f"--clip {clip}: expected a finite bound above 0, such as 1")


def _place(error: BaseException) -> str:
    """Return file and line of the innermost frame of code under test, empty where there is none.

    Frames of the kit, of PyTorch and of the standard library are none; an installed library's are.
    """
    own = [Path(str(module.__file__)).parent for module in (ams, samplercheck, torch)]
    installed, standard = (Path(sysconfig.get_path(name)) for name in ("purelib", "stdlib"))

    def under_test(file: Path) -> bool:
        of_python = file.is_relative_to(standard) and not file.is_relative_to(installed)
        return not (str(file).startswith("<") or of_python or any(map(file.is_relative_to, own)))

    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if under_test(Path(frame.filename))]
    return f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""


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
