"""docs/claims.md: every claim on one line, by the stated claim that it restates or supports; written, never by hand."""

from collections.abc import Iterable, Iterator

from verdicts.claims.schema import Claim, Claims

PAGE = "docs/claims.md"
HEAD = """# Claims

Every claim on one line. `bash reproduce.sh --profile PROFILE --only ID` decides one; the column `profile` has the
smallest that does. Its entry, with bounds, tolerances and falsifier, is in the `claims.toml` of its group. This page is
written by `ams expect`.
"""


def text_of(claims: Claims) -> str:
    """Return the page."""
    return "\n".join([HEAD, *_sections(claims)]).rstrip() + "\n"


def _sections(claims: Claims) -> Iterator[str]:
    for name, stated in claims.outline.stated.items():
        restating = [claim for claim in claims.claim if name in claim.paper]
        supporting = [claim for claim in claims.claim if name in claim.supports and claim not in restating]
        yield f"## {name}: {stated}\n"
        yield from _table("Restated as", claims, restating)
        yield from _table("Supporting claims", claims, supporting)
    others = [claim for claim in claims.claim if not claim.paper and not claim.supports]
    for part, title in claims.outline.parts.items():
        members = [claim for claim in others if claims.group_of(claim).part == part]
        if members:
            yield f"## Others: {title}\n"
            yield from _table("", claims, members)


def _table(title: str, claims: Claims, members: Iterable[Claim]) -> Iterator[str]:
    rows = [_row(claims, claim) for claim in members]
    if rows:
        yield f"{title}\n" if title else ""
        yield "| claim | title | expected | evidence | profile | group |\n|---|---|---|---|---|---|"
        yield from rows
        yield ""


def _row(claims: Claims, claim: Claim) -> str:
    group = claims.group_of(claim)
    title = claim.title.replace("|", r"\|")
    return f"| {claim.id} | {title} | {claim.expected} | {claim.evidence} | {claim.profiles[0]} | `{group.folder}` |"
