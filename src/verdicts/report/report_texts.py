"""What the report tells beside claims: exhibits, notation, findings, deviations and limitations.

None of these files holds a measured number: a text names the checks whose values it tells.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field

from verdicts.claims.loading import Schema, load_toml
from verdicts.claims.schema import Claims, GroupName, Profile, Verdict
from verdicts.errors import UserError, unknown
from verdicts.records.expected import read_expected
from verdicts.validation import Frozen

EXHIBITS = "paper/exhibits.toml"
DEVIATIONS = "paper/deviations.toml"
LIMITATIONS = "paper/limitations.toml"
FINDINGS = "paper/findings.toml"
NOTATION = "paper/notation.toml"
WORKS = "paper/related_work.toml"
# What a text writes for a check's value with its interval, the value or an end alone, a share, or
# what is required
VALUE = re.compile(r"\{([A-Za-z]\w*\.\w+(?::(?:value|low|high|percent|required))?)\}")


class Exhibit(Frozen):
    """One figure or table of the paper.

    `what` says what it shows there, `here` names the claims, figures and tables that stand for it,
    `scaling` how they are smaller, `reason` why something is missing.
    """

    id: str
    title: str
    what: str
    here: tuple[str, ...] = ()
    status: Literal["restated", "published size", "smaller", "not here"]
    profile: Profile | None = None
    scaling: str = ""
    reason: str = ""


class Exhibits(Frozen):
    """The whole file of exhibits."""

    exhibit: tuple[Exhibit, ...] = ()


class Deviation(Frozen):
    """Where description, the authors' code and what runs here differ; `effect` says what the
    `checks` measure of it.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    title: str
    described: str
    code: str
    here: str
    effect: str
    checks: tuple[str, ...] = ()


class Deviations(Frozen):
    """The whole file of deviations."""

    deviation: tuple[Deviation, ...] = ()


class Limitation(Frozen):
    """Something that this artifact cannot tell, and what follows from it."""

    title: str
    text: str


class Limitations(Frozen):
    """The whole file of limitations."""

    limitation: tuple[Limitation, ...] = ()


class MeasuredNumber(Frozen):
    """The number of a finding: the check that measures it, what it is in words with its unit, which
    way is `better`.

    `because` says why a smaller run may differ.
    """

    check: str
    label: str
    better: str = ""
    because: str = ""


class Condition(Frozen):
    """A condition or an exception of a finding: a sentence, shown where its claim has this verdict.

    `setting` names in a few words what it is about: the target, the sampler, the budget.
    """

    claim: str
    verdict: Verdict
    text: str
    setting: str = ""


class StricterReading(Frozen):
    """Our stricter reading of a claim of the paper, and those of its restating claims that
    decide it.
    """

    reading: str
    claims: tuple[str, ...] = Field(min_length=1)


class Finding(Frozen):
    """What was found about a claim of the paper: a `fact`, and its `scope`, the conditions under
    which it is one.

    Both are sentences, shown where the verdicts are those that they need (`needs`). The claims that
    restate it decide it as stated, but for those of the `stricter` reading. `number` is the one
    number that stands beside it, `figure` the name of the figure that illustrates it. `condition`
    lists what limits it, each a sentence with its claim. `{check}` in a text becomes that check's
    measured value with its interval, `{check:value}` the value alone, `{check:low}` and
    `{check:high}` the interval's ends, `{check:percent}` the value in per cent, `{check:required}`
    what is required.
    """

    paper: str
    needs: dict[str, Verdict] = {}  # noqa: RUF012 (a pydantic field)
    fact: str = ""
    scope: str = ""
    stricter: StricterReading | None = None
    number: MeasuredNumber | None = None
    figure: str = ""
    condition: tuple[Condition, ...] = ()

    @property
    def claims(self) -> set[str]:
        """Return the claims that sentences and conditions rest on."""
        return {*self.needs, *(each.claim for each in self.condition)}

    @property
    def texts(self) -> list[str]:
        """Return all its texts that may hold a check's value."""
        labels = [self.number.label] if self.number else []
        return [self.fact, self.scope, *labels, *(each.text for each in self.condition)]


class AnswerLine(Frozen):
    """A reader's question with its answer, shown where the verdicts are those that it `needs`.

    The claims of the abstract that it is on (`paper`) decide its sign, in our `stricter` reading
    where that is asked.
    """

    question: str
    paper: tuple[str, ...] = Field(min_length=1)
    stricter: bool = False
    needs: dict[str, Verdict] = {}  # noqa: RUF012 (a pydantic field)
    text: str


class ForestRow(Frozen):
    """A row of the forest plot: `dot` names the check of its one value, `bar` those of the ends
    of its range.
    """

    label: str
    dot: str
    bar: tuple[str, str] | None = None

    @property
    def checks(self) -> tuple[str, ...]:
        """Return the checks whose values it shows."""
        return (self.dot, *(self.bar or ()))


class Forest(Frozen):
    """The one picture of the answer: a ratio, target by target, beside the range that the work
    under test claims.
    """

    axis: str
    claimed: tuple[float, float]
    caption: str
    row: tuple[ForestRow, ...] = Field(min_length=1)


class Answer(Frozen):
    """What the work under test proposes, in a sentence; a reader's questions with their answers;
    the one picture.
    """

    subject: str = ""
    line: tuple[AnswerLine, ...] = ()
    forest: Forest | None = None


