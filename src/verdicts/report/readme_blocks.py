"""What pages of the repository say of claims and results: blocks of README.md, docs/claims.md and
others.

They are written from the claims and the kept values, never by hand (`ams pages`). A block stands
between `<!-- begin NAME -->` and `<!-- end -->`.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple, Self

from verdicts.claims.loading import load_claims
from verdicts.claims.schema import Claim, Claims, Group, Profile
from verdicts.records.expected import Expected, kept_runs
from verdicts.records.files import write_whole
from verdicts.report.findings import Decisions, PaperRow, ShownNumber, answers_of, rows_of
from verdicts.report.forest import forest_svg
from verdicts.report.report_texts import Findings, load_exhibits, load_findings
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


class KeptValues(NamedTuple):
    """The claims, the findings and the expected values of each profile that has any."""

    claims: Claims
    findings: Findings
    expected: dict[Profile, Expected]

    @classmethod
    def read(cls, root: Path) -> Self:
        """Read them below `root`. Raises UserError."""
        claims = load_claims(root)
        return cls(
            claims, load_findings(root, claims), {each.profile: each for each in kept_runs(root)}
        )

    @property
    def chosen(self) -> Expected | None:
        """Return the values of what a reader runs by default."""
        return next(
            (self.expected[profile] for profile in PREFERRED if profile in self.expected), None
        )

    @property
    def evidence(self) -> Decisions:
        """Return the strongest evidence that is kept."""
        return Decisions.strongest(self.expected.values())

    @property
    def rows(self) -> list[PaperRow]:
        """Return the rows of the abstract's claims by the strongest evidence, beside a default
        run's own numbers.
        """
        return (
            rows_of(self.claims, self.findings, self.evidence, Decisions.of(self.chosen))
            if self.chosen
            else []
        )

    @property
    def numbers(self) -> dict[str, str]:
        """Return the number of each group's experiment, from 1."""
        return {group.id: str(number) for number, group in enumerate(self.claims.group, 1)}


def answer(kept: KeptValues) -> str:
    """Return what the work proposes, and a reader's questions with their answers."""
    if not kept.expected:
        return NOTHING
    lines = answers_of(kept.claims, kept.findings, kept.evidence)
    given = [f"- {each.sign} **{each.question}** {each.text}" for each in lines]
    return "\n".join([kept.findings.answer.subject, "", *given])


def picture(kept: KeptValues) -> str:
    """Return the one picture that answers, with its caption."""
    forest = kept.findings.answer.forest
    return f"![{forest.axis}]({PICTURE})\n\n*{forest.caption}*" if forest else NOTHING


def verdicts(kept: KeptValues) -> str:
    """Return what was found about each claim of the abstract, and below it where the numbers come
    from.
    """
    return "\n".join([*map(_item, kept.rows), "", kept.evidence.origin])


def _item(row: PaperRow) -> str:
    """Return a claim of the abstract as an item of a list: its words, then fact and scope, then its
    number.
    """
    words = f"{row.sign} {row.word}"
    if row.stricter:
        words += (
            f" as stated; {row.stricter.sign} {row.stricter.word.lower()} in our stricter reading, "
        )
        words += row.stricter.reading
    texts = [
        f"- **{row.id} {row.text}.** {words}.",
        f"{row.fact} {row.scope}".rstrip(),
        _in_words(row.number),
    ]
    return "<br>\n  ".join(filter(None, texts))


def _in_words(shown: ShownNumber | None) -> str:
    if shown is None:
        return ""
    better = f"; {shown.better}" if shown.better else ""
    return f"**{shown.value}**: {shown.label}{better} ({shown.profile}{_beside(shown)})."


def prints(kept: KeptValues) -> str:
    """Return the last lines that a run prints where nothing contradicts an expectation."""
    rows = [row.headline for row in kept.rows]
    endings = (
        "report: results/cpu/report.html, with paper.pdf and supplement.pdf",
        f"all as expected: the suite's own {_decided(kept)} claims, by the verdicts that it states",
    )
    return "\n".join(["```", *rows, *endings, "```"])


