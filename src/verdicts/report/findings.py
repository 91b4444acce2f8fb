"""What was found about each claim of the paper: one row a claim, in terminal, README, page and
paper alike.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, Self

from verdicts.claims.schema import Claim, Claims, Profile, Verdict
from verdicts.records.expected import SAME, Expected, ExpectedCheck, ExpectedClaim, kept_runs
from verdicts.records.ledger import Ledger
from verdicts.records.record import CheckResult
from verdicts.report.report_texts import (
    AnswerLine,
    Condition,
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


SIGNS = {
    Word.HOLDS: "✓",
    Word.IN_PART: "◐",
    Word.NOT_SHOWN: "?",
    Word.REFUTED: "✗",
    Word.NOT_RUN: "–",
}


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

    @classmethod
    def kept_in(cls, source: Expected, claim: ExpectedClaim) -> Self:
        """Return what a kept run gave for one of its claims."""
        made = (claim.made.started, claim.made.processor)
        return cls(claim.verdict, claim.checks, source.profile, made)


def _forms(check: Measured) -> dict[str, str]:
    """Return a check's value in words, by what a text writes after its name."""
    ends = {f":{name}": number(getattr(check, name)) for name in ("value", "low", "high")}
    return {"": spread(check), ":percent": percent(check.value), **ends}


