"""What a run says while it goes: one line on what is to come, one a claim as it lands, the paper's
claims at the end.

On a terminal a bar below the lines shows what is running and how long it still takes; elsewhere a
line each half minute.
"""

import threading
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

from verdicts.claims.schema import Claim, Expectation, Profile, Verdict
from verdicts.records.ledger import ClaimRow
from verdicts.records.record import Record
from verdicts.report.findings import PaperRow, Word, reached, tally, uncounted
from verdicts.report.words import MARKS, clock, duration, number, plain, required, span, spread
from verdicts.run.forecast import Forecast
from verdicts.run.plan import Plan, PlannedClaim
from verdicts.run.publish import Published

WIDTH, INDENT = 100, 19
BEAT = 30.0
"""Seconds between two lines on what is left, where there is no terminal."""
COLOURS = {
    Verdict.HOLDS: "green",
    Verdict.REFUTED: "red",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.NOT_RUN: "dim",
}
LEGEND = f"{', '.join(f'{mark} {verdict}' for verdict, mark in MARKS.items())}, ! failed"
WORDS = {
    Word.HOLDS: "green",
    Word.IN_PART: "yellow",
    Word.NOT_SHOWN: "yellow",
    Word.REFUTED: "red",
    Word.NOT_RUN: "dim",
}


