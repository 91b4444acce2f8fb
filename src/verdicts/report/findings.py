"""What was found about each claim of the paper: one row a claim, in terminal, README, page and paper alike."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from verdicts.claims.schema import Claims, Profile, Verdict
from verdicts.records.expected import Expected, ExpectedCheck
from verdicts.records.ledger import Ledger
from verdicts.records.record import CheckResult
from verdicts.report.report_texts import Finding, WorkFinding, filled
from verdicts.report.words import required, spread

PLURALS = {Verdict.HOLDS: "hold"}


class Word(StrEnum):
    """What a row says of a claim of the paper."""

    HOLDS = "Holds"
    PARTLY = "Partly"
    NOT_SUPPORTED = "Not supported"
    NOT_TESTED = "Not tested"


class Outcome(NamedTuple):
    """What a run gave: each claim's verdict, each check's value with its interval; when (UTC) and on what processor."""

    profile: Profile
    verdicts: Mapping[str, Verdict]
    values: Mapping[str, str]
    newest: str
    processor: str

    @classmethod
    def of(cls, source: Ledger | Expected) -> "Outcome":
        """Read it off a ledger, or off the values of a run that were kept."""
        checks: dict[str, CheckResult | ExpectedCheck]
        if isinstance(source, Ledger):
            verdicts = {row.id: row.verdict for row in source.claims}
            checks = {result.id: result for row in source.claims for result in row.checks}
            origins = [(row.provenance.started, row.provenance.processor) for row in source.claims if row.provenance]
        else:
            verdicts = {name: claim.verdict for name, claim in source.claims.items()}
            checks = {name: check for claim in source.claims.values() for name, check in claim.checks.items()}
            origins = [(source.newest, source.processor)]
        values = {name: spread(check) for name, check in checks.items() if check.value is not None}
        return cls(source.profile, verdicts, values, *max(origins, default=("", "")))

    @property
    def origin(self) -> str:
        """Say where the numbers come from, and why others may differ; empty before any run."""
        return self.newest and (
            f"Numbers: {self.profile} profile, {self.newest[:10]}, {self.processor}. "
            "Another profile has other sizes and draws: its numbers differ, sampled ones mostly within their intervals."
        )

    def of_claim(self, name: str) -> Verdict:
        """Return a claim's verdict."""
        return self.verdicts.get(name, Verdict.NOT_RUN)


class Row(NamedTuple):
    """A claim of the paper, `text`, with what was found: a word, a sentence, and a number (empty: none was measured).

    `figure` is the name of the figure that illustrates the row, `answer` the sentence in short (may be empty),
    `restating` the ids of the claims here that restate it.
    """

    id: str
    text: str
    word: Word
    sentence: str
    number: str
    figure: str
    answer: str
    restating: tuple[str, ...] = ()


def word_of(needed: Iterable[Verdict], restating: Iterable[Verdict]) -> Word:
    """Return the word for a claim of the paper, from the verdicts of the claims that its finding needs.

    *Not tested*: one of the needed claims was not run, or none of them restates the paper's. Else those that restate
    it decide, each alike. *Holds*: all of them hold. *Not supported*: none of them holds; each is refuted or
    inconclusive. *Partly*: some hold and some do not.
    """
    held = [verdict is Verdict.HOLDS for verdict in restating]
    if not held or Verdict.NOT_RUN in needed:
        return Word.NOT_TESTED
    return Word.HOLDS if all(held) else Word.PARTLY if any(held) else Word.NOT_SUPPORTED


def rows_of(claims: Claims, findings: Sequence[Finding], outcome: Outcome) -> list[Row]:
    """Return the row of each claim of the paper, in order.

    A claim for which no finding is written needs all the claims that restate it.
    """
    written = {finding.paper: finding for finding in findings}
    return [
        _row(claims, text, written.get(name) or _unwritten(claims, name), outcome)
        for name, text in claims.outline.stated.items()
    ]


def _unwritten(claims: Claims, name: str) -> Finding:
    return Finding(paper=name, needs={claim.id: Verdict.HOLDS for claim in claims.restating(name)})


