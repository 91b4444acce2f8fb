"""What changed between two versions of samplers: their reports beside each other, as the JSON that
was written of them.

`python -m samplercheck.beside BASE.json HEAD.json` prints a comment on a pull request. Each file
has what `samplercheck --json` prints, a report or a list of them. Exit code 1 where a verdict is
worse than in the base or an order is lower, where a sampler of the base is not judged any more, and
where none is judged; a sampler that the base lacks is worse if it is refuted or raises. Exit code 2
for a file that is damaged, or of another schema.
"""

import json
import math
import sys
from pathlib import Path
from typing import Any, NamedTuple

from samplercheck.errors import UserError
from samplercheck.in_process import clean
from samplercheck.verdict_words import (
    EXPECTED,
    HOLDS,
    INCONCLUSIVE,
    NOTED,
    ORDER_SHORT,
    RAISED,
    REFUTED,
    SCHEMA,
)

NOTABLE = 1e-6
SEVERITY = (HOLDS, EXPECTED, NOTED, INCONCLUSIVE, REFUTED)


def read(path: Path) -> list[dict[str, Any]]:
    """Return the reports that a file has, and what raised. Raises UserError for a file that is
    none, or of a schema.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as reason:
        raise UserError(f"{path}: {reason}: write it with --json") from reason
    reports = values if isinstance(values, list) else [values]
    for each in reports:
        if not isinstance(each, dict) or "verdict" not in each:
            raise UserError(f"{path}: not a report that --json wrote")
        if (schema := each.get("schema")) != SCHEMA:
            raise UserError(
                f"{path}: schema {schema}, and this kit reads {SCHEMA}: write it again "
                "with this kit"
            )
    return reports


def judged(report: dict[str, Any]) -> bool:
    """Return whether a sampler was judged; one that raised was not."""
    return report["verdict"] in SEVERITY


SLIPS = ("outliers", "weights", "second run", "start kept")
"""Checks whose note tells a design or a slip: one that comes is worse, since the code was without
it.
"""


class Change(NamedTuple):
    """A difference in words, and whether it is for the worse."""

    words: str
    worse: bool = False


def changes(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    """Return each difference: versions, settings, verdicts of checks, measured orders, laws. None:
    the same laws.

    A verdict is worse where it comes later in `SEVERITY`, an order where its whole interval is
    lower by more than `ORDER_SHORT` and the new report does not expect that. So is a new note of
    `SLIPS`. One loss is marked once: at its check, else at the order, else at the verdict.
    """
    if not (judged(old) and judged(new)):
        if judged(new):
            return [Change("raised in the base", new["verdict"] == REFUTED)]
        return [Change(f"cannot be judged: {new['why']}", judged(old))]
    keys = "name", "version", "kit", "python", "torch", "settings", "stated_order"
    differences = [
        Change(f"{key}: {old.get(key)} -> {new.get(key)}")
        for key in keys
        if old.get(key) != new.get(key)
    ]
    before, after = (
        {each["check"]: each for each in report["judgements"]} for report in (old, new)
    )
    lost = set[str]()
    for check in dict.fromkeys([*before, *after]):
        was, now = before.get(check), after.get(check)
        if (
            now
            and now["verdict"] == NOTED
            and check in SLIPS
            and (not was or was["verdict"] == HOLDS)
        ):
            differences.append(Change(f"{check}: noted, was not ({now['why']})", worse=True))
        elif was is None or now is None:
            differences.append(Change(f"{check}: {'new' if was is None else 'no longer made'}"))
        elif was["verdict"] != now["verdict"]:
            words = f"{check}: {was['verdict']} -> {now['verdict']} ({now['why']})"
            differences.append(Change(words, _worse(was["verdict"], now["verdict"])))
            lost |= {check} if differences[-1].worse else set()
    for name, (low, high) in _orders(old).items():
        now_low, now_high = _orders(new).get(name, (low, high))
        if now_high < low - ORDER_SHORT or high < now_low - ORDER_SHORT:
            words = f"measured {name}: [{low:.2f}, {high:.2f}] -> [{now_low:.2f}, {now_high:.2f}]"
            lower = now_high < low and name not in {*lost, *(new.get("expected") or {})}
            differences.append(Change(words, lower))
    for steps in old["w2"]:
        a, b = old["w2"][steps], new["w2"].get(steps)
        if a is not None and b is not None and not math.isclose(a, b, rel_tol=NOTABLE):
            differences.append(Change(f"W2 at {steps} steps: {a:.4g} -> {b:.4g}"))
    if old["verdict"] != new["verdict"]:
        worse = _worse(old["verdict"], new["verdict"]) and not any(x.worse for x in differences)
        differences.append(Change(f"verdict: {old['verdict']} -> {new['verdict']}", worse))
    return differences


def _worse(old: str, new: str) -> bool:
    return SEVERITY.index(new) > max(SEVERITY.index(old), SEVERITY.index(NOTED))


def _orders(report: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """Return the intervals of the orders that a report has."""
    mixture = report.get("mixture") or {}
    orders = {"order": report.get("order"), "order of each step": report.get("order_conditions")}
    orders |= {
        "order on uneven steps": report.get("uneven"),
        "order on the mixture": mixture.get("order"),
    }
    return {
        name: (
            each["low"],
            math.inf if each["high"] is None else each["high"],
        )  # JSON has no infinity
        for name, each in orders.items()
        if each and "low" in each
    }


def paired(
    base: list[dict[str, Any]], head: list[dict[str, Any]]
) -> list[tuple[str, list[Change]]]:
    """Return the changes of each sampler by name: what was judged in the base and is not now is
    worse.

    New samplers are worse if they are refuted or raise. One sampler in each is one sampler,
    whatever its name. Raises UserError for reports that lack something.
    """
    try:
        old = {report["asked"]: report for report in base}
        if len(base) == len(head) == 1:
            old = {head[0]["asked"]: base[0]}
        differences = []
        for report in head:
            before = old.pop(report["asked"], None)
            why = "" if judged(report) else f", cannot be judged: {report['why']}"
            new = [Change(f"new{why}", report["verdict"] in (REFUTED, RAISED))]
            differences.append((report["asked"], changes(before, report) if before else new))
        return differences + [
            (name, [Change("no longer judged", judged(report))]) for name, report in old.items()
        ]
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"a report is damaged ({error!r}): write it again with --json") from error


def sentences(differences: list[tuple[str, list[Change]]], worse: str = "worse") -> list[str]:
    """Return each change in a line, marked where it is for the worse; the last line is the
    conclusion.
    """
    each_one = [(name, each) for name, news in differences for each in news]
    lines = [f"{f'{worse}, ' * each.worse}{name}: {each.words}" for name, each in each_one]
    if not lines:
        return ["Nothing changed."]
    count = sum(each.worse for _, each in each_one)
    return [
        *lines,
        f"For the worse: {count} of {len(lines)} changes." if count else "Nothing is worse.",
    ]


def comment(base: list[dict[str, Any]], head: list[dict[str, Any]]) -> tuple[str, bool]:
    """Return the comment, in Markdown, and whether something is worse, or nothing was judged."""
    differences = paired(base, head)
    old = {report["asked"]: report for report in base}
    lines = (
        ["| sampler | verdict | order | limit, W2 | look first at |", "|---|---|---|---|---|"]
        if head
        else []
    )
    for report in head:
        compared = [each for each in (old.get(report["asked"]), report) if each]
        verdicts = dict.fromkeys(each.get("headline", each["verdict"]) for each in compared)
        cells = (
            report["asked"],
            " → ".join(verdicts),
            _order(report),
            _limit(report),
            _first(report),
        )
        lines.append(
            f"| {' | '.join(' '.join(cell.split()).replace('|', '/') for cell in cells)} |"
        )
    none = not any(map(judged, head))
    lines += ["", *["No sampler was judged."] * none]
    *changed, conclusion = sentences(differences, "**worse**")
    lines += [f"- {line}" for line in changed]
    if not any(map(judged, base)):
        lines.append("- nothing was judged in the base: all is new")
    lines += ["", conclusion]
    return "\n".join(lines), none or any(each.worse for _, news in differences for each in news)


def _order(report: dict[str, Any]) -> str:
    measured, stated = report.get("order"), report.get("stated_order")
    return f"{measured['value']:.2f}{f' of {stated}' if stated else ''}" if measured else ""


def _limit(report: dict[str, Any]) -> str:
    limit = report.get("limit")
    return f"{limit['value']:.1e}" if limit and limit["value"] is not None else ""


def _first(report: dict[str, Any]) -> str:
    return report.get("first") or (
        "" if report["verdict"] == HOLDS else report["why"].split(";")[0]
    )


def main(arguments: list[str]) -> int:
    """Print the comment; return the exit code."""
    try:
        text, worse = comment(*(read(Path(argument)) for argument in arguments))
    except UserError as error:
        print(f"samplercheck.beside: {clean(str(error))}", file=sys.stderr)
        return 2
    print(clean(text))
    return int(worse)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