class Decisions(NamedTuple):
    """What runs gave, claim by claim."""

    claims: Mapping[str, Decided] = {}

    @classmethod
    def of(cls, source: Ledger | Expected) -> Self:
        """Read it off a ledger, or off the values of a run that were kept."""
        if isinstance(source, Expected):
            return cls(
                {name: Decided.kept_in(source, claim) for name, claim in source.claims.items()}
            )
        claims = {}
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
        outcome = cls()
        for each in sorted(
            (e for e in kept if e.profile in STRONGEST), key=lambda e: STRONGEST.index(e.profile)
        ):
            outcome = outcome.completed(cls.of(each))
        return outcome

    def completed(self, weaker: Self) -> Self:
        """Return this evidence, with weaker evidence for the claims that it does not decide."""
        decided = {
            name: each
            for name, each in weaker.claims.items()
            if each.verdict is not Verdict.NOT_RUN
        }
        new = {
            name: each for name, each in decided.items() if self.of_claim(name) is Verdict.NOT_RUN
        }
        return type(self)({**self.claims, **new})

    @property
    def checks(self) -> dict[str, Measured]:
        """Return what was measured, by check."""
        return {name: check for each in self.claims.values() for name, check in each.checks.items()}

    @property
    def values(self) -> dict[str, str]:
        """Return each check's value in words: with its interval, alone, the interval's ends, and in
        per cent.
        """
        forms = {name: _forms(check) for name, check in self.checks.items()}
        return {
            f"{name}{form}": text for name, texts in forms.items() for form, text in texts.items()
        }

    @property
    def origin(self) -> str:
        """Say where the numbers come from; empty before any run."""
        profiles = {each.profile for each in self.claims.values()}
        made = sorted(each.made[0][:10] for each in self.claims.values() if each.made[0])
        processors = " and ".join(
            sorted({each.made[1] for each in self.claims.values() if each.made[1]})
        )
        names = " and ".join(profile for profile in STRONGEST if profile in profiles)
        return (
            f"Numbers: kept runs of {names}, made from {made[0]} to {made[-1]} on {processors}."
            if made
            else ""
        )

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

    `better` says which way is good. `own` is empty where this run did not measure it. `agrees`: the
    two intervals meet (None: there is none to compare); `because` says why they may not. `resting`:
    this run's rests on kept cells; `auditable`: their tolerances are below a tenth of its margin.
    """

    value: str
    label: str
    profile: Profile
    better: str = ""
    own: str = ""
    agrees: bool | None = None
    because: str = ""
    resting: bool = False
    auditable: bool = True

    @property
    def beside(self) -> str:
        """Say which kept run the value is of, and what this run measured."""
        if not self.own:
            return f"kept, {self.profile}"
        apart = (
            ""
            if self.agrees
            else f", outside its interval{': ' if self.because else ''}{self.because}"
        )
        stored = ", from stored cells" if self.resting else ""
        stored += " (not auditable)" if not self.auditable else ""
        return f"kept, {self.profile}; this run{stored}{',' if stored else ''} {self.own}{apart}"


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

    @property
    def sign(self) -> str:
        """Return the sign of the word."""
        return SIGNS[self.word]


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
    def sign(self) -> str:
        """Return the sign of its word."""
        return SIGNS[self.word]

    @property
    def headline(self) -> str:
        """Return its line in a terminal: id, word, "as stated" where we have a stricter reading,
        the paper's claim.
        """
        ours = " as stated" if self.stricter else ""
        return f"{self.id:<4}{f'{self.sign} {self.word}{ours}':<19}{self.text}"

    @property
    def verdict(self) -> str:
        """Return the row's two words in one phrase: as stated, and in our stricter reading where
        there is one.
        """
        if self.stricter is None or self.word is Word.NOT_RUN:
            return self.word
        return f"{self.word} as stated; our stricter reading: {self.stricter.word.lower()}"


class ShownLine(NamedTuple):
    """A reader's question, the sign of its answer, and the answer (empty where verdicts are
    others).
    """

    question: str
    word: Word
    text: str

    @property
    def sign(self) -> str:
        """Return the sign of the word."""
        return SIGNS[self.word]


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
    return [
        _row(claims, text, written.get(name) or _unwritten(claims, name), evidence, own, values)
        for name, text in claims.outline.stated.items()
    ]


def evidence_of(root: Path, ledger: Ledger) -> Decisions:
    """Return the strongest evidence: the kept runs below `root`, and this run's ledger for what
    none of them has.
    """
    return Decisions.strongest(kept_runs(root)).completed(Decisions.of(ledger))


def rows_beside(root: Path, claims: Claims, ledger: Ledger) -> list[PaperRow]:
    """Return the rows by the strongest evidence, beside what the run of this ledger gave. Raises
    UserError.
    """
    return rows_of(
        claims, load_findings(root, claims), evidence_of(root, ledger), Decisions.of(ledger)
    )


def _unwritten(claims: Claims, name: str) -> Finding:
    return Finding(paper=name, needs={claim.id: Verdict.HOLDS for claim in claims.restating(name)})


def _row(
    claims: Claims,
    text: str,
    finding: Finding,
    evidence: Decisions,
    own: Decisions,
    values: Mapping[str, str],
) -> PaperRow:
    restating = {claim.id: decided_by(claim, evidence) for claim in claims.restating(finding.paper)}
    reached = {
        name: verdict for name, verdict in restating.items() if verdict is not Verdict.NOT_RUN
    }
    needed = {name: evidence.of_claim(name) for name in finding.needs}
    ours = finding.stricter.claims if finding.stricter else ()
    word = word_of(
        needed.values(), (verdict for name, verdict in reached.items() if name not in ours)
    )
    row = PaperRow(finding.paper, text, word, "", figure=finding.figure, restating=tuple(restating))
    if word is Word.NOT_RUN:
        return row._replace(fact=_untested(claims, needed | (restating if not reached else {})))
    given = evidence.give(finding.needs)
    return row._replace(
        fact=filled(finding.fact, values) if given and finding.fact else _listed(reached),
        scope=filled(finding.scope, values) if given else "",
        stricter=_stricter(finding, reached),
        number=_number(finding, claims, evidence, own, values),
        conditions=tuple(_condition(claims, each, evidence, values) for each in finding.condition),
        differing=_differing(claims, [*finding.needs, *restating], evidence, own),
    )


def decided_by(claim: Claim, evidence: Decisions) -> Verdict:
    """Return what a claim says of the one that it restates: its verdict; a condition that was run
    decides nothing.
    """
    verdict = evidence.of_claim(claim.id)
    return (
        Verdict.INCONCLUSIVE if claim.is_condition and verdict is not Verdict.NOT_RUN else verdict
    )


def _stricter(finding: Finding, reached: Mapping[str, Verdict]) -> ShownReading | None:
    """Return our stricter reading with its word, None where there is none."""
    if finding.stricter is None:
        return None
    word = word_of((), (reached[name] for name in finding.stricter.claims if name in reached))
    return ShownReading(word, finding.stricter.reading)


def _condition(
    claims: Claims, condition: Condition, evidence: Decisions, values: Mapping[str, str]
) -> ShownCondition:
    """Return a condition's sentence; where its claim has another verdict, or a value is missing,
    the claim's title.
    """
    verdict = evidence.of_claim(condition.claim)
    text = filled(condition.text, values) if verdict is condition.verdict else ""
    return ShownCondition(
        condition.claim, verdict, text or claims.titles[condition.claim], condition.setting
    )


def _differing(
    claims: Claims, names: Iterable[str], evidence: Decisions, own: Decisions
) -> tuple[ShownCondition, ...]:
    """Return the claims that this run decided otherwise; what it left undecided is no other
    verdict.
    """
    verdicts = {name: own.of_claim(name) for name in names}
    return tuple(
        ShownCondition(name, verdict, claims.titles[name])
        for name, verdict in verdicts.items()
        if verdict in (Verdict.HOLDS, Verdict.REFUTED) and verdict is not evidence.of_claim(name)
    )


def _number(
    finding: Finding, claims: Claims, evidence: Decisions, own: Decisions, values: Mapping[str, str]
) -> ShownNumber | None:
    """Return the finding's number from the evidence, beside this run's; None where it was not
    measured.
    """
    number, measured = finding.number, evidence.checks
    if number is None or number.check not in measured:
        return None
    claim, kept, ours = (
        claims.claim_of(number.check).id,
        measured[number.check],
        own.checks.get(number.check),
    )
    label, profile = filled(number.label, values), evidence.claims[claim].profile
    shown = ShownNumber(spread(kept), label, profile, number.better, because=number.because)
    if ours is None:
        return shown
    here = own.claims[claim]
    auditable = number.check not in here.unaudited
    return shown._replace(
        own=spread(ours), agrees=meet(kept, ours), resting=here.kept, auditable=auditable
    )


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
    """Return what a finding says, its values filled in; empty where a verdict is another or a value
    is missing.
    """
    return filled(finding.text, values) if outcome.give(finding.needs) else ""


def of_instrument(findings: Findings, own: Decisions) -> list[str]:
    """Return what a run says of the instrument, by its own verdicts and values."""
    texts = (finding_text(each, own, own.values) for each in findings.instrument)
    return [text for text in texts if text]


def answers_of(claims: Claims, findings: Findings, evidence: Decisions) -> list[ShownLine]:
    """Return a reader's questions with their answers."""
    values = required_of(claims) | evidence.values
    return [
        ShownLine(
            line.question,
            _answered(claims, findings, line, evidence),
            finding_text(line, evidence, values),
        )
        for line in findings.answer.line
    ]