def _row(claims: Claims, text: str, finding: Finding, outcome: Outcome) -> Row:
    added = {name: verdict for name, verdict in finding.also.items() if outcome.of_claim(name) is not Verdict.NOT_RUN}
    given = {name: outcome.of_claim(name) for name in (*finding.needs, *added)}
    ours = tuple(claim.id for claim in claims.restating(finding.paper))
    restating = {name: given[name] for name in ours if name in given}
    word = word_of(given.values(), restating.values())
    values, answer = required_of(claims) | dict(outcome.values), ""
    number = finding.filled(finding.number, values)
    if word is Word.NOT_TESTED:
        sentence, number = _untested(claims, given, outcome.profile), ""
    elif given == finding.needs | added and finding.text:
        parts = [finding.text, *([finding.more] if finding.more and added.keys() == finding.also.keys() else [])]
        sentence, answer = finding.filled(" ".join(parts), values), finding.filled(finding.answer, values)
    elif finding.needs.items() <= given.items() and finding.text:  # true, but not all that was found
        others = {name: verdict for name, verdict in restating.items() if name in added}
        sentence = finding.filled(" ".join([finding.text, *_listed(others)]), values)
    else:
        sentence = " ".join(_listed(restating))
    return Row(finding.paper, text, word, sentence, number, finding.figure, answer, ours)


def _listed(verdicts: Mapping[str, Verdict]) -> list[str]:
    """Return verdicts in one sentence; none for none."""
    parts = [f"{name} {'holds' if verdict is Verdict.HOLDS else f'is {verdict}'}" for name, verdict in verdicts.items()]
    return [f"{'; '.join(parts)}."] if parts else []


def required_of(claims: Claims) -> dict[str, str]:
    """Return what is required of each check, as `check:required`."""
    return {f"{check.id}:required": required(check) for claim in claims.claim for check in claim.check}


def finding_text(finding: WorkFinding, outcome: Outcome, values: Mapping[str, str]) -> str:
    """Return what a finding says, its values filled in; empty where a verdict is another or a value is missing."""
    if any(outcome.of_claim(name) is not verdict for name, verdict in finding.needs.items()):
        return ""
    return filled(finding.text, values)


def _untested(claims: Claims, given: Mapping[str, Verdict], profile: Profile) -> str:
    """Say which claims were not run, and the command that runs them, in the smallest profile that has most of them."""
    missing = [claim for claim in claims.claim if given.get(claim.id) is Verdict.NOT_RUN]
    if not missing:
        return "No claim here restates it."
    chosen = profile
    if not all(profile in claim.profiles for claim in missing):
        chosen = max(Profile, key=lambda each: sum(each in claim.profiles for claim in missing))
    names = " ".join(claim.id for claim in missing)
    named, it = names.replace(" ", ", "), "it" if len(missing) == 1 else "them"
    return f"Not run: {named}. `bash reproduce.sh --profile {chosen} --only {names}` runs {it}."


def answer_of(rows: Sequence[Row]) -> str:
    """Return the short answers in one paragraph."""
    return " ".join(row.answer for row in rows if row.answer)


def tally(rows: Sequence[Row], verdicts: Mapping[str, Verdict], opened: Sequence[str]) -> str:
    """Count the claims of the paper by word and those of the suite by purpose and verdict, in one line.

    `opened` are the suite's claims of which nothing is expected.
    """
    return f"{' '.join(counts(rows, verdicts))}{expecting_nothing(opened)}"


def counts(rows: Sequence[Row], verdicts: Mapping[str, Verdict]) -> list[str]:
    """Return three sentences: the claims of the paper by word, those here that restate them, all others by verdict."""
    restating = {name for row in rows for name in row.restating}
    ours, others = ([v for name, v in verdicts.items() if (name in restating) is wanted] for wanted in (True, False))
    parts = [
        (f"Of our {len(verdicts)} claims, {len(ours)} restate these", reached(ours)),
        (
            "The others explain or limit these, or test the suite (one that holds can contradict the paper)",
            reached(others),
        ),
    ]
    counted = [f"{': '.join(filter(None, part))}." for part in parts]
    words = ", ".join(f"{count} {word.lower()}" for word in Word if (count := [row.word for row in rows].count(word)))
    return [f"Of the paper's {len(rows)} claims: {words}.", *counted]


def expecting_nothing(opened: Sequence[str]) -> str:
    """Count the open claims and name them, in a sentence after others; empty where there are none."""
    return f" Of {len(opened)} nothing is expected (open): {', '.join(opened)}." if opened else ""


def reached(verdicts: Iterable[Verdict]) -> str:
    """Count verdicts in words."""
    counts = Counter(verdicts)
    named = {verdict: verdict if counts[verdict] == 1 else PLURALS.get(verdict, verdict) for verdict in Verdict}
    return ", ".join(f"{counts[verdict]} {named[verdict]}" for verdict in Verdict if counts[verdict])
