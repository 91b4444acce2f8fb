"""The schema of `paper/outline.toml`, what others claim, and of a group's `claims.toml`, what the
suite claims of it.

The file alone decides verdicts: quantity, relation, bound and tolerance stand there, never in code.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import Field, JsonValue, field_validator, model_validator

from verdicts.claims.check import Check, Identifier
from verdicts.errors import UserError, unknown
from verdicts.validation import Frozen

OUTLINE = "paper/outline.toml"
GroupName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
CommandName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
CommandPlace = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_.]*:[A-Za-z_]\w*$")]
ModuleName = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*$")]


class StatedClaim(Frozen):
    """A claim of the work under test, in one sentence; the suite's own claims name it by its
    `id`.
    """

    id: str
    text: str


class Part(Frozen):
    """A part of the report; groups name it by its `id`."""

    id: str
    title: str


class Outline(Frozen):
    """`paper/outline.toml`: the claims under test as their authors state them, the parts of the
    report.

    `subject` names the work under test in every figure and table; groups lie in the folders
    `rooms`. The module `queries` has the functions that checks name without a module: they read the
    table of the check's group.
    """

    subject: str
    queries: ModuleName | None = None
    rooms: tuple[str, ...] = ("analysis", "experiments")
    part: tuple[Part, ...] = Field(min_length=1)
    claim: tuple[StatedClaim, ...] = ()

    @property
    def parts(self) -> dict[str, str]:
        """Return the parts' titles by id, in the report's order."""
        return {part.id: part.title for part in self.part}

    @property
    def stated(self) -> dict[str, str]:
        """Return the stated claims' texts by id, in order."""
        return {claim.id: claim.text for claim in self.claim}


class Profile(StrEnum):
    """How much is computed: a glance, some minutes, a laptop's hour, the paper's size; or how
    fast it is computed.
    """

    QUICK = "quick"
    CPU = "cpu"
    FULL = "full"
    PAPER = "paper"
    BENCH = "bench"


class Evidence(StrEnum):
    """How firmly a claim is known, strongest first."""

    ALGEBRA = "algebra"
    EXACT_LAW = "exact law"
    COMMON_NOISE = "common noise"
    MONTE_CARLO = "Monte Carlo"
    EXPERIMENT = "experiment"


class Verdict(StrEnum):
    """What a measurement says of a check, or the checks of a claim."""

    HOLDS = "holds"
    REFUTED = "refuted"
    INCONCLUSIVE = "inconclusive"
    NOT_RUN = "not run"


class Expectation(StrEnum):
    """The verdict that a claim is expected to reach; with `open`, for want of evidence, any
    verdict agrees.
    """

    HOLDS = "holds"
    REFUTED = "refuted"
    INCONCLUSIVE = "inconclusive"
    OPEN = "open"

    def is_met_by(self, verdict: Verdict) -> bool | None:
        """Return whether a verdict agrees, None where none was reached."""
        if verdict is Verdict.NOT_RUN:
            return None
        return self is Expectation.OPEN or self.value == verdict.value


class Source(Frozen):
    """Where a claim comes from: who says so, and `where`, the section, file, theorem or table."""

    kind: Literal["abstract", "authors' code", "related paper", "proved here"]
    where: str


