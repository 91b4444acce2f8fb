"""Verdicts, numbers and checks in a reader's words: the same in terminal, pages and paper."""

import math
import re
import unicodedata
from fractions import Fraction

from verdicts.claims.check import Check, Relation
from verdicts.claims.measurement import Enclosure
from verdicts.claims.schema import Verdict
from verdicts.records.expected import ExpectedCheck
from verdicts.records.record import CheckResult

SIGNS = {Relation.EQUAL: "=", Relation.AT_MOST: "≤", Relation.AT_LEAST: "≥"}
MARKS = {Verdict.HOLDS: "✓", Verdict.REFUTED: "✗", Verdict.INCONCLUSIVE: "?", Verdict.NOT_RUN: "–"}


def number(value: float | None, digits: int = 3) -> str:
    """Return a number for reading: `digits` significant ones, a true minus sign, no exponent
    where none is needed.
    """
    if value is None:
        return "–"
    if value == int(value) and abs(value) < 1e6:
        return f"{int(value)}".replace("-", "−")
    return (
        f"{value:.{digits}g}".replace("e-0", "e-")
        .replace("e+0", "e")
        .replace("e+", "e")
        .replace("-", "−")
    )


def percent(share: float | None) -> str:
    """Return a share for reading, in per cent with two significant digits: `1.2 %`."""
    return f"{number(None if share is None else 100 * share, 2)} %"


def spread(measured: CheckResult | ExpectedCheck, digits: int = 3) -> str:
    """Return a value for reading, with its interval where it is not exact, or as proved
    (`0.4990792176 ± 5e-11`).
    """
    proof = measured.enclosure if isinstance(measured, CheckResult) else None
    if proof:
        interval = (
            ""
            if (proof.low, proof.high) == (measured.low, measured.high)
            else _interval(measured, digits)
        )
        return f"{_enclosed(proof)}, proved{interval}"
    return number(measured.value, digits) + (
        "" if measured.low == measured.high else _interval(measured, digits)
    )


def _enclosed(proof: Enclosure) -> str:
    """Return the middle of an enclosure in ten digits, and by how much that may be off, rounded
    up to one digit.
    """
    middle = f"{(proof.low + proof.high) / 2:.10g}"
    off = max(Fraction(proof.high) - Fraction(middle), Fraction(middle) - Fraction(proof.low))
    if off == 0:
        return number(float(middle), 10)
    unit = Fraction(10) ** math.floor(math.log10(off))
    return f"{number(float(middle), 10)} ± {number(float(math.ceil(off / unit) * unit), 1)}"


def _interval(measured: CheckResult | ExpectedCheck, digits: int) -> str:
    low, high = number(measured.low, digits), number(measured.high, digits)
    return f" [{low}, {high}]"


def required(check: Check) -> str:
    """Return what a check requires of its quantity, without the unit.

    The bound that decides has the tolerance in it (`≤ 0.005`); an equality names both (`= 0 ±
    0.005`).
    """
    bound, margin = check.bound, ""
    if check.relation is Relation.EQUAL:
        margin = f" ± {number(check.tolerance)}" if check.tolerance else ""
    else:
        bound += check.tolerance if check.relation is Relation.AT_MOST else -check.tolerance
    return f"{SIGNS[check.relation]} {number(bound, 6)}{margin}"


SYMBOLS = {
    "approx": "≈",
    "cdot": "·",
    "dots": "…",
    "ge": "≥",
    "geq": "≥",
    "gg": "≫",
    "in": "∈",
    "infty": "∞",
    "le": "≤",
    "leq": "≤",
    "ll": "≪",
    "mid": "|",
    "ne": "≠",
    "pm": "±",
    "propto": "∝",
    "qquad": " ",
    "quad": " ",
    "sim": "∼",
    "sqrt": "√",
    "times": "×",
    "to": "→",
    "|": "‖",
}
SHAPES = r"\\(?:mathrm|mathbf|mathcal|mathbb|text|operatorname|boldsymbol|bm|bar|hat|tilde|left|right)(?![A-Za-z])"
"""TeX commands that only shape what follows them."""
DOLLAR = r"\$(?![A-Z]+_[A-Z])"
"""A dollar before the name of an environment variable ($AMS_DATA) opens no formula, and closes
none.
"""


def plain(text: str) -> str:
    """Return a text without markup: the formula `W_2 < \\delta/4` becomes `W2 < δ/4`; a power
    stays.
    """
    return re.sub(rf"(?:{DOLLAR})+([^$]+)(?:{DOLLAR})+", _formula, text).replace("`", "")


def _formula(formula: re.Match[str]) -> str:
    """Return a TeX formula without its commands and braces."""
    bare = re.sub(SHAPES, "", formula[1])
    bare = re.sub(r"\\[dt]?frac\s*(\d|\{[^{}]*\})\s*(\d|\{[^{}]*\})", r"\1/\2", bare)
    letters = re.sub(r"\\([A-Za-z]+|\|)", _letter, re.sub(r"\\[,;:! ]", " ", bare))
    return " ".join(re.sub(r"[{}\\]|(?<=[A-Za-z])_(?=\{?\d)", "", letters).split())


def _letter(command: re.Match[str]) -> str:
    """Return the sign or the Greek letter that a TeX command names, else its name."""
    if command[1] in SYMBOLS:
        return SYMBOLS[command[1]]
    size = "CAPITAL" if command[1][0].isupper() else "SMALL"
    name = "LAMDA" if command[1].lower() == "lambda" else command[1].removeprefix("var").upper()
    try:
        return unicodedata.lookup(f"GREEK {size} LETTER {name}")
    except KeyError:
        return command[1]


def clock(seconds: float) -> str:
    """Return a measured time for reading, to the second, from an hour on to the minute: `1 min
    30 s`, `1 h 5 min`.
    """
    whole = round(seconds)
    for large, big, small, little in ((3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= large:
            rest = whole % large // small
            return f"{whole // large} {big}" + (f" {rest} {little}" if rest else "")
    return f"{whole} s"


def span(low: float, high: float) -> str:
    """Return a range of times for reading, rounded: `20 to 45 s`, `3 to 5 min`, `1.5 to 2.5 h`."""
    units = (("s", 1, 5), ("min", 60, 1), ("h", 3600, 0.5))
    name, size, step = next((unit for unit in units if high < 90 * unit[1]), units[-1])
    first, last = (max(step, step * round(time / size / step)) for time in (low, high))
    return f"{last:g} {name}" if first == last else f"{first:g} to {last:g} {name}"


def duration(seconds: float) -> str:
    """Return a time span for reading."""
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min"
