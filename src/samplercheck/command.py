"""What `samplercheck` and `ams conform` do: the verdict as text, JSON, a page, a badge and an exit
code.

Each sampler is judged in a process of its own. What it prints goes to standard error, without
control characters.
"""

import ast
import json
import math
import shlex
import sys
import sysconfig
import traceback
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, NamedTuple

import torch

import ams
import samplercheck
from ams.lacking import advice
from samplercheck import __version__, adapters, entry_points, expected
from samplercheck.__main__ import Conform
from samplercheck.as_used import with_clipping, with_guidance
from samplercheck.beside import paired, read, sentences
from samplercheck.convergence import FEW_STEPS, two_targets
from samplercheck.errors import DataUnavailable, UserError
from samplercheck.imports import stub
from samplercheck.in_process import Ended, clean, in_process, silent
from samplercheck.judgement import conform, end_distance, end_of
from samplercheck.page import badge, comparison, html
from samplercheck.policy import STEPS, conform_policy
from samplercheck.report import Report, no_exact_law
from samplercheck.sampler import LEAST, Sampler, Types, stated
from samplercheck.verdict_words import HOLDS, INCONCLUSIVE, MARKS, RAISED, REFUTED, SCHEMA

EXIT = {HOLDS: 0, REFUTED: 1, INCONCLUSIVE: 4}
USAGE, FAILED = 2, 3
OF_ONE = ("set", "steps", "guidance", "clip", "html", "badge")
"""The options that are of one sampler alone."""
OF_A_SAMPLER = ("order", "kind", "network", "dtype", "guidance", "clip", "compare")
"""The options that mean nothing of a step that states a density."""
OF_OUTPUT = ("sampler", "json", "html", "badge", "against", "compare", "timeout")
"""What changes no report."""
COMPARED = (5, 10, 20, 40, 80)
"""The numbers of steps of a comparison."""


class Outcome(NamedTuple):
    """What became of one sampler: exit code, report, what to print, and steps, network calls and W2
    of a comparison.

    What to print is the report, or a line of one among several; of a sampler that failed a line
    that says why.
    """

    code: int
    report: dict[str, Any]
    text: str
    runs: Sequence[tuple[int, int, float]] = ()


def judge(asked: Conform) -> int:
    """Test the samplers that are named, print and write what was asked for, return the worst exit
    code.
    """
    stub(*asked.stub)
    names = named(asked.sampler)
    _check_options(asked, len(names))
    old = read(asked.against) if asked.against else None
    outcomes = dict(_outcomes(names, asked))
    reports = [outcome.report for outcome in outcomes.values()]
    if asked.compare:
        _write(
            asked.compare, comparison({name: outcome.runs for name, outcome in outcomes.items()})
        )
    if asked.json:
        print(json.dumps(reports[0] if len(names) == 1 else reports, indent=1))
    codes = {outcome.code for outcome in outcomes.values()}
    worst = next((code for code in (EXIT[REFUTED], FAILED, EXIT[INCONCLUSIVE]) if code in codes), 0)
    if old is None:
        return worst
    differences = paired(old, reports)
    lines = "", f"Against {asked.against}:", *sentences(differences)
    print(clean("\n".join(lines)), file=sys.stderr if asked.json else sys.stdout)
    return EXIT[REFUTED] if any(each.worse for _, news in differences for each in news) else worst


def _outcomes(names: Sequence[str], asked: Conform) -> Iterator[tuple[str, Outcome]]:
    """Test samplers, say what became of each as it is known. Raises UserError where one alone
    cannot be tested.
    """
    several = len(names) > 1
    libraries = [name.partition(":")[0] for name in names]
    for number, name in enumerate(names):
        try:
            values, printed = in_process(_outcome, name, asked, several, seconds=asked.timeout)
            outcome = Outcome(*values)
        except Ended as reason:
            why, printed = reason.args
            outcome = _failed(FAILED, name, f"gave no report: {why}")
        print(printed, end="\n" * bool(printed), file=sys.stderr)
        if outcome.code == USAGE and not several:
            raise UserError(outcome.text)
        if outcome.code in (USAGE, FAILED):
            print(f"{'? ' * several}{name} {outcome.text}", file=sys.stderr)
            outcome = outcome._replace(code=FAILED)
        elif not asked.json:
            print(outcome.text, flush=True)
        yield name, outcome
        # What the next ones of a library import too is imported once, now that this is known to
        # end.
        if (
            outcome.code != FAILED
            and libraries[number] in libraries[number + 1 :]
            and ".py" not in libraries[number]
        ):
            with silent(), suppress(Exception, SystemExit):
                _loaded(name, asked)


