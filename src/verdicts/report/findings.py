"""What was found about each claim of the paper: one row a claim, in terminal, README, page and
paper alike.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, Self

from verdicts.claims.schema import Claim, Claims, Profile, Verdict
from verdicts.records.expected import SAME, Expected, ExpectedCheck, kept_runs
from verdicts.records.ledger import Ledger
from verdicts.records.record import CheckResult
from verdicts.report.report_texts import (
    AnswerLine,
    Finding,
    Findings,
    RelatedFinding,
    filled,
    load_findings,
)
from verdicts.report.words import number, percent, required, spread


class Word(StrEnum):
    """What a row says of a claim of the paper, in one of its readings."""

    HOLDS = "Holds"
    IN_PART = "Holds in part"
    NOT_SHOWN = "Not shown"
    REFUTED = "Refuted"
    NOT_RUN = "Not run"

    @property
    def sign(self) -> str:
        """Return the sign of the word."""
        return dict(zip(Word, "✓◐?✗–", strict=True))[self]


Measured = CheckResult | ExpectedCheck
STRONGEST = (Profile.FULL, Profile.PAPER, Profile.CPU, Profile.QUICK)
"""The profiles whose kept values are evidence, largest sizes first."""


class Decided(NamedTuple):
    """What a run gave for a claim: its verdict, the checks that have a value, the profile of the
    run.

    `made` is the UTC time of its value with the processor; `kept` says whether it rests on kept
    cells, and `unaudited` which checks are not auditable.
    """

    verdict: Verdict
    checks: Mapping[str, Measured]
    profile: Profile
    made: tuple[str, str] = ("", "")
    kept: bool = False
    unaudited: tuple[str, ...] = ()


class Decisions(NamedTuple):
    """What runs gave, claim by claim."""

    claims: Mapping[str, Decided] = {}

    @classmethod
    def of(cls, source: Ledger | Expected) -> Self:
        """Read it off a ledger, or off the values of a run that were kept."""
        claims = {}
        if isinstance(source, Expected):
            for name, claim in source.claims.items():
                made = (claim.made.started, claim.made.processor)
                claims[name] = Decided(claim.verdict, claim.checks, source.profile, made)
            return cls(claims)
        for row in source.claims:
            made = (
                (row.provenance.started, row.provenance.processor) if row.provenance else ("", "")
            )
            checks = {each.id: each for each in row.checks if each.value is not None}
            claims[row.id] = Decided(
                row.verdict, checks, source.profile, made, row.kept > 0, row.unaudited
            )
        return cls(claims)

    @classmethod
    def strongest(cls, kept: Iterable[Expected]) -> Self:
        """Return, claim by claim, what the kept run with the largest sizes gave (`STRONGEST`)."""
        by_profile = {each.profile: each for each in kept}
        outcome = cls()
        for profile in STRONGEST:
            if profile in by_profile:
                outcome = outcome.completed(cls.of(by_profile[profile]))
        return outcome

    def completed(self, weaker: Self) -> Self:
        """Return this evidence, with weaker evidence for the claims that it does not decide."""
        new = {
            name: each
            for name, each in weaker.claims.items()
            if each.verdict is not Verdict.NOT_RUN and self.of_claim(name) is Verdict.NOT_RUN
        }
        return type(self)({**self.claims, **new})

    @property
    def checks(self) -> dict[str, Measured]:
        """Return what was measured, by check."""
        return {name: check for each in self.claims.values() for name, check in each.checks.items()}

    @property
    def values(self) -> dict[str, str]:
        """Return each check's value in words: with its interval, alone, the interval's ends, and
        in per cent.
        """
        values = {}
        for name, check in self.checks.items():
            values[name] = spread(check)
            values[f"{name}:percent"] = percent(check.value)
            for end in ("value", "low", "high"):
                values[f"{name}:{end}"] = number(getattr(check, end))
        return values

    @property
    def origin(self) -> str:
        """Say where the numbers come from; empty before any run."""
        made = sorted(each.made for each in self.claims.values() if each.made[0])
        if not made:
            return ""
        profiles = {each.profile for each in self.claims.values()}
        processors = " and ".join(sorted({processor for _, processor in made if processor}))
        names = " and ".join(profile for profile in STRONGEST if profile in profiles)
        first, last = made[0][0][:10], made[-1][0][:10]
        return f"Numbers: kept runs of {names}, made from {first} to {last} on {processors}."

    def of_claim(self, name: str) -> Verdict:
        """Return a claim's verdict."""
        return self.claims[name].verdict if name in self.claims else Verdict.NOT_RUN

    def give(self, needs: Mapping[str, Verdict]) -> bool:
        """Return whether these claims have these verdicts."""
        return all(self.of_claim(name) is verdict for name, verdict in needs.items())


