"""What a run says while it goes: one line on what is to come, one a claim as it lands, the paper's claims at the end.

On a terminal a bar below the lines shows what is running; elsewhere there are the lines alone.
"""

import re
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from textwrap import wrap
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from verdicts.claims.schema import Claim, Expectation, Verdict
from verdicts.records.ledger import ClaimRow
from verdicts.records.record import CheckResult, Record
from verdicts.report.findings import Row, Word, reached, tally, undecided
from verdicts.report.words import MARKS, duration, required, spread
from verdicts.run.forecast import Forecast
from verdicts.run.plan import Plan, PlannedClaim
from verdicts.run.publish import Published

WIDTH, INDENT = 100, 19
COLOURS = {Verdict.HOLDS: "green", Verdict.REFUTED: "red", Verdict.INCONCLUSIVE: "yellow", Verdict.NOT_RUN: "dim"}
WORDS = {Word.HOLDS: "green", Word.PARTLY: "yellow", Word.NOT_SUPPORTED: "red", Word.NOT_TESTED: "dim"}


class Screen:
    """Writes lines to a console, and keeps the bar below them."""

    def __init__(self, console: Console, verbose: bool = False) -> None:
        self.console, self.verbose = console, verbose
        self.width = min(WIDTH, console.width) if console.is_terminal else WIDTH  # a file has no width
        self.begin = self.latest = time.monotonic()
        self.pending: list[Claim] = []
        self.total = 0
        self.running: list[str] = []
        self.forecast: Forecast | None = None
        self.complained = False

    def say(self, text: str, style: str = "") -> None:
        """Write one line, as it is."""
        self.console.print(Text(text, style=style), soft_wrap=True)

    def complain(self, line: str) -> None:
        """Write one line about what went wrong, and note that something did."""
        self.complained = True
        self.say(line, "bold red")

    @contextmanager
    def plan(self, name: str, plan: Plan, forecast: Forecast | None, where: str) -> Iterator[Self]:
        """Write in one line what is to be done, where and how long that takes; keep the bar while it is done."""
        self.pending, self.forecast = [item.claim for item in plan.pending], forecast
        self.total = len(self.pending)
        cached, made = len(plan.items) - self.total, [*plan.studies, *plan.figures, *plan.pages]
        if not (self.pending or made):
            waiting = f"{len(plan.waiting)} wait for a file or a device, --fetch asks again; " if plan.waiting else ""
            self.say(f"{name} profile: {counted(cached, 'claim')}, all cached; {waiting}nothing to compute")
            yield self
            return
        work = f"{self.total} to run" if self.pending else f"figures and pages of {', '.join(dict.fromkeys(made))}"
        takes = f"about {duration(forecast.seconds)}" if forecast else "no kept run says how long"
        self.say(f"{name} profile: {counted(len(plan.items), 'claim')}, {cached} cached, {work} on {where}; {takes}")
        if self.verbose:
            self._reasons(plan)
        if not self.console.is_terminal:
            yield self
            return
        with Live(console=self.console, get_renderable=self._bar, refresh_per_second=4, transient=True) as live:
            live.refresh()
            yield self

    def _reasons(self, plan: Plan) -> None:
        for item in plan.pending:
            self.say(f"  {item.claim.id:<5} {item.claim.title}: {item.why}", "dim")
        for kind, groups in (("study", plan.studies), ("figures", plan.figures), ("notebook page", plan.pages)):
            for group, why in groups.items():
                self.say(f"  {kind} of {group}: {why}", "dim")

    def work_on(self, groups: Collection[str]) -> None:
        """Show the next claim of each of these groups, or the group, as running."""
        upcoming = {claim.group: claim.id for claim in reversed(self.pending)}
        self.running = [upcoming.get(group, group) for group in groups]

    def _bar(self) -> Table:
        landed, now = self.total - len(self.pending), time.monotonic()
        rest = self.forecast.seconds - (now - self.latest) if self.forecast else 0.0
        left = f", {duration(rest)} left" if rest > 0 else ""
        state = f"{landed}/{self.total}  {duration(now - self.begin)}{left}  {' '.join(self.running)}"
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=20)
        grid.add_column(no_wrap=True, max_width=self.width - 22)
        grid.add_row(ProgressBar(total=max(self.total, 1), completed=landed, width=20), Text(state))
        return grid

    def computed(self, claim: Claim, record: Record) -> None:
        """Write a claim's line; below it what is wrong, or all of its checks where every detail is asked for."""
        if claim in self.pending:
            self.pending.remove(claim)
            self.latest = time.monotonic()
            if self.forecast:
                self.forecast.land(claim)
        self.console.print(_line(claim, record, self.width), soft_wrap=True)
        wrong = record.failed or claim.expected.is_met_by(record.verdict) is False
        if wrong:
            self.say(f"        {record.reason or f'expected: {claim.expected}'}", "bold red")
        for check, result in zip(claim.check, record.checks, strict=True):
            if self.verbose or (wrong and result.verdict is record.verdict and not record.failed):
                measured = f"{spread(result)} {required(check)} {check.unit}".rstrip()
                self.say(f"        {MARKS[result.verdict]} {check.id}: {result.reason or measured} ({check.quantity})")

    def outcome(self, published: Published, rows: Sequence[Row], selected: Iterable[str], quiet: bool) -> None:
        """Write the rows of the paper's claims and the counts, what needs attention, and where the report is.

        `quiet`: nothing was computed, so that only what needs attention is said.
        """
        ledger, chosen = published.ledger, set(selected)
        ours = [row for row in ledger.claims if row.id in chosen]
        if not quiet:
            for row in rows:
                self.say(f"{row.id:<4}{row.word:<15}{row.text}", WORDS[row.word])
                for text in _found(row):
                    for line in wrap(re.sub("[`$]", "", text), self.width - INDENT):
                        self.say(f"{'':{INDENT}}{line}")
            whole = len(ours) == len(ledger.claims)
            count = reached(row.verdict for row in ours)
            opened, weak = (
                sum(row.expected is each for row in ours) for each in (Expectation.OPEN, Expectation.UNDERPOWERED)
            )
            part = f"{len(ours)} of our {len(ledger.claims)} claims: {count}.{undecided(opened, weak)}"
            self.say(tally(rows, {row.id: row.verdict for row in ours}, opened, weak) if whole else part)
            for reason, names in _unreached(ours, self.verbose).items():
                self.say(f"not run: {' '.join(names)} ({reason})", "dim")
        summary = ledger.summary
        for label, ids in (("failed", summary.failed), ("against expectation", summary.contradictions)):
            if ids:
                self.complain(f"{label}: {', '.join(ids)}")
        beside = ", with paper.pdf and supplement.pdf" if published.typeset else ""
        self.say(f"report: {published.page}{beside}   ({duration(time.monotonic() - self.begin)})")
        if not (published.typeset or published.reason):
            self.say(f"        bash reproduce.sh --profile {ledger.profile} makes paper.pdf and supplement.pdf anew")