class Claim(Frozen):
    """A statement with its source, its expected verdict, its checks and the test that would break
    it.

    Its particulars are fields: `target`, `samplers`, `budget` (score evaluations), `tuning` (how
    hyperparameters were chosen), `n` (samples, batches, seeds). `conditions` says where it stops, a
    sentence each; `sees` the smallest effect that the checks of an undecided comparison would see;
    `after_a_look` what was chosen once values were known.

    Without an expectation (`[[condition]]` in the file) it is a *condition*: measured, kept and
    audited as a claim is, but no run can contradict it, and it is not counted as a claim.

    `profiles` decide it; `full`, whose sizes are larger, decides whatever `cpu` does and is not
    named beside it. `paper` names the stated claims (`paper/outline.toml`) that this one restates,
    so that its verdict is one on them; `supports` those that it only explains, limits or supports.
    `group` is the folder that its file lies in. The result depends on `data` (registered data sets,
    and files of the repository), and on the version of each of the `packages`, by its name in an
    index, that is installed.

    In the file `common` has the fields that the claim's checks share: a check that gives a field
    itself has its own, and its `with` is laid over the common one. In a common `quantity` the name
    of an argument in braces stands for it.
    """

    id: Identifier
    group: str = ""
    title: str
    statement: str
    target: str = ""
    samplers: str = ""
    budget: str = ""
    tuning: str = ""
    n: str = ""
    conditions: tuple[str, ...] = ()
    sees: str = ""
    after_a_look: str = ""
    source: Source
    paper: tuple[str, ...] = ()
    supports: tuple[str, ...] = ()
    evidence: Evidence
    expected: Expectation | None = None
    profiles: tuple[Profile, ...] = Field(min_length=1)
    data: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    falsifier: str = Field(pattern=r"^[^:]+\.py(::\w+)+$")
    check: tuple[Check, ...] = Field(min_length=1)

    @property
    def is_condition(self) -> bool:
        """Return whether nothing is expected of it, so that no run can contradict it."""
        return self.expected is None

    def agrees_with(self, verdict: Verdict) -> bool | None:
        """Return whether a verdict is the expected one; None where none was reached, or nothing
        is expected.
        """
        return None if self.expected is None else self.expected.is_met_by(verdict)

    @property
    def modules(self) -> set[str]:
        """Return the modules of its group that measure its checks; a query's rows are those of
        its study.
        """
        return {
            name.rpartition(".")[0] or "study" for check in self.check for name in check.functions
        }

    @model_validator(mode="before")
    @classmethod
    def _common_fields_are_laid_under_checks(cls, content: Any) -> Any:
        match content:
            case {"common": {**common}, "check": [*checks], **others}:
                return others | {"check": [_laid_over(common, each) for each in checks]}
            case {"common": {}, **others}:
                return others
        return content

    @field_validator("profiles")
    @classmethod
    def _full_has_all_of_cpu(cls, profiles: tuple[Profile, ...]) -> tuple[Profile, ...]:
        place = (
            profiles.index(Profile.CPU) + 1
            if Profile.CPU in profiles and Profile.FULL not in profiles
            else 0
        )
        return (*profiles[:place], Profile.FULL, *profiles[place:]) if place else profiles

    @model_validator(mode="after")
    def _undecided_says_what_it_sees(self) -> Self:
        if self.sees and self.expected not in (None, Expectation.INCONCLUSIVE):
            raise ValueError(
                f"{self.id}: `sees` belongs to conditions and to claims expected to be inconclusive"
            )
        return self


def _laid_over(common: dict[Any, Any], check: Any) -> Any:
    """Return a check's entry with the fields that it shares; one of another shape as it is."""
    if not isinstance(check, dict) or not isinstance(arguments := check.get("with", {}), dict):
        return check
    arguments = {**common.get("with", {}), **arguments}
    quantity = str(common.get("quantity"))
    for name, value in arguments.items():
        quantity = quantity.replace(f"{{{name}}}", str(value))
    return (
        common
        | ({"quantity": quantity} if "quantity" in common else {})
        | check
        | {"with": arguments}
    )


class GroupEntry(Frozen):
    """What a claims file says of its group: title, part of the report, place in that part.

    A group with `own_page` has that page beside the report: one of its own, named after it, or one
    that several groups share, whose introduction `paper/related_work.toml` has. `commands` adds
    commands to the suite's command line, by name, as `module:class`.
    """

    title: str
    part: str
    order: int = 0
    own_page: GroupName | None = None
    commands: dict[CommandName, CommandPlace] = {}  # noqa: RUF012 (a pydantic field)