NOTHING = Decisions()


class ShownNumber(NamedTuple):
    """One measured number: its `value` with interval, what it is, the profile that gave it; and
    this run's `own`.

    `claim` is the one that measures it, `better` says which way is good. `own` is empty where this
    run did not measure it. `agrees`: the two intervals meet (None: there is none to compare).
    `beside` says which kept run the value is of, and what this run measured.
    """

    value: str
    label: str
    profile: Profile
    claim: str
    better: str
    own: str
    agrees: bool | None
    beside: str


class ShownCondition(NamedTuple):
    """A condition or exception of a row: its claim, the claim's verdict, a sentence, and its
    setting in a few words.
    """

    claim: str
    verdict: Verdict
    text: str
    setting: str = ""


class ShownReading(NamedTuple):
    """Our stricter reading of a claim of the paper, and the word for it."""

    word: Word
    reading: str


class PaperRow(NamedTuple):
    """A claim of the paper, `text`, with what was found: a word for it as stated, a fact, its
    scope, and a number.

    `stricter` has our stricter reading (None: there is none), `number` is None where none was
    measured. `figure` is the name of the figure that illustrates the row, `conditions` what limits
    it, `restating` the ids of the claims here that restate it. `differing` are claims on which this
    run's verdict is another than the one shown.
    """

    id: str
    text: str
    word: Word
    fact: str
    scope: str = ""
    stricter: ShownReading | None = None
    number: ShownNumber | None = None
    figure: str = ""
    conditions: tuple[ShownCondition, ...] = ()
    restating: tuple[str, ...] = ()
    differing: tuple[ShownCondition, ...] = ()

    @property
    def headline(self) -> str:
        """Return its line in a terminal: id, word, "as stated" where we have a stricter reading,
        the paper's claim.
        """
        ours = " as stated" if self.stricter else ""
        return f"{self.id:<4}{f'{self.word.sign} {self.word}{ours}':<19}{self.text}"


class ShownLine(NamedTuple):
    """A reader's question, the word for its answer, and the answer (empty where verdicts are
    others).
    """

    question: str
    word: Word
    text: str


def word_of(needed: Iterable[Verdict], restating: Iterable[Verdict]) -> Word:
    """Return the word for a claim of the paper, from the verdicts of the claims that its finding
    needs.

    *Not run*: one of the needed claims was not run, or none that restates the paper's was. Else
    those that restate it decide, each alike. *Holds*: all of them hold. *Holds in part*: some hold
    and some do not. *Refuted*: all of them are. *Not shown*: none holds, and some are not decided.
    """
    reached = set(restating)
    if not reached or Verdict.NOT_RUN in needed:
        return Word.NOT_RUN
    if Verdict.HOLDS in reached:
        return Word.HOLDS if len(reached) == 1 else Word.IN_PART
    return Word.REFUTED if reached == {Verdict.REFUTED} else Word.NOT_SHOWN


def rows_beside(root: Path, claims: Claims, ledger: Ledger) -> list[PaperRow]:
    """Return the rows by the strongest evidence, beside what the run of this ledger gave. Raises
    UserError.
    """
    return rows_of(
        claims, load_findings(root, claims), evidence_of(root, ledger), Decisions.of(ledger)
    )


def evidence_of(root: Path, ledger: Ledger) -> Decisions:
    """Return the strongest evidence: the kept runs below `root`, and this run's ledger for what
    none of them has.
    """
    return Decisions.strongest(kept_runs(root)).completed(Decisions.of(ledger))


