"""The verdict on a sampler: what was measured, what was required, and why; as text and as JSON.

Verdicts are `refuted`, `inconclusive` and `holds`, which says that nothing was refuted, not that
all was proved. A line can also be `noted`: what it says is a design, such as a start of low order
or clipping, and decides nothing. The thresholds were set on trials, before the survey's verdicts
were counted; `__version__`, which stands in each report, changes with them and with the list of
checks.
"""

import json
import math
import platform
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import torch

from ams.errors import unknown
from samplercheck import __version__
from samplercheck.affine_map import AFFINE
from samplercheck.answered_draws import Repeated
from samplercheck.as_used import AsUsed
from samplercheck.coefficients import STEPS, Weight, explained
from samplercheck.convergence import EXACT, JUDGED, ROUNDING, Convergence, Order
from samplercheck.dead_directions import DeadDirection
from samplercheck.error_constant import FEWEST, NOTED_ABOVE
from samplercheck.invariants import STEPS as RUN, Finding
from samplercheck.nonlinear import Distribution, Transport
from samplercheck.order_conditions import OrderConditions
from samplercheck.verdict_words import (
    EXPECTED,
    HOLDS,
    INCONCLUSIVE,
    MARKS,
    NOTED,
    ORDER_SHORT,
    REFUTED,
    SCHEMA,
)

CHECKS = (
    *(
        "finite",
        "noise",
        "deterministic",
        "rows independent",
        "rotation",
        "scaling",
        "levels fall",
        "evaluations",
    ),
    *("levels", "float32", "bfloat16", "affine", "outliers", "few steps"),
    *("start", "limit", "end", "dead direction", "order", "error constant"),
    *("order of each step", "order on uneven steps"),
    *("order on the mixture", "error on the mixture", "distribution on the mixture"),
)
"""All checks, each made of the samplers that it is for; `run`, beside them, is a check that could
not be made.
"""
OF_A_POLICY = ("draw", "density", "replay", "boundaries", "gradient", "KL", "marginals")
"""The checks of a step that states a density."""
NOTED_ALONE = ("float32", "rows independent", "second run", "start kept", "outliers")
"""Findings that are noted where they are not judged."""
STALE = "expected failures"
"""The row of what is expected to be refuted, and is not."""
TOO_FEW = (
    f"noise levels rise or repeat, or fewer than {FEWEST} of {STEPS[-1]} steps fall above "
    f"{JUDGED:g}: add some, or "
    "mend `data_std`"
)
ROUNDED = "levels passed"
"""What a library rounds, noted beside the checks."""

CAUSES = {
    ("finite",): "a division by a noise level or scale of 0",
    ("noise", "deterministic"): "a start or a draw of your own in `run`; state `noise`",
    ("rows independent",): "means over the batch, a draw that samples share",
    ("draws independent",): "where the generator is made or seeded",
    ("rotation", "scaling"): "clipping, thresholds; `data_std`",
    ("levels",): "the table of timesteps or noise levels, and the index into it",
    ("start",): "the factor on the start, the level passed first; `prior`, `begins`",
    (
        ROUNDED,
    ): "the rounding of timesteps: pass the network the one that the formulas use, if it takes one",
    ("outliers",): "one entry of a table, an index, the factor on one draw",
    ("few steps",): "the noise level to which x is taken after a call, and the noise that is added",
    ("order of each step",): "the step's formula, its sign and factors",
    ("order on uneven steps",): "weights made for steps of one length",
    ("limit",): "a coefficient, the noise that is added, the noise level passed to the network",
    ("end", "dead direction"): "the last step, the last noise level",
    (
        "order",
    ): "its first step and what it keeps of past calls, if it does; a part of a fixed length",
    ("draw", "density"): "the factors on std: the root of dt, a square, a 2, the sign",
    ("gradient",): "what is detached, or computed without a gradient, on the way to the mean",
    ("replay",): "statistics over the batch, a counter of steps, an index by place",
    ("boundaries",): "a division by sigma or 1 - sigma at the first or last step",
    ("KL",): "the std that divides the means' difference",
    ("marginals",): "the drift that goes with the noise: std^2 / 2 times the score",
    (
        "float32",
        "bfloat16",
        "stated types",
    ): "tables kept in low precision, a division by what rounds to 0",
}
"""What to look at first where checks are refuted, by priority: what follows from another stands
after it.
"""