def _found(row: Row) -> list[str]:
    """Return what a row says below its first line: the finding, its number beside this run's, and what differs."""
    texts = [row.sentence]
    if row.number:
        texts.append(f"{row.number.value}: {row.number.label} ({row.number.beside})")
    return texts + [f"this run differs: {each.claim} is {each.verdict} ({each.text})" for each in row.differing]


def listing(item: PlannedClaim) -> str:
    """Return a claim's line in the list of claims."""
    state = f"{item.record.verdict}, current" if item.record and not item.why else f"to do: {item.why}"
    return f"{item.claim.id:<5} {item.group.id:<16} expected {item.claim.expected:<12} {item.claim.title} ({state})"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _line(claim: Claim, record: Record, width: int) -> Text:
    """Return a claim's line: mark, id, title, the measured number of the check that decides, seconds."""
    mark = "!" if record.failed else MARKS[record.verdict]
    evidence = f"  {_evidence(claim, record.checks, record)}  {duration(record.provenance.seconds):>7}"
    room = width - 8 - len(evidence)
    title = claim.title if len(claim.title) <= room else f"{claim.title[: room - 1].rstrip()}…"
    style = "bold red" if record.failed else COLOURS[record.verdict]
    return Text.assemble((mark, style), f" {claim.id:<5} {title:<{room}}", (evidence, style))


def _evidence(claim: Claim, results: Sequence[CheckResult], record: Record) -> str:
    """Return the deciding check's value beside what is required: the first that has the claim's verdict."""
    if record.failed or record.verdict is Verdict.NOT_RUN:
        return "failed" if record.failed else "not run"
    pairs = zip(claim.check, results, strict=True)
    check, result = next(pair for pair in pairs if pair[1].verdict is record.verdict)
    return f"{spread(result)} {required(check)}"


def _unreached(rows: Iterable[ClaimRow], verbose: bool) -> dict[str, list[str]]:
    """Return the claims that this profile runs and that were not run, by the reason why."""
    by_reason: defaultdict[str, list[str]] = defaultdict(list)
    for row in rows:
        if row.verdict is Verdict.NOT_RUN and not row.failed and (row.provenance or verbose):
            by_reason[row.reason].append(row.id)
    return by_reason