def rows_of(
    claims: Claims, findings: Findings, shown: Decisions, own: Decisions = NOTHING
) -> list[PaperRow]:
    """Return the row of each claim of the paper, in order, by the evidence `shown`, beside this
    run's `own`.

    A claim for which no finding is written needs all the claims that restate it.
    """
    written = {finding.paper: finding for finding in findings.finding}
    evidence = shown.completed(own)
    values = required_of(claims) | evidence.values
    rows = []
    for name, text in claims.outline.stated.items():
        restating = claims.restating(name)
        unwritten = Finding(paper=name, needs={claim.id: Verdict.HOLDS for claim in restating})
        finding = written.get(name, unwritten)
        verdicts = reached_of(restating, evidence)
        needed = {each: evidence.of_claim(each) for each in finding.needs}
        ours = finding.stricter.claims if finding.stricter else ()
        word = word_of(
            needed.values(), [verdict for each, verdict in verdicts.items() if each not in ours]
        )
        row = PaperRow(
            name,
            text,
            word,
            "",
            figure=finding.figure,
            restating=tuple(claim.id for claim in restating),
        )
        if word is Word.NOT_RUN:
            unrun = {claim.id for claim in restating} - verdicts.keys() if not verdicts else set()
            unrun |= {each for each, verdict in needed.items() if verdict is Verdict.NOT_RUN}
            rows.append(row._replace(fact=_untested(claims, unrun)))
            continue
        given = evidence.give(finding.needs)
        if finding.stricter:
            stricter = word_of((), [verdicts[each] for each in ours if each in verdicts])
            row = row._replace(stricter=ShownReading(stricter, finding.stricter.reading))
        rows.append(
            row._replace(
                fact=filled(finding.fact, values) if given and finding.fact else _listed(verdicts),
                scope=filled(finding.scope, values) if given else "",
                number=_number(finding, claims, evidence, own, values),
                conditions=_conditions(finding, claims, evidence, values),
                differing=_differing(claims, [*finding.needs, *row.restating], evidence, own),
            )
        )
    return rows


def reached_of(claims: Iterable[Claim], evidence: Decisions) -> dict[str, Verdict]:
    """Return what claims that were run say of one that they restate: their verdicts; a condition
    decides nothing.
    """
    reached = [claim for claim in claims if evidence.of_claim(claim.id) is not Verdict.NOT_RUN]
    return {
        claim.id: Verdict.INCONCLUSIVE if claim.is_condition else evidence.of_claim(claim.id)
        for claim in reached
    }


def _conditions(
    finding: Finding, claims: Claims, evidence: Decisions, values: Mapping[str, str]
) -> tuple[ShownCondition, ...]:
    """Return the conditions' sentences; where a claim has another verdict, or a value is
    missing, the claim's title.
    """
    shown = []
    for each in finding.condition:
        verdict = evidence.of_claim(each.claim)
        text = filled(each.text, values) if verdict is each.verdict else ""
        shown.append(
            ShownCondition(each.claim, verdict, text or claims.titles[each.claim], each.setting)
        )
    return tuple(shown)


def _differing(
    claims: Claims, names: Iterable[str], evidence: Decisions, own: Decisions
) -> tuple[ShownCondition, ...]:
    """Return the claims that this run decided otherwise; what it left undecided is no other
    verdict.
    """
    return tuple(
        ShownCondition(name, own.of_claim(name), claims.titles[name])
        for name in dict.fromkeys(names)
        if own.of_claim(name) in (Verdict.HOLDS, Verdict.REFUTED)
        and own.of_claim(name) is not evidence.of_claim(name)
    )


def _number(
    finding: Finding, claims: Claims, evidence: Decisions, own: Decisions, values: Mapping[str, str]
) -> ShownNumber | None:
    """Return the finding's number from the evidence, beside this run's; None where it was not
    measured.

    This run's may rest on kept cells, whose tolerances may exceed a tenth of its margin (not
    auditable).
    """
    asked = finding.number
    kept = evidence.checks.get(asked.check) if asked else None
    if asked is None or kept is None:
        return None
    claim, ours = claims.claim_of(asked.check).id, own.checks.get(asked.check)
    profile, label = evidence.claims[claim].profile, filled(asked.label, values)
    beside = f"kept, {profile}"
    shown = ShownNumber(spread(kept), label, profile, claim, asked.better, "", None, beside)
    if ours is None:
        return shown
    here, agrees = own.claims[claim], meet(kept, ours)
    stored = ", from stored cells" if here.kept else ""
    if asked.check in here.unaudited:
        stored += " (not auditable)"
    beside += f"; this run{stored}{',' if stored else ''} {spread(ours)}"
    if not agrees:
        beside += f", outside its interval{': ' if asked.because else ''}{asked.because}"
    return shown._replace(own=spread(ours), agrees=agrees, beside=beside)


def meet(one: Measured, other: Measured) -> bool:
    """Return whether two intervals meet, to within what another processor's rounding may move a
    value.
    """
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return False
    room = SAME * max(abs(end) for end in (one.low, one.high, other.low, other.high))
    return max(one.low, other.low) <= min(one.high, other.high) + room