BEFORE_WEIGHTS = (("finite",), ("levels",), ("start",), (ROUNDED,))
"""Causes that make the weights of steps wrong too."""
NOT_AFFINE = "not affine: there is no exact law"
ABOVE = 1.0
"""An order that is higher than the stated one by more, and than that of its steps, is noted: errors
cancel.
"""
STARTED = 2
"""The order to which a first step of order 1 lowers that of a run: its error falls as the square of
its size.
"""
LIMIT = 0.01
"""The largest distance of the limit from the target, in units of the data's scale."""
END = 0.05
"""The largest distance of the end of a run from the data in the limit of many steps, in the data's
scale.
"""
LEFT_AFTER = 1
"""The place of the number of steps, 10 if it runs in 5, after which more than `END` in a dead
direction is noted.
"""
START, BEGINS = 0.1, 0.01
"""The largest logarithm of the start's standard deviation, in units of the exact one; where its
level is stated.
"""
FAR = 0.5
"""A root mean square error on the mixture at the most steps, in the data's scale, that no order
excuses.
"""
TRANSPORTED = 0.02
"""What a distribution that is extrapolated as of order 1 may keep of distance beside its sampling
error.
"""


class Judgement(NamedTuple):
    """One line of a report: the verdict on a check and its reason."""

    check: str
    verdict: str
    why: str


