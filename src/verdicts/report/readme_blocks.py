"""What README.md and paper/ARTIFACT.md say of results: blocks written from the expected values, never by hand.

A block stands between `<!-- begin NAME -->` and `<!-- end -->`.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple, Self

from verdicts.claims.loading import load_claims
from verdicts.claims.schema import Claim, Claims, Expectation, Group, Profile, Verdict
from verdicts.records.expected import Expected, read_expected
from verdicts.records.files import write_whole
from verdicts.report import claims_index
from verdicts.report.findings import Outcome, Row, answer_of, rows_of, tally
from verdicts.report.report_texts import Finding, load_exhibits, load_findings
from verdicts.report.templating import render
from verdicts.report.words import MARKS, duration, required, spread

PAGES = ("README.md", "paper/ARTIFACT.md")
PICTURE = "paper/claims.svg"
BLOCK = re.compile(r"(<!-- begin (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
# Whose values stand for the suite's: those of what a reader runs by default
PREFERRED = (Profile.CPU, Profile.FULL, Profile.QUICK)
NOTHING = "No run is kept under `paper/expected/` yet."
WHAT = {
    Profile.QUICK: "all theory, small experiments; no notebook executed",
    Profile.CPU: "everything that runs on a laptop, with the notebook pages; the default without CUDA",
    Profile.FULL: "the same with larger sizes, and the claims that need them",
    Profile.GPU: "the same with larger batches; the default with CUDA",
    Profile.BENCH: "how fast the suite is, also against other libraries",
}


class Kept(NamedTuple):
    """The claims, the findings and the expected values of each profile that has any."""

    claims: Claims
    findings: tuple[Finding, ...]
    expected: dict[Profile, Expected]

    @classmethod
    def read(cls, root: Path) -> Self:
        """Read them below `root`. Raises UserError."""
        claims = load_claims(root)
        expected = {profile: read_expected(root, profile) for profile in Profile}
        return cls(claims, load_findings(root, claims), {profile: each for profile, each in expected.items() if each})

    @property
    def chosen(self) -> Expected | None:
        """Return the values that stand for the suite's."""
        return next((self.expected[profile] for profile in PREFERRED if profile in self.expected), None)

    @property
    def rows(self) -> list[Row]:
        """Return the rows of the abstract's claims by the chosen values."""
        return rows_of(self.claims, self.findings, Outcome.of(self.chosen)) if self.chosen else []

    def verdict(self, claim: Claim) -> Verdict:
        """Return a claim's verdict among the chosen values."""
        kept = self.chosen.claims.get(claim.id) if self.chosen else None
        return kept.verdict if kept else Verdict.NOT_RUN


def answer(kept: Kept) -> str:
    """Return what was found in short: the answers, then the counts, then where the numbers come from."""
    if kept.chosen is None:
        return NOTHING
    claims = _counted(kept)
    opened = [claim.id for claim in claims if claim.expected is Expectation.OPEN]
    counts = tally(kept.rows, {claim.id: kept.verdict(claim) for claim in claims}, opened)
    return f"{answer_of(kept.rows)}\n\n{counts} {Outcome.of(kept.chosen).origin}"


def verdicts(kept: Kept) -> str:
    """Return the table of what was found about each claim of the abstract."""
    cells = [(f"{row.id} {row.text}", f"**{row.word}.** {row.sentence}", row.number) for row in kept.rows]
    lines = [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in cells]
    return "\n".join(["| the abstract says | found here | measured |", "|---|---|---|", *lines])


def profiles(kept: Kept) -> str:
    """Return the table of profiles with what each run took."""
    head = [
        "| profile | what it computes | claims | computing time, one core | memory of a job | measured |",
        "|---|---|---|---|---|---|",
    ]
    return "\n".join([*head, *(f"| `{profile}` | {WHAT[profile]} | {_cost(kept, profile)} |" for profile in Profile)])


def _cost(kept: Kept, profile: Profile) -> str:
    run = kept.expected.get(profile)
    count = sum(profile in claim.profiles for claim in kept.claims.claim)
    if run is None:
        return f"{count} | not measured | not measured | "
    return f"{count} | {duration(run.seconds)} | {run.peak_mib / 1024:.1f} GiB | {run.newest[:10]}, {run.processor}"


def experiments(kept: Kept) -> str:
    """Return the artifact appendix's list: each claim of the paper, the experiments that decide it, what they take."""
    lines = []
    for name, text in kept.claims.outline.stated.items():
        decided = dict.fromkeys(claim.group for claim in kept.claims.claim if name in claim.paper)
        beside = dict.fromkeys(claim.group for claim in kept.claims.claim if name in claim.supports)
        decision = f"Decided by {_experiments(kept, decided)}" if decided else "Not decided here"
        more = [group for group in beside if group not in decided]
        lines.append(f"- **{name}**: {text}. {decision}{f'; {_experiments(kept, more)} support it' if more else ''}.")
    lines += [
        "",
        "| experiment | group | claims | computing time | expected result | expected variation |",
    ]
    lines += ["|---|---|---|---|---|---|"]
    names = [group.id for group in kept.claims.group]
    return "\n".join([*lines, *(_row(kept, name) for name in names)])


