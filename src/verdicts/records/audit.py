"""What an audit of kept cells found: how many were drawn and computed anew, and what follows for the others."""

from collections.abc import Iterable
from math import comb, floor, log10

from verdicts.records.checksummed import Checksummed
from verdicts.records.workspace import Workspace
from verdicts.validation import Frozen

ERROR = 0.05
"""How often the bound on the share that differs fails."""


class Stratum(Frozen):
    """Kept cells of one kind: how many `cells`, their processor `seconds`, how many `drawn`, how many `agreed`."""

    cells: int = 0
    seconds: float = 0.0
    drawn: int = 0
    agreed: int = 0

    @property
    def said(self) -> str:
        """Say what was drawn and what follows: without a difference, the largest share of all that may differ."""
        if not self.drawn:
            return f"{self.cells} of {self.cells} kept, not audited"
        if self.agreed < self.drawn:
            return f"{self.drawn} of {self.cells} recomputed, {self.drawn - self.agreed} differ"
        share = 100 * most_that_differ(self.cells, self.drawn) / self.cells
        digits = 0 if share >= 1 or share == 0 else -floor(log10(share))
        return (
            f"{self.drawn} of {self.cells} recomputed, all agree: with {100 - 100 * ERROR:g} % confidence at most "
            f"{share:.{digits}f} % differ"
        )


class Audit(Checksummed):
    """The audit of a group's kept cells in the run of id `run`, drawn by `seed`: those of a minute (`short`), longer
    ones (`long`).

    `archive` and `sources` are the digests of what was audited. `differing` names calls that differ; `refused` says of
    each identity why it may not be shown; `damaged` names files. `missing`: why none could be computed.
    """

    group: str
    run: str
    seed: int
    archive: str
    sources: str
    short: Stratum
    long: Stratum
    differing: tuple[str, ...] = ()
    refused: dict[str, str] = {}  # noqa: RUF012 (a pydantic field)
    damaged: tuple[str, ...] = ()
    missing: str = ""

    @property
    def passed(self) -> bool:
        """Tell whether cells were drawn, and all is as it was kept."""
        return self.short.drawn + self.long.drawn > 0 and not (self.refused or self.damaged or self.missing)

    @property
    def said(self) -> str:
        """Say in words what it found."""
        parts = [f"{self.short.said} (seed {self.seed})"] if self.short.cells else []
        if self.long.cells:
            parts.append(f"{self.long.said} ({self.long.seconds / 3600:.1f} core-hours, each of more than a minute)")
        if self.missing:
            parts.append(f"not audited: {self.missing}")
        if self.refused:
            parts.append(f"{len(self.refused)} not shown: {', '.join(sorted(set(self.refused.values())))}")
        parts += [f"differs: {call}" for call in self.differing] + list(self.damaged)
        return f"kept cells of {self.group}: {'; '.join(parts)}"


def audit_at(workspace: Workspace, group: str) -> Audit | None:
    """Return the last audit of a group's kept cells, None where there is none."""
    return Audit.read_or_none(workspace.audit_path(group))


def audits_of(workspace: Workspace, claims: Iterable[str]) -> list[Audit]:
    """Return the last audit of each group with one of these claims, where it has one."""
    chosen = set(claims)
    groups = dict.fromkeys(claim.group for claim in workspace.claims.claim if claim.id in chosen)
    return [audit for group in groups if (audit := audit_at(workspace, group))]


def most_that_differ(cells: int, drawn: int) -> int:
    """Return how many of `cells` may differ at most, with 95 % confidence, where none of those `drawn` does.

    The chance to draw none of `d` without replacement is `C(cells - d, drawn) / C(cells, drawn)`: the largest `d` for
    which it is at least .05.
    """
    count = 0
    while comb(cells - count - 1, drawn) / comb(cells, drawn) >= ERROR:  # a float times either may be too large
        count += 1
    return count