class GroupFile(Frozen):
    """A whole `claims.toml`: its group, the group's claims, and its conditions (claims without an
    expectation).

    `common` has the fields that claims and conditions share, `common.check` those of a `common` of
    each: one that gives a field itself has its own.
    """

    group: GroupEntry
    common: dict[str, JsonValue] = {}  # noqa: RUF012 (a pydantic field)
    claim: tuple[Claim, ...] = ()
    condition: tuple[Claim, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _common_fields_are_laid_under(cls, content: Any) -> Any:
        common = content.get("common")
        if not isinstance(common, dict):
            return content
        common = {**common}
        of_checks = common.pop("check", {})
        kinds = {
            kind: content[kind]
            for kind in ("claim", "condition")
            if isinstance(content.get(kind), list)
        }
        laid = {
            kind: [
                common | each | {"common": of_checks | each.get("common", {})} for each in entries
            ]
            for kind, entries in kinds.items()
        }
        return content | laid

    @model_validator(mode="after")
    def _entries_fit_their_kind(self) -> Self:
        if not self.claim + self.condition:
            raise ValueError("a group has at least one [[claim]] or [[condition]]")
        for claim in self.claim:
            if claim.expected is None:
                raise ValueError(f"claim {claim.id}: `expected` is missing")
        for condition in self.condition:
            if condition.expected is not None or not condition.sees:
                raise ValueError(f"condition {condition.id}: `sees` is needed, and no `expected`")
        return self


class Group(GroupEntry):
    """A folder of claims, checks, figures and a notebook; `id` is the folder's name, `module` its
    dotted path.

    `folder` and `notebook` (None: there is none) are relative to the repository; `queries` is the
    outline's.
    """

    id: GroupName
    module: ModuleName
    folder: str
    notebook: str | None = None
    queries: ModuleName | None = None

    def place(self, called: str) -> tuple[str, str]:
        """Return the module and the name of what a check calls: a function of the group, or a
        query.
        """
        module, _, name = called.rpartition(".")
        return f"{self.module}.{module}" if module else self.queries or "", name


class Claims(Frozen):
    """The claims of all groups. Ids are unique, and whatever the outline must hold is there."""

    outline: Outline
    group: tuple[Group, ...]
    claim: tuple[Claim, ...]

    @model_validator(mode="after")
    def _ids_fit_together(self) -> Self:
        _refuse_repeats("group", [group.id for group in self.group])
        _refuse_repeats("claim", [*self.outline.stated, *(claim.id for claim in self.claim)])
        _refuse_repeats("check", [check.id for claim in self.claim for check in claim.check])
        for group in self.group:
            if group.part not in self.outline.parts:
                raise ValueError(
                    f"group {group.id}: {unknown('part', group.part, self.outline.parts)}"
                )
        for claim in self.claim:
            for name in (*claim.paper, *claim.supports):
                if name not in self.outline.stated:
                    raise ValueError(
                        f"claim {claim.id}: {unknown('stated claim', name, self.outline.stated)}"
                    )
        return self

    @property
    def checks(self) -> tuple[str, ...]:
        """Return the ids of all checks."""
        return tuple(check.id for claim in self.claim for check in claim.check)

    @property
    def expecting(self) -> list[str]:
        """Return the ids of the claims that have an expectation: all but conditions."""
        return [claim.id for claim in self.claim if not claim.is_condition]

    @property
    def titles(self) -> dict[str, str]:
        """Return the titles of all claims by id."""
        return {claim.id: claim.title for claim in self.claim}

    def claim_of(self, check: str) -> Claim:
        """Return the claim that a check belongs to."""
        return next(claim for claim in self.claim if any(each.id == check for each in claim.check))

    def of_group(self, group: str) -> list[Claim]:
        """Return the claims of a group, in the file's order."""
        return [claim for claim in self.claim if claim.group == group]

    def restating(self, stated: str) -> list[Claim]:
        """Return the claims that restate a stated one."""
        return [claim for claim in self.claim if stated in claim.paper]

    def seen_by(self, profile: Profile) -> Self:
        """Return the claims, with their groups, that a profile tells of: benchmarks and all else
        keep apart.
        """
        timed = profile is Profile.BENCH
        kept = tuple(claim for claim in self.claim if (claim.profiles == (Profile.BENCH,)) is timed)
        named = {claim.group for claim in kept}
        return self.model_copy(
            update={"claim": kept, "group": tuple(g for g in self.group if g.id in named)}
        )

    def group_of(self, claim: Claim) -> Group:
        """Return the group that a claim belongs to."""
        return self.group_named(claim.group)

    def group_named(self, name: str) -> Group:
        """Return the group of an id. Raises UserError, with the nearest ids, where there is
        none.
        """
        groups = {group.id: group for group in self.group}
        if name not in groups:
            raise unknown("group", name, groups)
        return groups[name]

    def select(self, names: Iterable[str]) -> list[Claim]:
        """Return the claims named, in the file's order: by id, by group, or by a stated claim that
        they restate.

        All of them if nothing is named. Raises UserError, with the nearest names, for a name that
        is none of these, and for a stated claim that none of these restates.
        """
        wanted = set(names)
        known = [
            *self.outline.stated,
            *(claim.id for claim in self.claim),
            *(group.id for group in self.group),
        ]
        for name in sorted(wanted.difference(known)):
            raise unknown("claim or group", name, known, "see --list")
        for name in sorted(wanted & self.outline.stated.keys()):
            if not self.restating(name):
                raise UserError(f"{name}: no claim here restates it; see --list")
        return [
            claim
            for claim in self.claim
            if not wanted or {claim.id, claim.group, *claim.paper} & wanted
        ]


def _refuse_repeats(kind: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"the {kind} id {name} is given {names.count(name)} times")