def _experiments(kept: Kept, groups: Iterable[str]) -> str:
    return ", ".join(_experiment(kept, group) for group in groups)


def _experiment(kept: Kept, group: str) -> str:
    return f"E{[each.id for each in kept.claims.group].index(group) + 1}"


def _row(kept: Kept, group: str) -> str:
    members = kept.claims.of_group(group)
    timed = all(claim.profiles == (Profile.BENCH,) for claim in members)
    run = kept.expected.get(Profile.BENCH) if timed else kept.chosen
    known = [run.claims[claim.id] for claim in members if claim.id in run.claims] if run else []
    studied = run.studies.get(group, 0.0) if run else 0.0
    took = duration(studied + sum(each.seconds for each in known)) if known else "not measured"
    wanted = ", ".join(f"{claim.id} {claim.expected}" for claim in members)
    checks = [each for claim in known for each in claim.checks.values()]
    halves = [(each.high - each.low) / 2 / abs(each.value) for each in checks if each.low < each.high]
    sampled = f"{len(halves)} of {len(checks)} values, by ±{median(halves):.2g} of the value" if halves else ""
    return (
        f"| {_experiment(kept, group)} | `{group}` | {len(members)} | {took} | {wanted} "
        f"| {sampled or ('none beyond rounding' if known else 'not measured')} |"
    )


def figures(root: Path, kept: Kept) -> str:
    """Return the artifact appendix's table: each finding's figure and each exhibit of the paper, with its command."""
    lines = ["| figure or table | here | command |", "|---|---|---|"]
    for each in kept.findings:
        lines.append(f"| {each.paper}'s | `{each.figure}` | {_command(root, kept, [each.figure])} |")
    for exhibit in load_exhibits(root):
        lines.append(f"| the paper's {exhibit.id} | {exhibit.status} | {_command(root, kept, exhibit.here)} |")
    return "\n".join(lines)


def _command(root: Path, kept: Kept, names: Sequence[str]) -> str:
    """Return the command that makes some claims, groups and figures (of the group whose notebook shows it)."""

    def has(group: Group) -> bool:
        members = {group.id, *(claim.id for claim in kept.claims.of_group(group.id))}
        notebook = (root / group.notebook).read_text(encoding="utf-8") if group.notebook else ""
        return any(name in members or f'"{name}"' in notebook for name in names)

    groups = " ".join(group.id for group in kept.claims.group if has(group))
    return f"`bash reproduce.sh --profile cpu --only {groups}`" if groups else ""


def picture(kept: Kept) -> str:
    """Return the picture of the claims that restate the abstract's: an SVG."""
    rows = [
        (claim.id, claim.title, kept.verdict(claim), *_measured(kept, claim))
        for claim in sorted(kept.claims.claim, key=lambda claim: claim.paper)
        if claim.paper
    ]
    counts = Counter(verdict for _, _, verdict, *_ in rows)
    return render("claims.svg.j2", rows=rows, marks=MARKS, counts=counts)


def _counted(kept: Kept) -> Sequence[Claim]:
    profile = kept.chosen.profile if kept.chosen else Profile.QUICK
    return kept.claims.seen_by(profile).claim


def _measured(kept: Kept, claim: Claim) -> tuple[str, str]:
    """Return the deciding check's value and what the claim requires of it."""
    kept_claim = kept.chosen.claims.get(claim.id) if kept.chosen else None
    if kept_claim is None:
        return "", ""
    for check in claim.check:
        measured = kept_claim.checks.get(check.id)
        if measured and measured.verdict is kept_claim.verdict:
            return spread(measured), required(check)
    return "", ""


def contents(root: Path) -> dict[str, str]:
    """Return the pages with their blocks, and the picture, as the expected values give them. Raises UserError."""
    kept = Kept.read(root)
    parts = {"answer": answer, "verdicts": verdicts, "profiles": profiles, "experiments": experiments}
    blocks = {name: make(kept) for name, make in parts.items()} | {"figures": figures(root, kept)}

    def filled(match: re.Match[str]) -> str:
        return f"{match[1]}{blocks[match[2]]}\n{match[3]}"

    pages = {name: (root / name).read_text(encoding="utf-8") for name in PAGES if (root / name).is_file()}
    written = {PICTURE: picture(kept), claims_index.PAGE: claims_index.text_of(kept.claims)} if pages else {}
    return {name: BLOCK.sub(filled, text) for name, text in pages.items()} | written


def outdated(root: Path) -> Iterator[str]:
    """Yield the files that are not as the expected values give them."""
    for name, text in contents(root).items():
        if not (root / name).is_file() or (root / name).read_text(encoding="utf-8") != text:
            yield name


def write(root: Path) -> list[str]:
    """Bring pages and picture up to date, each file whole; return those that changed. Raises OSError, UserError."""
    wanted = contents(root)
    changed = list(outdated(root))
    for name in changed:
        write_whole(root / name, wanted[name])
    return changed