def _outcome(name: str, asked: Conform, several: bool) -> Outcome:
    """Test a sampler and write its page and its badge, in a process of its own."""
    try:
        tested, report = _report(name, asked)
        runs = [
            (n, *end_of(tested, two_targets(tested.data_std), n))
            for n in COMPARED
            if asked.compare and report.w2 and tested
        ]
        text = report.text()
        if several:
            why = "" if report.headline == HOLDS else f": {report.first or report.why}"
            text = f"{MARKS[report.verdict]} {name} {report.headline} ({report.seconds:.1f} s){why}"
        for path, form in ((asked.html, html), (asked.badge, badge)):
            if path is not None:
                _write(path, form(report))
        return Outcome(EXIT[report.verdict], json.loads(report.json()), clean(text), runs)
    except (UserError, DataUnavailable) as error:
        return _failed(USAGE, name, str(error))
    except ModuleNotFoundError as missing:  # of the code under test, or of the suite's own samplers
        own = (
            "; where it is a module of the same repository: put its folder on PYTHONPATH"
            if ".py:" in name
            else ""
        )
        return _failed(USAGE, name, f"{name} {advice(missing)}{own}")
    except (
        BaseException
    ) as error:  # whatever the code under test raises; its exit code is no verdict
        return _failed(FAILED, name, f"raised {_words(error)}{_place(error)}")


def _failed(code: int, name: str, why: str) -> Outcome:
    line = " ".join(clean(why).split())
    report = {
        "schema": SCHEMA,
        "kit": __version__,
        "asked": name,
        "name": name,
        "verdict": RAISED,
        "why": line,
    }
    return Outcome(code, report, line)


def settings(pairs: tuple[str, ...]) -> dict[str, Any]:
    """Return `KEY=VALUE` pairs with values as Python reads them, strings where it does not. Raises
    UserError.
    """
    values: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not (key and equals):
            raise UserError(f"--set {pair}: expected KEY=VALUE")
        try:
            values[key] = ast.literal_eval(text)
        except (
            ValueError,
            TypeError,
            SyntaxError,
            MemoryError,
            RecursionError,
        ):  # all that `literal_eval` raises
            values[key] = text
    return values


def shape(text: str | None) -> tuple[int, ...] | None:
    """Return the sizes of `3,32,32`. Raises UserError for other text."""
    sizes = tuple(int(size) for size in (text or "").split(",") if size.strip().isdecimal())
    if text is not None and (len(sizes) < text.count(",") + 1 or math.prod(sizes) < LEAST):
        raise UserError(
            f"--shape {text}: expected the sizes of one state of {LEAST} elements or more, "
            "as 3,32,32"
        )
    return sizes or None


def named(samplers: Sequence[str]) -> list[str]:
    """Return the samplers that patterns name, each once. Raises UserError where there is none."""
    names = list(dict.fromkeys(name for pattern in samplers for name in adapters.matching(pattern)))
    if not names:
        raise UserError(
            "no sampler is named: write LIBRARY:NAME or FILE.py:NAME, such as "
            "diffusers:DDIMScheduler"
        )
    return names


def loaded(
    sampler: str,
    given: dict[str, Any],
    order: int | None,
    kind: str | None,
    network: str | None,
    convention: str | None,
    dtype: str | None = None,
    shape: tuple[int, ...] | None = None,
) -> Sampler:
    """Return a sampler with what the user states of it; with `network`, of a function as its
    library ships it.
    """
    if network is not None:
        tested = entry_points.load(
            adapters.function(sampler), sampler, network, given, convention, shape
        )
    else:
        tested = replace(adapters.load(sampler, given, convention), shape=shape)
    tested = stated(tested, order, kind)
    return replace(tested, types=types(dtype)) if dtype else tested