@dataclass(frozen=True)
class Report:
    """All that `conform` measured of one sampler. `order` is the stated order, None where none was
    stated.

    `used` has what options of the network do, where that was asked for; `constant` is the error
    constant. `worst` is the weight of the steps that is farthest from a known method's, if it is
    refuted or has a large constant. `rounding` says how the library rounds noise levels, `place`
    which step of a refuted one does not lead to the level that the network is told; `dead` is what
    it leaves of noise where the data have no variance. `expected` are the checks that its author
    expects to be refuted, with reasons. `asked` is how the command names it, `command` makes this
    report. `made` are judgements that are made already, with the checks `left` out and why: of a
    step that states a density.
    """

    name: str
    version: str
    settings: dict[str, Any]
    order: int | None
    noise: float | None
    convergence: Convergence | None
    conditions: OrderConditions | None
    mixture: Transport | Distribution | None
    defect: float
    w2: dict[int, float]
    invariants: dict[str, Finding]
    seconds: float
    trouble: tuple[str, ...] = ()
    used: tuple[AsUsed, ...] = ()
    worst: Weight | None = None
    constant: float | None = None
    uneven: OrderConditions | None = None
    rounding: str = ""
    place: str = ""
    dead: DeadDirection | None = None
    expected: dict[str, str] = field(default_factory=dict)
    asked: str = ""
    command: str = ""
    made: tuple[Judgement, ...] | None = None
    left: dict[str, str] | None = None

    @cached_property
    def judgements(self) -> tuple[Judgement, ...]:
        """Return the verdicts on all checks that were made."""
        made = _judge(self) if self.made is None else [*self.made]
        return tuple(_as_expected(made, self.expected))

    @property
    def ranked(self) -> list[Judgement]:
        """Return the verdicts, those first that decide."""
        return sorted(self.judgements, key=lambda each: [*MARKS].index(each.verdict))

    @property
    def headline(self) -> str:
        """Return the verdict in words, which count expected failures."""
        count = sum(each.verdict == EXPECTED for each in self.judgements)
        but = f" but for {count} expected failure{'s' * (count > 1)}" if count else ""
        return self.verdict + but

    @property
    def verdict(self) -> str:
        """Return `refuted` if one judgement is, `inconclusive` if one is, and `holds` otherwise."""
        verdicts = {judgement.verdict for judgement in self.judgements}
        return next((word for word in (REFUTED, INCONCLUSIVE) if word in verdicts), HOLDS)

    @property
    def resolved(self) -> bool:
        """Return whether the mixture can decide: draws with an error above what is allowed can only
        refute.
        """
        if isinstance(self.mixture, Distribution):
            return self.mixture.bound <= TRANSPORTED
        return self.mixture is not None

    @property
    def not_made(self) -> dict[str, str]:
        """Return the checks that were not made of such a sampler, with the reason."""
        if self.left is not None:
            return self.left
        made = {each.check for each in self.judgements}
        return {check: _why_not(self, check) for check in CHECKS if check not in made}

    @property
    def why(self) -> str:
        """Return the reasons for a verdict other than `holds`; for `holds`, what was not
        refuted.
        """
        reasons = {
            each.check: f"{each.check}: {each.why}"
            for each in self.judgements
            if each.verdict == self.verdict
        }
        if self.verdict != HOLDS:  # what is not finite fails all else too
            return reasons.get("finite", "; ".join(reasons.values()))
        if expected := [
            f"{each.check}: {each.why}" for each in self.judgements if each.verdict == EXPECTED
        ]:
            return "; ".join(expected)
        if self.order is None and self.convergence and (measured := self.convergence.order):
            return (
                f"no check refutes it; measured order {measured.value:.2f}, not judged, since "
                "none is stated"
            )
        return "no check refutes it"

    @property
    def hint(self) -> str:
        """Return what to look at first in a refuted sampler's code, empty for others and where
        nothing is known.
        """
        refuted = {each.check for each in self.judgements if each.verdict == REFUTED}
        refuted |= {ROUNDED} if self.rounding and refuted else set()
        noted = {each.check for each in self.judgements if each.verdict == NOTED and refuted}
        return next(
            (
                cause
                for said in (refuted, noted)
                for checks, cause in CAUSES.items()
                if said & {*checks}
            ),
            "",
        )

    @property
    def first(self) -> str:
        """Return the step or the weight to look at first, empty where none can be read."""
        return self.place or (self.worst.text() if self.worst else "")

    @property
    def made_by(self) -> dict[str, str]:
        """Return the settings of the sampler and the command that makes this report, where there
        are any.
        """
        given = ", ".join(f"{key}={value!r}" for key, value in self.settings.items())
        return {
            name: words for name, words in (("Settings", given), ("Command", self.command)) if words
        }

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain values, in the keys of `ams conform --json`; what is not
        finite is None.
        """
        curve, mixture = self.convergence, self.mixture
        if isinstance(mixture, Transport):
            of_mixture: Any = {"errors": mixture.errors, "order": mixture.order}
        else:
            of_mixture = mixture
        values = {
            "schema": SCHEMA,
            "kit": __version__,
            "asked": self.asked or self.name,
            "name": self.name,
            "version": self.version,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "settings": self.settings,
            "command": self.command,
            "verdict": self.verdict,
            "headline": self.headline,
            "expected": self.expected,
            "why": self.why,
            "hint": self.hint,
            "first": self.first,
            "worst": self.worst,
            "noted": [each.check for each in self.judgements if each.verdict == NOTED],
            "stated_order": self.order,
            "order": curve and curve.order,
            "order_conditions": self.conditions and _conditions(self.conditions),
            "uneven": self.uneven and _conditions(self.uneven),
            "limit": curve and curve.limit,
            "error_constant": self.constant,
            "end": curve and curve.end,
            "start": curve and curve.start,
            "dead_direction": self.dead,
            "mixture": of_mixture,
            "w2": self.w2,
            "curve": curve and {"steps": curve.steps, "w2": curve.w2, "kl": curve.kl},
            "superposition_defect": self.defect,
            "invariants": self.invariants,
            "judgements": self.judgements,
            "not_made": self.not_made,
            "seconds": round(self.seconds, 2),
        }
        if self.used:
            values["as_used"] = self.used
        plain: dict[str, Any] = _plain(values)
        return plain

    def json(self) -> str:
        """Return the report as JSON; settings that JSON lacks are as printed."""
        return json.dumps(self.as_dict(), indent=1, default=str)

    def text(self) -> str:
        """Return the report for a terminal."""
        width = max(map(len, [*CHECKS, *(each.check for each in self.judgements)]))
        looks = [look for look in (self.place, self.worst and self.worst.text(), self.hint) if look]
        if self.hint in [CAUSES[checks] for checks in BEFORE_WEIGHTS]:
            looks.insert(0, looks.pop())
        lines = [
            (
                f"{self.name} {self.version}: {self.headline} ({self.seconds:.1f} s, kit "
                f"{__version__})"
            ),
            f"  {self.why}",
            *(f"  Look {'at' if i else 'here first'}: {look}" for i, look in enumerate(looks)),
            *(f"  {name}: {value}" for name, value in self.made_by.items()),
            "",
        ]
        for each in self.ranked:
            lines.append(f"  {MARKS[each.verdict]} {each.check:<{width}}  {each.why}")
            if each.verdict == REFUTED and (run := failing_run(self, each.check)):
                lines.append(f"    {'':<{width}}  smallest failing run: {run}")
        lines += [f"    {check:<{width}}  not made: {why}" for check, why in self.not_made.items()]
        if self.w2:
            few = ", ".join(f"{value:.3g} at {steps} steps" for steps, value in self.w2.items())
            lines += [
                "",
                f"  From the library's own start, W2 to the data in units of its scale: {few}",
            ]
        lines += ["", *(each.text() for each in self.used)] if self.used else []
        return "\n".join(lines)


def of_checks(expected: dict[str, str]) -> dict[str, str]:
    """Return checks that are expected to be refuted, by name. Raises UserError for one that does
    not exist.
    """
    known = (*CHECKS, Repeated.check, *OF_A_POLICY)
    for check in expected:
        if check not in known:
            raise unknown("check", check, known)
    return dict(expected)


def _as_expected(judged: list[Judgement], expected: dict[str, str]) -> list[Judgement]:
    """Return judgements in which what is refuted as expected does not decide, and what is not as
    expected does.
    """
    verdicts = {each.check: each.verdict for each in judged}
    result = [
        each._replace(verdict=EXPECTED, why=f"{each.why}; expected: {expected[each.check]}")
        if each.verdict == REFUTED and each.check in expected
        else each
        for each in judged
    ]
    for check, reason in expected.items():
        verdict = verdicts.get(check, "not made")
        if verdict not in (REFUTED, INCONCLUSIVE):
            words = (
                f"{check} is expected to be refuted ({reason}), its verdict is {verdict}: "
                "expect it no more"
            )
            result.append(Judgement(STALE, REFUTED, words))
    return result


def failing_run(report: Report, check: str) -> str:
    """Return the run of fewest steps in which a refuted check shows, with its numbers; empty where
    none is known.
    """
    curve, steep = report.convergence, (report.order or 0) - ORDER_SHORT
    runs = dict(zip(curve.steps, curve.w2, strict=False)) if curve else {}
    if check in report.invariants:
        return f"N = {RUN}" if " steps" not in report.invariants[check].why else ""
    if check == "order":
        for (fewer, before), (more, after) in pairwise(runs.items()):
            if before < after * (more / fewer) ** steep:
                return f"N = {fewer} and {more}, W2 {before:.3g} and {after:.3g}"
    left = report.dead.left if report.dead else {}
    shown = {"limit": runs, "end": report.w2, "dead direction": left}.get(check, {})
    allowed = largest_limit(curve) if curve and check == "limit" else END
    words = (
        f"N = {steps}, {value:.3g} of the data's scale"
        for steps, value in shown.items()
        if value > allowed
    )
    return next(words, "")


def _conditions(conditions: OrderConditions) -> dict[str, Any]:
    interval = conditions.order._asdict() if conditions.order else {"value": None}
    return {"degree": conditions.degree, "local": interval.pop("value"), **interval}


def _plain(value: Any) -> Any:
    """Return a value as JSON has it, a named tuple by its fields; what is not finite is None."""
    match value:
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case tuple() if hasattr(value, "_asdict"):
            return _plain(value._asdict())
        case list() | tuple():
            return [_plain(item) for item in value]
        case float() if not math.isfinite(value):
            return None
    return value


def _judge(report: Report) -> list[Judgement]:
    """Return the judgements in the order of the report."""
    judged = [Judgement("run", INCONCLUSIVE, reason) for reason in report.trouble]
    affine = report.defect <= AFFINE
    for name, finding in report.invariants.items():
        if finding.holds is not None:
            # clipping prefers the axes and its own scale
            of_clipping = name in ("rotation", "scaling") and not affine
            fails = NOTED if of_clipping else REFUTED
            judged.append(Judgement(name, HOLDS if finding.holds else fails, finding.why))
        elif name in NOTED_ALONE:
            judged.append(Judgement(name, NOTED, finding.why))
    if report.rounding:
        judged.append(Judgement(ROUNDED, NOTED, report.rounding))
    if not affine:
        decided = (
            "in the limit of large batches"
            if report.convergence
            else "on the mixture"
            if report.resolved
            else ""
        )
        words = no_exact_law(report)
        if report.convergence or words == NOT_AFFINE:
            words = f"not affine, by {report.defect:.1e} of the end"
        words += f"; judged {decided}" if decided else ""
        judged.append(Judgement("affine", NOTED if decided else INCONCLUSIVE, words))
    elif report.convergence is not None:
        words = f"responses to start and draws add up, but for {report.defect:.1e} of the end"
        judged.append(Judgement("affine", HOLDS, words))
    if report.convergence is not None:
        measured = report.convergence
        judged += _judge_curve(measured)
        judged += [_judge_dead(report.dead)] if report.dead else []
        judged += _judge_order(
            "order",
            report,
            measured.order,
            measured.why,
            start=_past_start(report, measured.of_steps),
        )
    if report.constant is not None:
        words = (
            f"W2 after {STEPS[-1]} steps is {report.constant:.2g} times the largest of methods "
            f"of order {report.order}"
        )
        judged.append(
            Judgement("error constant", NOTED if report.constant > NOTED_ABOVE else HOLDS, words)
        )
    if report.worst and explained(report.worst):
        judged.append(Judgement("weights", NOTED, report.worst.text()))
    conditions = report.conditions
    if conditions is not None and conditions.order is not None:
        judged += _judge_order(
            "order of each step",
            report,
            conditions.order,
            conditions.why,
            design=_of_marginals(report, conditions),
        )
    if report.uneven is not None:
        judged += _judge_order(
            "order on uneven steps", report, report.uneven.order, report.uneven.why
        )
    match report.mixture:
        case Transport(errors, order, why, of_steps):
            words = (
                f"with the most steps the error is {errors[-1]:.1e} of the data's scale, at "
                f"most {FAR:g} allowed"
            )
            judged.append(
                Judgement("error on the mixture", HOLDS if errors[-1] <= FAR else REFUTED, words)
            )
            judged += _judge_order(
                "order on the mixture", report, order, why, start=_past_start(report, of_steps)
            )
        case Distribution(distance, bound):
            verdict = _within(distance, bound + TRANSPORTED)
            words = f"distance of distribution functions {distance:.3f}, sampling error {bound:.3f}"
            if verdict == HOLDS and not report.resolved:
                verdict, words = (
                    NOTED,
                    f"{words}; distances below {bound + TRANSPORTED:.2f} cannot be seen",
                )
            judged.append(Judgement("distribution on the mixture", verdict, words))
    return judged


def _why_not(report: Report, check: str) -> str:
    """Return why a check was not made: of what was not judged its finding, or what the sampler
    states.
    """
    if check in report.invariants:
        return report.invariants[check].why
    if check.startswith(("order", "error constant")) and report.order is None:
        return "no order is stated"
    not_of_such = {
        "evaluations": "no number of evaluations is stated",
        "levels": "no noise levels are stated",
    }
    if report.convergence is not None:
        not_of_such |= {"error constant": TOO_FEW, "start": "an inversion is given its data"}
    not_of_such |= {"few steps": "its network is not distilled"}
    not_of_such |= dict.fromkeys(("float32", "bfloat16"), "its types are stated")
    not_of_such["order on uneven steps"] = (
        "its noise levels are its own; an adapter takes others as `uneven`"
    )
    if report.noise != 0:
        not_of_such |= dict.fromkeys(
            (
                "error constant",
                "order on uneven steps",
                "error on the mixture",
                "order on the mixture",
            ),
            "it is stated to draw",
        )
    else:
        not_of_such["distribution on the mixture"] = "it is not stated to draw"
    if report.noise is None:
        not_of_such |= dict.fromkeys(
            ("noise", "order of each step"), "its noise varies along a run"
        )
    if report.conditions is not None:
        not_of_such["order of each step"] = report.conditions.why
    if report.convergence is None and (reason := no_exact_law(report)):
        not_of_such |= dict.fromkeys(
            (
                "outliers",
                "few steps",
                "limit",
                "start",
                "end",
                "dead direction",
                "order",
                "error constant",
            ),
            reason,
        )
    return not_of_such.get(check, "it could not be, for what the lines above say")


def no_exact_law(report: Report) -> str:
    """Return why a sampler has no exact distributions of runs, empty where that is among the
    troubles.
    """
    failed = {name for name, finding in report.invariants.items() if not finding.holds}
    if "finite" in failed or math.isnan(report.defect):
        return "not every end is finite: there is no exact law"
    if "rows independent" in failed:
        return "samples depend on the rest of their batch: there is no exact law"
    return NOT_AFFINE if report.defect > AFFINE else ""


def largest_limit(curve: Convergence) -> float:
    """Return the largest limit that is allowed, of an inversion that of an end: its first step, off
    the data, is in it.

    Like the last step of a sampler it may have a fixed length, to a table's first entry.
    """
    return END if curve.start is None else LIMIT


def _judge_curve(curve: Convergence) -> list[Judgement]:
    """Return the judgements on limit, start and end, which refutes or else holds: short runs leave
    it uncertain.
    """
    limit, start, end, most = curve.limit, curve.start, curve.end, largest_limit(curve)
    verdict = REFUTED if limit.least > most else HOLDS if limit.most <= most else INCONCLUSIVE
    judged = [Judgement("limit", verdict, f"W2 of the limit to the target {limit.text(most)}")]
    if start is not None:
        allowed = BEGINS if curve.begins else START
        words = (
            "logarithm of the ratio of the start's standard deviations, drawn to exact, "
            f"{start:.1e}"
        )
        judged.append(
            Judgement("start", _within(start, allowed), f"{words}, at most {allowed:g} allowed")
        )
    return [
        *judged,
        Judgement(
            "end", _within(end.least, END), f"W2 of the limit of ends to the data {end.text(END)}"
        ),
    ]


def _judge_dead(dead: DeadDirection) -> Judgement:
    """Return the judgement on noise left in a dead direction: its limit refutes, slow convergence
    is noted.
    """
    left = ", ".join(
        f"{value:.2g} after {steps} steps" for steps, value in dead.left.items() if value > ROUNDING
    )
    words = (
        f"noise left where the data have no variance: {left or 'none'}; limit "
        f"{dead.limit.text(END)}"
    )
    words += (
        f"; it falls with order {_words(dead.order)}"
        if dead.order and 0 < dead.order.low < math.inf
        else ""
    )
    if dead.limit.least > END:
        return Judgement("dead direction", REFUTED, words)
    return Judgement(
        "dead direction", HOLDS if list(dead.left.values())[LEFT_AFTER] <= END else NOTED, words
    )


def _within(value: float, allowed: float) -> str:
    """Return the verdict on a value that is to be at most `allowed`; what is not a number decides
    nothing.
    """
    return INCONCLUSIVE if math.isnan(value) else HOLDS if value <= allowed else REFUTED


def _judge_order(
    check: str, report: Report, order: Order | None, why: str, *, design: str = "", start: str = ""
) -> list[Judgement]:
    """Return the judgement on a measured order, none where no order was stated.

    `design` is the reason for which a lower order is a design and no verdict, empty where there is
    none. `start` says that the steps past the start have the stated order: a lower one is a design
    too if it is `STARTED` or more.
    """
    if report.order is None:
        return []
    if order is None:
        return [Judgement(check, HOLDS if why == EXACT else INCONCLUSIVE, why)]
    words = f"measured {_words(order)}, stated {report.order}"
    if math.isinf(order.high):
        words += (
            "; runs do not grow by one number of calls with each step, so that its states are "
            "not known"
        )
    if reached(order, report.order):
        own = report.conditions.order if report.conditions else None
        if (
            own
            and check != "order of each step"
            and order.value > max(report.order + ABOVE, own.high)
        ):
            return [
                Judgement(
                    check,
                    NOTED,
                    f"{words}: more than that of its steps, {_words(own)}; errors cancel here",
                )
            ]
        return [Judgement(check, HOLDS, words)]
    if start and order.high >= min(STARTED, report.order) - ORDER_SHORT:
        design = start
    elif start:
        words += (
            f"; {start}, and a start of order 1 leaves the run an order of {STARTED}: a first "
            "step is wrong"
        )
    if design:
        return [Judgement(check, NOTED, f"{words}; {design}")]
    return [Judgement(check, REFUTED if below(order, report.order) else INCONCLUSIVE, words)]


def _words(order: Order) -> str:
    return f"{order.value:.2f} [{order.low:.2f}, {order.high:.2f}]"


def _past_start(report: Report, of_steps: Order | None) -> str:
    """Return that steps past the start have the stated order, if they do."""
    if of_steps is None or not reached(of_steps, report.order):
        return ""
    return f"past the start each step has order {_words(of_steps)}"


def _of_marginals(report: Report, conditions: OrderConditions) -> str:
    """Return that a sampler that draws has the stated order in its marginals, if they do: no step
    of it must.

    A step of order below 1 has another drift than the reverse SDE that is stated, whatever the
    marginals do.
    """
    curve = report.convergence
    if not report.noise or curve is None or curve.limit.most > largest_limit(curve):
        return ""
    if not (reached(conditions.order, 1) and reached(curve.order, report.order)):
        return ""
    return (
        "the mean of a step, against the reverse SDE's; the marginals, which decide, have the "
        "stated order"
    )


def below(order: Order | None, stated: int | None) -> bool:
    """Return whether a measured order is certainly less than the stated one; none is where none is
    stated.
    """
    return stated is not None and order is not None and order.high < stated - ORDER_SHORT


def reached(order: Order | None, stated: int | None) -> bool:
    """Return whether a measured order is certainly the stated one or more; any is where none is
    stated.
    """
    return stated is None or (order is not None and order.low >= stated - ORDER_SHORT)