class Screen:
    """Writes lines to a console, and keeps the bar below them. `setup`: seconds spent before, on
    the environment.
    """

    def __init__(self, console: Console, verbose: bool = False, setup: int = 0) -> None:
        self.console, self.verbose, self.setup = console, verbose, setup
        # a file has no width
        self.width = min(WIDTH, console.width) if console.is_terminal else WIDTH
        self.start = self.begin = self.beat = time.monotonic()
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
    def plan(self, name: str, plan: Plan, forecast: Forecast, where: str) -> Iterator[Self]:
        """Write in one line what is to be done, where and how long that takes; keep the bar while
        it is done.
        """
        self.pending, self.forecast = [item.claim for item in plan.pending], forecast
        self.total = len(self.pending)
        cached, made = len(plan.items) - self.total, [*plan.studies, *plan.figures, *plan.pages]
        if not (self.pending or made):
            waiting = (
                f"{len(plan.waiting)} wait for a file or a device, --fetch asks again; "
                if plan.waiting
                else ""
            )
            self.say(
                f"{name} profile: {counted(cached, 'claim')}, all cached; {waiting}nothing "
                "to compute"
            )
            yield self
            return
        work = (
            f"{self.total} to run"
            if self.pending
            else f"figures and pages of {', '.join(dict.fromkeys(made))}"
        )
        left = forecast.between(0.0)
        takes = f"about {span(*left)}" if left else "no kept run says how long"
        after = f", after {clock(self.setup)} of set-up" if self.setup else ""
        claims = counted(len(plan.items), "claim")
        self.say(f"{name} profile: {claims}, {cached} cached, {work} on {where}; {takes}{after}")
        self.say(f"signs: {LEGEND}", "dim")
        self.begin = time.monotonic()
        if self.verbose:
            self._reasons(plan)
        if not self.console.is_terminal:
            yield self
            return
        with Live(
            console=self.console, get_renderable=self._bar, refresh_per_second=4, transient=True
        ) as live:
            live.refresh()
            yield self

    def _reasons(self, plan: Plan) -> None:
        for item in plan.pending:
            self.say(f"  {item.claim.id:<5} {item.claim.title}: {item.why}", "dim")
        for kind, groups in (
            ("study", plan.studies),
            ("figures", plan.figures),
            ("notebook page", plan.pages),
        ):
            for group, why in groups.items():
                self.say(f"  {kind} of {group}: {why}", "dim")

    def work_on(self, groups: Collection[str]) -> None:
        """Show the next claim of each of these groups, or the group, as running."""
        upcoming = {claim.group: claim.id for claim in reversed(self.pending)}
        self.running = [upcoming.get(group, group) for group in groups]
        self.tell()

    def tell(self) -> None:
        """Write what is left, where there is no terminal, if the last such line is half a minute
        old.
        """
        if self.console.is_terminal or time.monotonic() < self.beat + BEAT:
            return
        self.beat = time.monotonic()
        self.say(
            (
                f"... {self.total - len(self.pending)} of {counted(self.total, 'claim')}, "
                f"{self._times()}"
            ),
            "dim",
        )

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Write what is left while this process computes: nothing else calls `tell` then."""
        ended = threading.Event()

        def beat() -> None:
            while not ended.wait(1.0):
                self.tell()

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _times(self) -> str:
        """Return how long the run has taken and how long it still takes, as far as that is
        known.
        """
        elapsed = time.monotonic() - self.begin
        left = self.forecast.between(elapsed) if self.forecast else None
        return clock(elapsed) + (f", {span(*left)} left" if left else "")

    def _bar(self) -> Table:
        landed = self.total - len(self.pending)
        state = f"{landed}/{self.total}  {self._times()}  {' '.join(self.running)}"
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=20)
        grid.add_column(no_wrap=True, max_width=self.width - 22)
        grid.add_row(ProgressBar(total=max(self.total, 1), completed=landed, width=20), Text(state))
        return grid

    def computed(self, claim: Claim, record: Record) -> None:
        """Write a claim's line; below it what is wrong, or all of its checks where every detail is
        asked for.
        """
        if claim in self.pending:
            self.pending.remove(claim)
            if self.forecast:
                self.forecast.land(claim, time.monotonic() - self.begin)
        for line in _lines(claim, record, self.width):
            self.console.print(line, soft_wrap=True)
        wrong = record.failed or claim.agrees_with(record.verdict) is False
        if wrong:
            self.say(f"        {record.reason or f'expected: {claim.expected}'}", "bold red")
        for check, result in zip(claim.check, record.checks, strict=True):
            if self.verbose or (wrong and result.verdict is record.verdict and not record.failed):
                measured = f"{spread(result)} {required(check)} {check.unit}".rstrip()
                self.say(
                    f"        {MARKS[result.verdict]} {check.id}: "
                    f"{result.reason or measured} ({check.quantity})"
                )

    def outcome(
        self, published: Published, rows: Sequence[PaperRow], selected: Iterable[str]
    ) -> None:
        """Write what was not run, the counts, the rows of the paper's claims, what is wrong, where
        the report is.
        """
        ledger, chosen = published.ledger, set(selected)
        every = [row for row in ledger.claims if row.id in chosen]
        for line in _unreached(every, ledger.profile, self.verbose):
            self.say(line, "dim")
        ours = [row for row in every if row.expected is not None]
        opened, conditions = (
            sum(row.expected is Expectation.OPEN for row in ours),
            len(every) - len(ours),
        )
        if len(every) == len(ledger.claims):
            self.say(tally(rows, {row.id: row.verdict for row in ours}, opened, conditions))
        else:
            count = reached(row.verdict for row in ours)
            total = ledger.summary.total
            self.say(f"{len(ours)} of our {total} claims: {count}.{uncounted(opened, conditions)}")
        for row in rows:
            head, *more = _row_lines(row, self.width)
            self.say(head, WORDS[row.word])
            for line in more:
                self.say(line)
        summary = ledger.summary
        wrong = {
            "failed": summary.failed,
            "against expectation": summary.contradictions,
            "proved outside the stored interval (paper/expected)": summary.disproved,
        }
        for label, ids in wrong.items():
            if ids:
                self.complain(f"{label}: {', '.join(ids)}")
        beside = ", with paper.pdf and supplement.pdf" if published.typeset else ""
        took = time.monotonic() - self.start + self.setup
        setup = f", set-up {clock(self.setup)}" if self.setup else ""
        self.say(f"report: {published.page}{beside}   ({clock(took)}{setup})")
        if not (published.typeset or published.reason):
            self.say(
                f"        bash reproduce.sh --profile {ledger.profile} makes paper.pdf and "
                "supplement.pdf anew"
            )
        if not (any(wrong.values()) or self.complained):
            reached_here = sum(row.agrees is True for row in every)
            self.say(
                f"all as expected: the suite's own {counted(reached_here, 'claim')}, by "
                "the verdicts that it states"
            )


def listing(item: PlannedClaim) -> str:
    """Return a claim's line in the list of claims."""
    state = (
        f"{item.record.verdict}, current" if item.record and not item.why else f"to do: {item.why}"
    )
    expected = (
        f"expected {item.claim.expected:<12}" if item.claim.expected else f"{'condition':<21}"
    )
    return f"{item.claim.id:<5} {item.claim.group:<16} {expected} {item.claim.title} ({state})"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _lines(claim: Claim, record: Record, width: int) -> Iterator[Text]:
    """Yield a claim's line: mark, id, whole title, the measured number of the check that decides,
    seconds.

    What is required, then the interval, is left out where there is no room; where the title takes
    all, it is folded.
    """
    mark = "!" if record.failed else MARKS[record.verdict]
    style = "bold red" if record.failed else COLOURS[record.verdict]
    ends = [
        f"  {value}  {duration(record.provenance.seconds):>7}" for value in _evidence(claim, record)
    ]
    end = next(
        (each for each in ends if len(plain(claim.title)) + len(each) <= width - 8), ends[-1]
    )
    room = max(width - 8 - len(end), 1)
    *folded, last = wrap(plain(claim.title), room)
    for place, text in enumerate([*folded, f"{last:<{room}}"]):
        first, ending = place == 0, end if place == len(folded) else ""
        yield Text.assemble(
            (mark if first else " ", style),
            f" {claim.id if first else '':<5} {text}",
            (ending, style),
        )