class RelatedFinding(Frozen):
    """What was found about a related paper: a `text`, shown where the verdicts are those that it
    `needs`.

    `{check}` in it becomes a value, as in a `Finding`.
    """

    needs: dict[str, Verdict] = Field(min_length=1)
    text: str


class Findings(Frozen):
    """The whole file: the answer, and a finding for each claim of the paper.

    `instrument` has what a run and a certificate say of the instrument itself, by their own values.
    """

    answer: Answer = Answer()
    instrument: tuple[RelatedFinding, ...] = ()
    finding: tuple[Finding, ...] = ()


def filled(text: str, measured: Mapping[str, str]) -> str:
    """Return a text with the values of the checks that it names; empty where one is missing."""
    if any(name not in measured for name in VALUE.findall(text)):
        return ""
    return VALUE.sub(lambda match: measured[match[1]], text)


class RelatedPaper(Frozen):
    """A related paper, to whose page (`id`) groups belong: what it claims, what was found, what
    is smaller here.
    """

    id: GroupName
    title: str
    paper: str
    claims: tuple[str, ...] = Field(min_length=1)
    finding: tuple[RelatedFinding, ...] = ()
    scaled: tuple[str, ...] = Field(min_length=1)


class RelatedWork(Frozen):
    """The whole file of related papers."""

    work: tuple[RelatedPaper, ...] = ()


class Symbol(Frozen):
    """A symbol of claims and figures; `code` is what the sampler's code calls it (empty: it is
    not there).
    """

    sign: str
    code: str = ""
    meaning: str


class Notation(Frozen):
    """The whole file: the formulas of the sampler's step, the functions that compute it
    (`file:name`), the symbols.
    """

    step: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    symbol: tuple[Symbol, ...] = ()


class Texts(NamedTuple):
    """All that people write for the report, file by file."""

    exhibits: tuple[Exhibit, ...]
    findings: Findings
    deviations: tuple[Deviation, ...]
    limitations: tuple[Limitation, ...]
    notation: Notation
    works: tuple[RelatedPaper, ...]


def load_texts(root: Path, claims: Claims) -> Texts:
    """Read all texts below `root`; the claims and checks that they name must exist. Raises
    UserError.
    """
    texts = Texts(
        load_exhibits(root),
        load_findings(root, claims),
        _load(root, DEVIATIONS, Deviations).deviation,
        _load(root, LIMITATIONS, Limitations).limitation,
        _load(root, NOTATION, Notation),
        _load(root, WORKS, RelatedWork).work,
    )
    for deviation in texts.deviations:
        where = f"{DEVIATIONS}: deviation[{deviation.id}].checks"
        _refuse_unknown(where, "check", deviation.checks, claims.checks)
    pages = {work.id for work in texts.works}
    for group in claims.group:
        if group.own_page and group.own_page != group.id:
            where = f"{group.folder}/claims.toml: group.own_page"
            _refuse_unknown(where, "page", [group.own_page], pages)
    for work in texts.works:
        for each in work.finding:
            _refuse_unfit(f"{WORKS}: work[{work.id}].finding", each.needs, [each.text], claims)
    return texts


def refuse_bad_texts(root: Path, profile: Profile, claims: Claims) -> None:
    """Read all that people write for the report below `root`, and the expected values. Raises
    UserError.
    """
    load_texts(root, claims)
    read_expected(root, profile)


def load_exhibits(root: Path) -> tuple[Exhibit, ...]:
    """Read the paper's exhibits below `root`; no file, none. Raises UserError."""
    return _load(root, EXHIBITS, Exhibits).exhibit


def load_findings(root: Path, claims: Claims) -> Findings:
    """Read the findings below `root`; the claims and checks that they name must exist. Raises
    UserError.
    """
    findings = _load(root, FINDINGS, Findings)
    for each in findings.instrument:
        _refuse_unfit(f"{FINDINGS}: instrument", each.needs, [each.text], claims)
    for line in findings.answer.line:
        where = f"{FINDINGS}: answer, {line.question!r}"
        _refuse_unknown(where, "stated claim", line.paper, claims.outline.stated)
        _refuse_unfit(where, line.needs, [line.text], claims)
    for row in findings.answer.forest.row if findings.answer.forest else ():
        _refuse_unknown(
            f"{FINDINGS}: answer.forest, {row.label!r}", "check", row.checks, claims.checks
        )
    for finding in findings.finding:
        where = f"{FINDINGS}: finding[{finding.paper}]"
        _refuse_unfit(where, finding.claims, finding.texts, claims)
        if finding.number:
            _refuse_unknown(where, "check", [finding.number.check], claims.checks)
        if finding.stricter:
            restating = {claim.id for claim in claims.restating(finding.paper)}
            _refuse_unknown(
                f"{where}.stricter", "restating claim", finding.stricter.claims, restating
            )
    return findings


def _load(root: Path, name: str, schema: type[Schema]) -> Schema:
    """Return what a file holds; no file, nothing."""
    return load_toml(root, name, schema) if (root / name).exists() else schema()


def _refuse_unfit(where: str, names: Iterable[str], texts: Iterable[str], claims: Claims) -> None:
    """Raise UserError for a claim that does not exist, or a check whose value one of the texts
    holds.
    """
    _refuse_unknown(where, "claim", names, claims.titles)
    values = [name.partition(":")[0] for text in texts for name in VALUE.findall(text)]
    _refuse_unknown(where, "check", values, claims.checks)


def _refuse_unknown(where: str, kind: str, names: Iterable[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            raise UserError(f"{where}: {unknown(kind, name, known)}")
