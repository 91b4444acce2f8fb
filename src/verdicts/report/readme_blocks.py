"""What pages of the repository say of claims and results: blocks of README.md, docs/claims.md and
others.

They are written from the claims and the kept values, never by hand (`ams pages`):
`templates/blocks.md.j2` has what stands between `<!-- begin NAME -->` and `<!-- end -->`.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from verdicts.claims.loading import load_claims
from verdicts.claims.schema import Claims, Group, Profile
from verdicts.records.expected import Expected, kept_runs
from verdicts.records.files import write_whole
from verdicts.report.findings import Decisions, answers_of, rows_of
from verdicts.report.images import forest_svg
from verdicts.report.report_texts import load_exhibits, load_findings
from verdicts.report.templating import render_blocks
from verdicts.report.words import duration

PAGES = ("README.md", "paper/ARTIFACT.md", "docs/claims.md", "docs/index.md", "docs/running.md")
PICTURE = "paper/answer.svg"
BLOCK = re.compile(r"(<!-- begin (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
# Whose values stand for the suite's: those of what a reader runs by default
PREFERRED = (Profile.CPU, Profile.FULL, Profile.QUICK)
NOTHING = "No run is kept under `paper/expected/` yet."
WHAT = {
    Profile.QUICK: "all theory, small experiments; no notebook executed",
    Profile.CPU: (
        "everything that runs on a laptop, with the notebook pages; the default without CUDA"
    ),
    Profile.FULL: "the same with larger sizes, and the claims that need them",
    Profile.PAPER: (
        "the paper's sizes, on its networks where their files are found; the default with CUDA"
    ),
    Profile.BENCH: "how fast the suite is, also against other libraries",
}


def contents(root: Path) -> dict[str, str]:
    """Return the pages with their blocks, as the expected values give them. Raises UserError."""
    claims = load_claims(root)
    findings = load_findings(root, claims)
    expected = {run.profile: run for run in kept_runs(root)}
    chosen = next((expected[profile] for profile in PREFERRED if profile in expected), None)
    evidence = Decisions.strongest(expected.values())
    shown = {
        "claims": claims,
        "findings": findings,
        "expected": expected,
        "evidence": evidence,
        "nothing": NOTHING,
        "picture": PICTURE,
        "profiles": WHAT,
        "answers": answers_of(claims, findings, evidence),
        "rows": rows_of(claims, findings, evidence, Decisions.of(chosen)) if chosen else [],
        "decided": sum(name in chosen.claims for name in claims.expecting) if chosen else 0,
        "took": {profile: duration(run.seconds) for profile, run in expected.items()},
        "experiments": [
            _experiment(claims, group, number, expected.get(Profile.BENCH), chosen)
            for number, group in enumerate(claims.group, 1)
        ],
        "exhibits": load_exhibits(root),
        "command": lambda names: _command(root, claims, names),
    }
    blocks = render_blocks("blocks.md.j2", **shown)

    def filled(match: re.Match[str]) -> str:
        return f"{match[1]}{blocks[match[2]]}\n{match[3]}"

    texts = {
        name: (root / name).read_text(encoding="utf-8") for name in PAGES if (root / name).is_file()
    }
    pages = {name: BLOCK.sub(filled, text) for name, text in texts.items()}
    if pages and (forest := findings.answer.forest):
        pages[PICTURE] = forest_svg(forest, evidence)
    return pages


def _experiment(
    claims: Claims, group: Group, number: int, timed: Expected | None, chosen: Expected | None
) -> dict[str, Any]:
    """Return a group as an experiment: what it decides, what it took, and by how much its values
    vary.
    """
    members = claims.of_group(group.id)
    run = timed if all(claim.profiles == (Profile.BENCH,) for claim in members) else chosen
    known = [run.claims[claim.id] for claim in members if claim.id in run.claims] if run else []
    took, varies = "not measured", "not measured"
    if run and known:
        took = duration(run.studies.get(group.id, 0.0) + sum(claim.seconds for claim in known))
        checks = [check for claim in known for check in claim.checks.values()]
        halves = [
            (each.high - each.low) / 2 / abs(each.value) for each in checks if each.low < each.high
        ]
        varies = "none beyond rounding"
        if halves:
            varies = f"{len(halves)} of {len(checks)} values, by ±{median(halves):.2g} of the value"
    return {
        "number": number,
        "group": group.id,
        "members": members,
        "decides": {name for claim in members for name in claim.paper},
        "supports": {name for claim in members for name in claim.supports},
        "took": took,
        "varies": varies,
    }


def _command(root: Path, claims: Claims, names: Sequence[str]) -> str:
    """Return the command that makes some claims, groups and figures (of the group whose notebook
    shows it).
    """

    def has(group: Group) -> bool:
        members = {group.id, *(claim.id for claim in claims.of_group(group.id))}
        notebook = (root / group.notebook).read_text(encoding="utf-8") if group.notebook else ""
        return any(name in members or f'"{name}"' in notebook for name in names)

    groups = " ".join(group.id for group in claims.group if has(group))
    return f"`bash reproduce.sh --profile cpu --only {groups}`" if groups else ""


def outdated(root: Path) -> dict[str, str]:
    """Return the files that are not as the expected values give them, with the text that these
    give.
    """
    pages = contents(root)
    present = {
        name: (root / name).read_text(encoding="utf-8") for name in pages if (root / name).is_file()
    }
    return {name: text for name, text in pages.items() if present.get(name) != text}


def write(root: Path) -> list[str]:
    """Bring pages up to date, each file whole; return those that changed. Raises OSError,
    UserError.
    """
    changed = outdated(root)
    for name, text in changed.items():
        write_whole(root / name, text)
    return list(changed)