def _evidence(claim: Claim, record: Record) -> list[str]:
    """Return, longest first, ways to say the value of the check that decides: the first with the
    claim's verdict.
    """
    if record.failed or record.verdict is Verdict.NOT_RUN:
        return ["failed" if record.failed else "not run"]
    pairs = zip(claim.check, record.checks, strict=True)
    check, result = next(pair for pair in pairs if pair[1].verdict is record.verdict)
    return [f"{spread(result)} {required(check)}", spread(result), number(result.value)]


def _row_lines(row: PaperRow, width: int) -> list[str]:
    """Return the lines of a claim of the paper: its id, the word and its text, then what was found.

    That is our stricter reading, the fact with its scope, the number beside this run's, and what
    differs; formulas as a terminal can show them.
    """
    texts = [f"{row.fact} {row.scope}".rstrip()]
    if row.stricter:
        texts.insert(
            0, f"Our stricter reading, {row.stricter.reading}: {row.stricter.word.lower()}."
        )
    if row.number:
        better = f"; {row.number.better}" if row.number.better else ""
        texts.append(f"{row.number.value}: {row.number.label}{better} ({row.number.beside})")
    texts += [
        f"this run differs: {each.claim} is {each.verdict} ({each.text})" for each in row.differing
    ]
    below = [line for text in texts for line in wrap(plain(text), width - INDENT)]
    return [row.headline, *(f"{'':{INDENT}}{line}" for line in below)]


def _unreached(rows: Iterable[ClaimRow], profile: Profile, verbose: bool) -> Iterator[str]:
    """Yield what this profile runs and was not run: a line for each file or package that is
    missing, or for each other reason; then how to have it, in one line. `verbose`: all reasons.
    """
    missing, reasons, remedies = (
        defaultdict[str, list[str]](list),
        defaultdict[str, list[str]](list),
        dict[str, None](),
    )
    for row in rows:
        if row.verdict is not Verdict.NOT_RUN or row.failed or not (row.provenance or verbose):
            continue
        said = [check.detail for check in row.checks if check.detail.get("missing")]
        for name in dict.fromkeys(str(detail["missing"]) for detail in said):
            missing[name].append(row.id)
        remedies |= dict.fromkeys(str(detail["remedy"]) for detail in said if "remedy" in detail)
        if verbose or not said:
            reasons[row.reason].append(row.id)
    yield from (f"not run for want of {name}: {', '.join(ids)}" for name, ids in missing.items())
    yield from (f"not run: {', '.join(ids)} ({reason})" for reason, ids in reasons.items())
    if remedies:
        yield (
            f"to run them: {'; '.join(remedies)}; then bash reproduce.sh --profile {profile} "
            "--fetch"
        )
