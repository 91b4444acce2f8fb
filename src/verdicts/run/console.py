"""What a run says while it goes: the plan, each verdict as it lands, the table of claims at the end.

Colours and tables on a terminal; elsewhere plain lines, one fact a line, never folded.
"""

from collections.abc import Container, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from verdicts.claims.schema import Check, Claim, Verdict
from verdicts.records.expected import Expected
from verdicts.records.ledger import ClaimRow
from verdicts.records.record import CheckResult, Record
from verdicts.records.workspace import Workspace
from verdicts.run.plan import Plan, PlannedClaim
from verdicts.run.publish import Published

COLOURS = {Verdict.HOLDS: "green", Verdict.REFUTED: "red", Verdict.INCONCLUSIVE: "yellow", Verdict.NOT_RUN: "dim"}
QUANTITY = 48


class Screen:
    """Writes lines to a console, and counts the verdicts that have landed."""

    def __init__(self, console: Console, total: int) -> None:
        self.console = console
        self.total = total
        self.landed = 0

    def say(self, text: str, style: str = "") -> None:
        """Write one line, as it is."""
        self.console.print(Text(text, style=style), soft_wrap=True)

    def complain(self, line: str) -> None:
        """Write one line about what went wrong."""
        self.say(line, "bold red")

    def computed(self, claim: Claim, record: Record, computed: str = "computed") -> None:
        """Write a claim's verdict with the check that decides it."""
        self.landed += 1
        width = len(str(self.total))
        line = Text(f"[{self.landed:{width}}/{self.total}] {claim.id:<5} ")
        line.append(f"{'failed' if record.failed else record.verdict:<12} ", COLOURS[record.verdict])
        line.append(f"{_evidence(claim, record)}   {seconds(record.provenance.seconds)}   {computed}")
        if record.verdict not in (claim.expected, Verdict.NOT_RUN):
            line.append(f"   expected: {claim.expected}", "bold red")
        self.console.print(line, soft_wrap=True)

    def plan(self, workspace: Workspace, plan: Plan, expected: Expected | None) -> None:
        """Write what is to be done, why, and how long that took in the run whose values are the expected ones."""
        pending = plan.pending
        kept = len(plan.items) - len(pending)
        self.say(f"{workspace.profile} profile, results in {workspace.folder}")
        self.say(
            f"{counted(len(plan.items), 'claim')}: {kept} current, {len(pending)} to do; {_duration(plan, expected)}"
        )
        for item in pending:
            self.say(f"  {item.claim.id:<5} {item.claim.title}: {item.why}", "dim")
        for kind, groups in (("study", plan.studies), ("figures", plan.figures), ("notebook page", plan.pages)):
            for group, why in groups.items():
                self.say(f"  {kind} of {group}: {why}", "dim")

    def ledger(self, published: Published, selected: Container[str], elapsed: float) -> None:
        """Write the table of the selected claims, the counts, what needs attention, and where page and paper are."""
        ledger = published.ledger
        rows = [row for row in ledger.claims if row.id in selected]
        self.console.print()
        if self.console.is_terminal:
            self.console.print(_table(rows))
        else:
            for row in rows:
                self.say(f"{row.id:<5} {row.verdict:<12} expected {row.expected:<12} {row.title}{_why(row)}")
        summary = ledger.summary
        counts = ", ".join(f"{count} {verdict}" for verdict, count in summary.verdicts.items() if count)
        others = f"; {summary.total - len(rows)} were not selected" if len(rows) < summary.total else ""
        self.say(f"{counted(summary.total, 'claim')}: {counts}{others}")
        for label, names in (("failed", summary.failed), ("against expectation", summary.contradictions)):
            if names:
                self.say(f"{label}: {', '.join(names)}", "bold red")
        if not published.reason:
            self.say(f"paper:  {published.paper}")
        self.say(f"report: {published.page}   ({seconds(elapsed)})")


def listing(item: PlannedClaim) -> str:
    """Return a claim's line in the list of claims."""
    state = f"{item.record.verdict}, current" if item.record and not item.why else f"to do: {item.why}"
    return f"{item.claim.id:<5} {item.group.id:<16} expected {item.claim.expected:<12} {item.claim.title} ({state})"


def seconds(value: float) -> str:
    """Return a duration as a reader wants it."""
    return f"{value:.1f} s" if value < 10 else f"{value:.0f} s" if value < 100 else f"{value / 60:.1f} min"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _duration(plan: Plan, expected: Expected | None) -> str:
    """Return how long the claims and studies to be made took before, in words."""
    if not plan.busy_groups and not plan.pages:
        return "nothing to compute"
    if expected is None:
        return "how long that takes is not known: no run of this profile is kept"
    claims = [expected.claims[item.claim.id] for item in plan.pending if item.claim.id in expected.claims]
    studies = [expected.studies.get(group, 0.0) for group in plan.studies]
    took = sum(claim.seconds for claim in claims) + sum(studies)
    return f"about {seconds(max(1.0, took))} of computing"


def _evidence(claim: Claim, record: Record) -> str:
    """Return the check that decides the verdict (the first that has it), and how many more there are."""
    pairs = list(zip(claim.check, record.checks, strict=True))
    check, result = next((pair for pair in pairs if pair[1].verdict is record.verdict), pairs[0])
    more = f" (+{len(pairs) - 1} more)" if len(pairs) > 1 else ""
    return f"{_measured(check, result)}{more}"


def _measured(check: Check, result: CheckResult) -> str:
    if result.value is None:
        return result.reason
    name = check.quantity if len(check.quantity) <= QUANTITY else check.quantity[: QUANTITY - 3] + "..."
    margin = f" +- {check.tolerance:.3g}" if check.tolerance else ""
    unit = f" {result.unit}" if result.unit else ""
    return f"{name}: {result.value:.4g} {check.relation} {check.bound:.4g}{margin}{unit}"


def _why(row: ClaimRow) -> str:
    return f" ({row.reason})" if row.reason else f" ({row.computed})"


def _table(rows: Sequence[ClaimRow]) -> Table:
    table = Table("id", "claim", "verdict", "expected", "evidence", "", box=None, pad_edge=False, header_style="bold")
    for row in rows:
        verdict = Text("failed" if row.failed else row.verdict, COLOURS[row.verdict])
        table.add_row(
            row.id, Text(row.title), verdict, row.expected, row.evidence, Text(row.reason or str(row.computed))
        )
    return table