def _answered(claims: Claims, findings: Findings, line: AnswerLine, evidence: Decisions) -> Word:
    """Return the word for a question: of the claims that restate what it is on, in the reading that
    it asks for.
    """
    ours = {name for each in findings.finding if each.stricter for name in each.stricter.claims}
    asked = {
        claim.id: decided_by(claim, evidence)
        for name in line.paper
        for claim in claims.restating(name)
    }
    verdicts = [verdict for name, verdict in asked.items() if (name in ours) is line.stricter]
    return word_of((), (verdict for verdict in verdicts if verdict is not Verdict.NOT_RUN))


def _untested(claims: Claims, given: Mapping[str, Verdict]) -> str:
    """Say which claims were not run, and the command that runs them, in the smallest profile that
    has most of them.
    """
    missing = [claim for claim in claims.claim if given.get(claim.id) is Verdict.NOT_RUN]
    if not missing:
        return "No claim here restates it."
    chosen = max(Profile, key=lambda each: sum(each in claim.profiles for claim in missing))
    names = " ".join(claim.id for claim in missing)
    named, it = names.replace(" ", ", "), "it" if len(missing) == 1 else "them"
    return f"Not run: {named}. `bash reproduce.sh --profile {chosen} --only {names}` runs {it}."


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
    ours, others = (
        [v for name, v in verdicts.items() if (name in restating) is wanted]
        for wanted in (True, False)
    )
    others_do = (
        "The others explain or limit these, or test the suite (one that holds can contradict "
        "the paper)"
    )
    parts = (f"Of our {len(verdicts)} claims, {len(ours)} restate these", ours), (others_do, others)
    counted = [f"{': '.join(filter(None, (what, reached(of))))}." for what, of in parts]
    words = ", ".join(
        f"{word.lower()} {count}"
        for word in Word
        if (count := [row.word for row in rows].count(word))
    )
    return [f"The paper's {len(rows)} claims, as stated: {words}.", *counted]


def uncounted(opened: int, conditions: int) -> str:
    """Count the claims without evidence yet, and the conditions, in sentences after others; empty
    for none.
    """
    unfinished = f" Among them: {opened} open (no evidence yet)." if opened else ""
    return unfinished + (
        f" Beside them: {conditions} conditions, without an expectation." if conditions else ""
    )


def reached(verdicts: Iterable[Verdict]) -> str:
    """Count verdicts in words."""
    counts = Counter(verdicts)
    named = {Verdict.HOLDS: "hold" if counts[Verdict.HOLDS] > 1 else "holds"}
    return ", ".join(f"{counts[each]} {named.get(each, each)}" for each in Verdict if counts[each])