def _decided(kept: KeptValues) -> int:
    """Return how many claims a default run decides."""
    return sum(name in kept.chosen.claims for name in kept.claims.expecting) if kept.chosen else 0


def _beside(shown: ShownNumber) -> str:
    """Say what the default run gives, where that is another number."""
    return f"; cpu: {shown.own}" if shown.own not in ("", shown.value) else ""


def commands(kept: KeptValues) -> str:
    """Return the commands with what they take, measured."""
    took = {profile: duration(run.seconds) for profile, run in kept.expected.items()}
    lines = [
        (
            "bash reproduce.sh --profile quick",
            f"a first look: up to {took.get(Profile.QUICK, 'minutes')} of one core",
        ),
        (
            "bash reproduce.sh",
            (
                f"the default run: up to {took.get(Profile.CPU, 'an hour')} of one core, less "
                "on several"
            ),
        ),
        ("bash reproduce.sh test", "the tests"),
    ]
    return "\n".join(["```", *(f"{command:<36}# {what}" for command, what in lines), "```"])


def profiles(kept: KeptValues) -> str:
    """Return the table of profiles with what each run took."""
    head = [
        (
            "| profile | what it computes | claims | computing time, one core "
            "| memory of a job | measured |"
        ),
        "|---|---|---|---|---|---|",
    ]
    return "\n".join(
        [
            *head,
            *(f"| `{profile}` | {WHAT[profile]} | {_cost(kept, profile)} |" for profile in Profile),
        ]
    )


def _cost(kept: KeptValues, profile: Profile) -> str:
    run = kept.expected.get(profile)
    count = sum(profile in claim.profiles for claim in kept.claims.claim)
    if run is None:
        return f"{count} | not measured | not measured | "
    made = f"{run.newest.started[:10]}, {run.newest.processor}"
    return f"{count} | {duration(run.seconds)} | {run.peak_mib / 1024:.1f} GiB | {made}"


def experiments(kept: KeptValues) -> str:
    """Return the artifact appendix's list: each claim of the paper, the experiments that decide it,
    what they take.
    """
    lines = []
    for name, text in kept.claims.outline.stated.items():
        decided = dict.fromkeys(claim.group for claim in kept.claims.claim if name in claim.paper)
        beside = dict.fromkeys(claim.group for claim in kept.claims.claim if name in claim.supports)
        decision = f"Decided by {_experiments(kept, decided)}" if decided else "Not decided here"
        more = [group for group in beside if group not in decided]
        lines.append(
            f"- **{name}**: {text}. "
            f"{decision}{f'; supported by {_experiments(kept, more)}' if more else ''}."
        )
    head = [
        "| experiment | group | claims | computing time | expected result | expected variation |"
    ]
    head += ["|---|---|---|---|---|---|"]
    return "\n".join([*lines, "", *head, *(_row(kept, group.id) for group in kept.claims.group)])


def _experiments(kept: KeptValues, groups: Iterable[str]) -> str:
    numbers = [kept.numbers[group] for group in groups]
    return f"experiment{'' if len(numbers) == 1 else 's'} {', '.join(numbers)}"


def _row(kept: KeptValues, group: str) -> str:
    members = kept.claims.of_group(group)
    timed = all(claim.profiles == (Profile.BENCH,) for claim in members)
    run = kept.expected.get(Profile.BENCH) if timed else kept.chosen
    known = [run.claims[claim.id] for claim in members if claim.id in run.claims] if run else []
    studied = run.studies.get(group, 0.0) if run else 0.0
    took = duration(studied + sum(each.seconds for each in known)) if known else "not measured"
    wanted = ", ".join(f"{claim.id} {claim.expected or 'a condition'}" for claim in members)
    checks = [each for claim in known for each in claim.checks.values()]
    halves = [
        (each.high - each.low) / 2 / abs(each.value) for each in checks if each.low < each.high
    ]
    sampled = (
        f"{len(halves)} of {len(checks)} values, by ±{median(halves):.2g} of the value"
        if halves
        else ""
    )
    return (
        f"| {kept.numbers[group]} | `{group}` | {len(members)} | {took} | {wanted} "
        f"| {sampled or ('none beyond rounding' if known else 'not measured')} |"
    )


