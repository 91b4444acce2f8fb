"""`python -m samplercheck.beside BASE.json HEAD.json`: two sets of reports as a comment on a pull request.

Each file has what `samplercheck --json` prints, a report or a list of them. Exit code 1 where a verdict is worse than
in the base or an order is lower; a sampler that the base lacks is worse if it is refuted.
"""

import json
import sys
from pathlib import Path
from typing import Any

from samplercheck.changes import Change, changes
from samplercheck.report import HOLDS, REFUTED


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