def types(text: str) -> Types:
    """Return the types of `TYPE` or of `state=TYPE,network=TYPE,levels=TYPE`. Raises UserError for
    others.
    """
    parts = (
        dict(part.partition("=")[::2] for part in text.split(","))
        if "=" in text
        else {"state": text}
    )
    known = {
        str(kind)[6:]: kind
        for kind in (torch.float64, torch.float32, torch.bfloat16, torch.float16)
    }
    if (
        "state" not in parts
        or not {*parts} <= {*Types._fields}
        or not {*parts.values()} <= {*known}
    ):
        raise UserError(
            f"--dtype {text}: expected one of {', '.join(known)}, or "
            "state=TYPE,network=TYPE,levels=TYPE"
        )
    return Types(**{name: known[kind] for name, kind in parts.items()})


def _loaded(name: str, asked: Conform) -> Sampler:
    stated = asked.order, asked.kind, asked.network, asked.convention, asked.dtype
    return loaded(name, settings(asked.set), *stated, shape(asked.shape))


def _report(name: str, asked: Conform) -> tuple[Sampler | None, Report]:
    """Return a sampler and the report on it, with what options ask for beside it.

    Of a step that states a density the report alone.
    """
    if asked.policy:
        failures = expected.read(asked.expected, name) if asked.expected else {}
        given = settings(asked.set), asked.convention, shape(asked.shape)
        report = conform_policy(name, *given, failures, asked.steps or STEPS)
        return None, replace(report, command=_command(name, asked))
    tested = _loaded(name, asked)
    failures = expected.read(asked.expected, name, tested.name) if asked.expected else {}
    count = asked.steps or FEW_STEPS[-1]
    report = conform(tested, settings(asked.set), used=count, expected_failed_checks=failures)
    if asked.steps is not None and report.w2:
        few = report.w2 | {
            asked.steps: end_distance(tested, two_targets(tested.data_std), asked.steps)
        }
        report = replace(report, w2=dict(sorted(few.items())))
    elif asked.steps is not None:
        print(f"--steps {asked.steps}: not measured: {no_exact_law(report)}", file=sys.stderr)
    options = ((with_guidance, asked.guidance), (with_clipping, asked.clip))
    used = tuple(measure(tested, value) for measure, value in options if value is not None)
    return tested, replace(report, used=used, asked=name, command=_command(name, asked))


def _command(name: str, asked: Conform) -> str:
    """Return the command that makes the report on a sampler."""
    words = ["samplercheck", name]
    for option in (field.name for field in fields(asked) if field.name not in OF_OUTPUT):
        given = getattr(asked, option)
        if isinstance(given, bool):
            words += [f"--{option}"] * given
            continue
        for value in given if isinstance(given, tuple) else [given] * (given is not None):
            words += [f"--{option}", str(value)]
    return shlex.join(words)


def _check_options(asked: Conform, count: int) -> None:
    """Raise UserError for an option whose value means nothing, or nothing of `count` samplers."""
    settings(asked.set)
    shape(asked.shape)
    if asked.expected:
        expected.read(asked.expected)
    if count > 1 and (given := [f"--{option}" for option in OF_ONE if getattr(asked, option)]):
        raise UserError(f"{', '.join(given)}: of one sampler alone, and {count} are named")
    if not asked.timeout > 0:
        raise UserError(f"--timeout {asked.timeout}: expected a number of seconds above 0")
    if asked.policy and (given := [f"--{one}" for one in OF_A_SAMPLER if getattr(asked, one)]):
        raise UserError(f"{', '.join(given)}: of a sampler, not of a step with --policy")
    order, steps, guidance, clip = asked.order, asked.steps, asked.guidance, asked.clip
    least = 2 if asked.policy else 1
    if steps is not None and steps < least:
        raise UserError(f"--steps {steps}: a number of steps is {least} or more")
    if order is not None and order < 1:
        raise UserError(
            f"--order {order}: an order is 1 or more; leave it out to judge the order that "
            "is stated"
        )
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

    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if under_test(Path(frame.filename))
    ]
    return f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""


def _write(path: Path, text: str) -> None:
    """Write a file, whole or not at all. Raises UserError where that cannot be."""
    unfinished = path.with_name(path.name + ".part")
    try:
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    except OSError as reason:
        raise UserError(
            f"{path}: {reason.strerror}: name a file in a folder that can be written"
        ) from reason