def figures(root: Path, kept: KeptValues) -> str:
    """Return the artifact appendix's table: each finding's figure and each exhibit of the paper,
    with its command.
    """
    lines = ["| figure or table | here | command |", "|---|---|---|"]
    for each in kept.findings.finding:
        lines.append(
            f"| {each.paper}'s | `{each.figure}` | {_command(root, kept, [each.figure])} |"
        )
    for exhibit in load_exhibits(root):
        lines.append(
            f"| the paper's {exhibit.id} | {exhibit.status} | "
            f"{_command(root, kept, exhibit.here)} |"
        )
    return "\n".join(lines)


def _command(root: Path, kept: KeptValues, names: Sequence[str]) -> str:
    """Return the command that makes some claims, groups and figures (of the group whose notebook
    shows it).
    """

    def has(group: Group) -> bool:
        members = {group.id, *(claim.id for claim in kept.claims.of_group(group.id))}
        notebook = (root / group.notebook).read_text(encoding="utf-8") if group.notebook else ""
        return any(name in members or f'"{name}"' in notebook for name in names)

    groups = " ".join(group.id for group in kept.claims.group if has(group))
    return f"`bash reproduce.sh --profile cpu --only {groups}`" if groups else ""


def claims(kept: KeptValues) -> str:
    """Return every claim on one line, by the stated claim that it restates or supports."""
    return "\n".join(_sections(kept.claims)).rstrip()


def _sections(claims: Claims) -> Iterator[str]:
    for name, stated in claims.outline.stated.items():
        restating = [claim for claim in claims.claim if name in claim.paper]
        supporting = [
            claim for claim in claims.claim if name in claim.supports and claim not in restating
        ]
        yield f"## {name}: {stated}\n"
        yield from _claims_table("Restated as", claims, restating)
        yield from _claims_table("Supporting claims", claims, supporting)
    others = [claim for claim in claims.claim if not claim.paper and not claim.supports]
    for part, title in claims.outline.parts.items():
        members = [claim for claim in others if claims.group_of(claim).part == part]
        if members:
            yield f"## Others: {title}\n"
            yield from _claims_table("", claims, members)


def _claims_table(title: str, claims: Claims, members: Iterable[Claim]) -> Iterator[str]:
    rows = [_claim_row(claims, claim) for claim in members]
    if rows:
        yield f"{title}\n" if title else ""
        yield "| claim | title | expected | evidence | profile | group |\n|---|---|---|---|---|---|"
        yield from rows
        yield ""


def _claim_row(claims: Claims, claim: Claim) -> str:
    group = claims.group_of(claim)
    title, expected = claim.title.replace("|", r"\|"), claim.expected or "a condition"
    return (
        f"| {claim.id} | {title} | {expected} | {claim.evidence} | {claim.profiles[0]} | "
        f"`{group.folder}` |"
    )


def contents(root: Path) -> dict[str, str]:
    """Return the pages with their blocks, as the expected values give them. Raises UserError."""
    kept = KeptValues.read(root)
    parts: Sequence[Callable[[KeptValues], str]] = (
        answer,
        picture,
        commands,
        prints,
        verdicts,
        profiles,
        experiments,
        claims,
    )
    blocks = {make.__name__: make(kept) for make in parts} | {"figures": figures(root, kept)}

    def filled(match: re.Match[str]) -> str:
        return f"{match[1]}{blocks[match[2]]}\n{match[3]}"

    pages = {
        name: (root / name).read_text(encoding="utf-8") for name in PAGES if (root / name).is_file()
    }
    forest = kept.findings.answer.forest
    drawn = {PICTURE: forest_svg(root, forest, kept.evidence)} if pages and forest else {}
    return {name: BLOCK.sub(filled, text) for name, text in pages.items()} | drawn


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
