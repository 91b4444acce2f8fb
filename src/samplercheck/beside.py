"""What changed between two versions of samplers: their reports beside each other, as the JSON that was written of them.

`python -m samplercheck.beside BASE.json HEAD.json` prints a comment on a pull request. Each file has what `samplercheck
--json` prints, a report or a list of them. Exit code 1 where a verdict is worse than in the base or an order is lower;
a sampler that the base lacks is worse if it is refuted.
"""

import json
import math
import sys
from pathlib import Path
from typing import Any, NamedTuple

from samplercheck.errors import UserError
from samplercheck.report import HOLDS, INCONCLUSIVE, NOTED, ORDER_SHORT, REFUTED

KEYS = ("name", "verdict", "judgements", "w2", "curve")
NOTABLE = 1e-6
SEVERITY = (HOLDS, NOTED, INCONCLUSIVE, REFUTED)


def read(path: Path) -> dict[str, Any]:
    """Return a report's values. Raises UserError for a file that is none."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as reason:
        raise UserError(f"--against {path}: {reason}") from reason
    if not isinstance(values, dict) or any(key not in values for key in KEYS):
        raise UserError(f"--against {path}: not a report that --json wrote")
    return values


class Change(NamedTuple):
    """A difference in words, and whether it is for the worse."""

    words: str
    worse: bool = False


def changes(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    """Return each difference: versions, settings, verdicts of checks, measured orders, laws. None: the same laws.

    A verdict is worse where it comes later in `SEVERITY`, an order where its whole interval is lower by more than
    `ORDER_SHORT`.
    """
    differences = [
        Change(f"{key}: {old.get(key)} -> {new.get(key)}", key == "verdict" and _worse(old[key], new[key]))
        for key in ("name", "version", "kit", "python", "torch", "settings", "stated_order", "verdict")
        if old.get(key) != new.get(key)
    ]
    before, after = ({each["check"]: each for each in report["judgements"]} for report in (old, new))
    for check in dict.fromkeys([*before, *after]):
        was, now = before.get(check), after.get(check)
        if was is None or now is None:
            differences.append(Change(f"{check}: {'new' if was is None else 'no longer made'}"))
        elif was["verdict"] != now["verdict"]:
            words = f"{check}: {was['verdict']} -> {now['verdict']} ({now['why']})"
            differences.append(Change(words, _worse(was["verdict"], now["verdict"])))
    for name, (low, high) in _orders(old).items():
        now_low, now_high = _orders(new).get(name, (low, high))
        if now_high < low - ORDER_SHORT or high < now_low - ORDER_SHORT:
            words = f"measured {name}: [{low:.2f}, {high:.2f}] -> [{now_low:.2f}, {now_high:.2f}]"
            differences.append(Change(words, now_high < low))
    for steps in old["w2"]:
        a, b = old["w2"][steps], new["w2"].get(steps)
        if a is not None and b is not None and not math.isclose(a, b, rel_tol=NOTABLE):
            differences.append(Change(f"W2 at {steps} steps: {a:.4g} -> {b:.4g}"))
    return differences


def _worse(old: str, new: str) -> bool:
    return SEVERITY.index(new) > max(SEVERITY.index(old), SEVERITY.index(NOTED))


def _orders(report: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """Return the intervals of the orders that a report has."""
    mixture = report.get("mixture") or {}
    orders = {"order": report.get("order"), "order of each step": report.get("order_conditions")}
    orders |= {"order on uneven steps": report.get("uneven"), "order on the mixture": mixture.get("order")}
    return {
        name: (each["low"], math.inf if each["high"] is None else each["high"])  # JSON has no infinity
        for name, each in orders.items()
        if each and "low" in each
    }


def comment(base: list[dict[str, Any]], head: list[dict[str, Any]]) -> tuple[str, bool]:
    """Return the comment, in Markdown, and whether something is worse."""
    old = {report["name"]: report for report in base}
    lines = ["| sampler | verdict | order | limit, W2 | look first at |", "|---|---|---|---|---|"]
    notes, worse = list[str](), False
    for report in head:
        before = old.pop(report["name"], None)
        differences = changes(before, report) if before else [Change("new", report["verdict"] == REFUTED)]
        worse |= any(each.worse for each in differences)
        verdicts = dict.fromkeys(each["verdict"] for each in (before, report) if each)
        cells = report["name"], " → ".join(verdicts), _order(report), _limit(report), _first(report)
        lines.append(f"| {' | '.join(cells)} |")
        notes += [f"- {'**worse**, ' if each.worse else ''}{report['name']}: {each.words}" for each in differences]
    notes += [f"- {name}: no longer judged" for name in old]
    return "\n".join([*(lines if head else ["No sampler was judged."]), "", *(notes or ["Nothing changed."])]), worse


def _order(report: dict[str, Any]) -> str:
    measured, stated = report["order"], report["stated_order"]
    return f"{measured['value']:.2f}{f' of {stated}' if stated else ''}" if measured else ""


def _limit(report: dict[str, Any]) -> str:
    return f"{report['limit']['value']:.1e}" if report["limit"] and report["limit"]["value"] is not None else ""


def _first(report: dict[str, Any]) -> str:
    return report["first"] or ("" if report["verdict"] == HOLDS else report["why"].split(";")[0])


def main(arguments: list[str]) -> int:
    """Print the comment; return the exit code."""
    reports = [json.loads(Path(argument).read_text(encoding="utf-8")) for argument in arguments]
    text, worse = comment(*([each] if isinstance(each, dict) else each for each in reports))
    print(text)
    return int(worse)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