def _listed(verdicts: Mapping[str, Verdict]) -> str:
    """Return verdicts in one sentence; empty for none."""
    parts = [
        f"{name} {'holds' if verdict is Verdict.HOLDS else f'is {verdict}'}"
        for name, verdict in verdicts.items()
    ]
    return f"{'; '.join(parts)}." if parts else ""


def required_of(claims: Claims) -> dict[str, str]:
    """Return what is required of each check, as `check:required`."""
    return {
        f"{check.id}:required": required(check) for claim in claims.claim for check in claim.check
    }


def finding_text(
    finding: RelatedFinding | AnswerLine, outcome: Decisions, values: Mapping[str, str]
) -> str:
    """Return what a finding says, its values filled in; empty where a verdict is another or a
    value is missing.
    """
    return filled(finding.text, values) if outcome.give(finding.needs) else ""


def of_instrument(findings: Findings, own: Decisions) -> list[str]:
    """Return what a run says of the instrument, by its own verdicts and values."""
    texts = (finding_text(each, own, own.values) for each in findings.instrument)
    return [text for text in texts if text]


def answers_of(claims: Claims, findings: Findings, evidence: Decisions) -> list[ShownLine]:
    """Return a reader's questions with their answers.

    The word is of the claims that restate what a question is on, in the reading that it asks for.
    """
    values = required_of(claims) | evidence.values
    ours = {name for each in findings.finding if each.stricter for name in each.stricter.claims}
    lines = []
    for line in findings.answer.line:
        asked = reached_of(
            (claim for name in line.paper for claim in claims.restating(name)), evidence
        )
        word = word_of(
            (), [verdict for name, verdict in asked.items() if (name in ours) is line.stricter]
        )
        lines.append(ShownLine(line.question, word, finding_text(line, evidence, values)))
    return lines


def _untested(claims: Claims, unrun: set[str]) -> str:
    """Say which claims were not run, and the command that runs them, in the smallest profile
    that has most of them.
    """
    missing = [claim for claim in claims.claim if claim.id in unrun]
    if not missing:
        return "No claim here restates it."
    chosen = max(Profile, key=lambda each: sum(each in claim.profiles for claim in missing))
    names = [claim.id for claim in missing]
    command = f"bash reproduce.sh --profile {chosen} --only {' '.join(names)}"
    return f"Not run: {', '.join(names)}. `{command}` runs {'it' if len(names) == 1 else 'them'}."


def tally(
    rows: Sequence[PaperRow], verdicts: Mapping[str, Verdict], opened: int, conditions: int
) -> str:
    """Count the claims of the paper by word and those of the suite by purpose and verdict, in one
    line.

    `opened` counts the suite's claims without evidence yet, `conditions` what it measures without
    an expectation.
    """
    return f"{' '.join(counts(rows, verdicts))}{uncounted(opened, conditions)}"


def counts(rows: Sequence[PaperRow], verdicts: Mapping[str, Verdict]) -> list[str]:
    """Return three sentences: the claims of the paper by word, those here that restate them, all
    others by verdict.
    """
    restating = {name for row in rows for name in row.restating}
    ours = [verdict for name, verdict in verdicts.items() if name in restating]
    others = [verdict for name, verdict in verdicts.items() if name not in restating]
    tallied = Counter(row.word for row in rows)
    words = ", ".join(f"{word.lower()} {tallied[word]}" for word in Word if tallied[word])
    others_do = (
        "The others explain or limit these, or test the suite (one that holds "
        "can contradict the paper)"
    )
    return [
        f"The paper's {len(rows)} claims, as stated: {words}.",
        _sentence(f"Of our {len(verdicts)} claims, {len(ours)} restate these", ours),
        _sentence(others_do, others),
    ]


def _sentence(what: str, verdicts: Sequence[Verdict]) -> str:
    return f"{what}: {reached(verdicts)}." if verdicts else f"{what}."


def uncounted(opened: int, conditions: int) -> str:
    """Count the claims without evidence yet, and the conditions, in sentences after others;
    empty for none.
    """
    unfinished = f" Among them: {opened} open (no evidence yet)." if opened else ""
    return unfinished + (
        f" Beside them: {conditions} conditions, without an expectation." if conditions else ""
    )


def reached(verdicts: Iterable[Verdict]) -> str:
    """Count verdicts in words."""
    tallied = Counter(verdicts)
    named = {Verdict.HOLDS: "hold" if tallied[Verdict.HOLDS] > 1 else "holds"}
    return ", ".join(
        f"{tallied[each]} {named.get(each, each)}" for each in Verdict if tallied[each]
    )
