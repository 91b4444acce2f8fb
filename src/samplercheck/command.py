"""What `samplercheck` and `ams conform` do: the verdict as text, JSON, a page, a badge and an exit code."""

import ast
import math
import sys
import sysconfig
import traceback
from collections.abc import Sequence
from dataclasses import replace
from json import loads
from pathlib import Path
from typing import Any

import torch

import ams
import samplercheck
from ams.lacking import advice
from samplercheck import adapters, entry_points
from samplercheck.__main__ import Conform
from samplercheck.as_used import with_clipping, with_guidance
from samplercheck.beside import changes, read
from samplercheck.convergence import two_targets
from samplercheck.errors import DataUnavailable, UserError
from samplercheck.imports import stub
from samplercheck.judgement import conform, end_distance
from samplercheck.page import badge, html
from samplercheck.report import HOLDS, INCONCLUSIVE, MARKS, REFUTED, Report, no_exact_law
from samplercheck.sampler import LEAST, Sampler

EXIT = {HOLDS: 0, REFUTED: 1, INCONCLUSIVE: 4}
RAISED = 3
OF_ONE = ("set", "steps", "guidance", "clip", "html", "badge", "against")
"""The options that are of one sampler alone."""


def judge(asked: Conform) -> int:
    """Test the samplers that are named, print and write what was asked for, return the exit code."""
    stub(*asked.stub)
    names = named(asked.sampler)
    return run(names[0], asked) if len(names) == 1 else batch(names, asked)


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


def shape(text: str | None) -> tuple[int, ...] | None:
    """Return the sizes of `3,32,32`. Raises UserError for other text."""
    sizes = tuple(int(size) for size in (text or "").split(",") if size.strip().isdecimal())
    if text is not None and (len(sizes) < text.count(",") + 1 or math.prod(sizes) < LEAST):
        raise UserError(f"--shape {text}: expected the sizes of one state of {LEAST} elements or more, as 3,32,32")
    return sizes or None


def named(samplers: Sequence[str]) -> list[str]:
    """Return the samplers that patterns name, each once. Raises UserError where there is none."""
    names = list(dict.fromkeys(name for pattern in samplers for name in adapters.matching(pattern)))
    if not names:
        raise UserError("no sampler is named: write LIBRARY:NAME or FILE.py:NAME, such as diffusers:DDIMScheduler")
    return names


def batch(names: Sequence[str], asked: Conform) -> int:
    """Test several samplers as `run` does, a line each, or with `json` a list; return the worst exit code."""
    if given := [f"--{option}" for option in OF_ONE if getattr(asked, option)]:
        raise UserError(f"{', '.join(given)}: of one sampler alone, and {len(names)} are named")
    codes, reports = [], list[str]()
    for name in names:
        try:
            report = conform(
                loaded(name, {}, asked.order, asked.kind, asked.network, asked.convention, shape(asked.shape))
            )
        except (Exception, SystemExit) as error:
            codes.append(RAISED)
            print(f"? {name}: {_words(error)}", file=sys.stderr)
            continue
        codes.append(EXIT[report.verdict])
        reports.append(report.json())
        if not asked.json:
            why = "" if report.verdict == HOLDS else f": {report.first or report.why}"
            print(f"{MARKS[report.verdict]} {name} {report.verdict} ({report.seconds:.1f} s){why}", flush=True)
    if asked.json:
        print(f"[{', '.join(reports)}]")
    return next((code for code in (EXIT[REFUTED], RAISED, EXIT[INCONCLUSIVE]) if code in codes), 0)


def loaded(
    sampler: str,
    given: dict[str, Any],
    order: int | None,
    kind: str | None,
    network: str | None,
    convention: str | None,
    shape: tuple[int, ...] | None = None,
) -> Sampler:
    """Return a sampler with what the user states of it; with `network`, of a function as its library ships it."""
    if network is not None:
        tested = entry_points.load(adapters.function(sampler), sampler, network, given, convention, shape)
    else:
        tested = replace(adapters.load(sampler, given, convention), shape=shape)
    if order is not None:
        tested = replace(tested, order=order)
    if kind is not None:
        tested = replace(tested, noise={"ode": 0.0, "sde": tested.noise or 1.0, "churn": None}[kind])
    return tested


def run(sampler: str, asked: Conform) -> int:
    """Test a sampler, print and write what was asked for, return the exit code."""
    given = settings(asked.set)
    _check_options(asked)
    old = read(asked.against) if asked.against else None
    try:
        report = _report(sampler, given, asked)
    except (UserError, DataUnavailable):
        raise
    except ModuleNotFoundError as missing:  # of the code under test, or of a library's
        own = "; where it is a module of the same repository: put its folder on PYTHONPATH" if ".py:" in sampler else ""
        raise UserError(f"{sampler} {advice(missing)}{own}") from missing
    except (Exception, SystemExit) as error:  # whatever the code under test raises; its exit code is no verdict
        print(f"{sampler} raised {_words(error)}{_place(error)}", file=sys.stderr)
        return RAISED
    _write(report, asked.html, asked.badge)  # first, whatever becomes of a reader of what is printed
    print(report.json() if asked.json else report.text())
    if old is None:
        return EXIT[report.verdict]
    new = changes(old, loads(report.json()))
    lines = ["", f"Against {asked.against}:", *([each.words for each in new] or ["nothing changed"])]
    print("\n".join(lines), file=sys.stderr if asked.json else sys.stdout)
    return EXIT[REFUTED] if any(each.worse for each in new) else EXIT[report.verdict]


def _report(sampler: str, given: dict[str, Any], asked: Conform) -> Report:
    """Return the report on a sampler at settings, with what options ask for beside it."""
    tested = loaded(sampler, given, asked.order, asked.kind, asked.network, asked.convention, shape(asked.shape))
    report = conform(tested, given)
    if asked.steps is not None and report.w2:
        few = report.w2 | {asked.steps: end_distance(tested, two_targets(tested.data_std), asked.steps)}
        report = replace(report, w2=dict(sorted(few.items())))
    elif asked.steps is not None:
        print(f"--steps {asked.steps}: not measured: {no_exact_law(report)}", file=sys.stderr)
    options = ((with_guidance, asked.guidance), (with_clipping, asked.clip))
    return replace(report, used=tuple(measure(tested, value) for measure, value in options if value is not None))


def _check_options(asked: Conform) -> None:
    """Raise UserError for an option whose value means nothing."""
    order, steps, guidance, clip = asked.order, asked.steps, asked.guidance, asked.clip
    if steps is not None and steps < 1:
        raise UserError(f"--steps {steps}: a number of steps is 1 or more")
    if order is not None and order < 1:
        raise UserError(f"--order {order}: an order is 1 or more; leave it out to judge the order that is stated")
    if guidance is not None and not math.isfinite(guidance):
        raise UserError(f"--guidance {guidance}: expected a finite weight, such as 3")
    if clip is not None and not (math.isfinite(clip) and clip > 0):
        raise UserError(f"--clip {clip}: expected a finite bound above 0, such as 1")


def _words(error: BaseException) -> str:
    """Return an error in a line, with the kit's notes on it."""
    parts = f"{type(error).__name__}: {error}".removesuffix(": "), *getattr(error, "__notes__", ())
    return " ".join("; ".join(parts).split())


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
