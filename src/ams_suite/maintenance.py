"""Commands for maintainers: expected values, kept cells, the site of docs/, two runs beside one
another, a schema.

Two runs are compared check by check, in a table that says what moved and by how much. A run is a
ledger (`results/<profile>/ledger.json`) or kept values (`paper/expected/<profile>.json`, of any
commit). The site is built offline, with the notebooks executed on a run's results as its gallery.
"""

import csv
import io
import json
import math
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from tyro.conf import Positional, arg

from ams.errors import UserError
from ams_suite.commands import Command, ResultsOptions
from samplercheck.__main__ import File

if TYPE_CHECKING:
    from verdicts.claims.schema import Group
    from verdicts.records.workspace import Workspace

ROUNDING = 1e-9
"""Relative difference below which two values are the same: the order of sums may differ."""
Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Expect(ResultsOptions):
    """Make the values of the current records the expected ones: writes
    paper/expected/<profile>.json.
    """

    # no default, unlike that of `ResultsOptions`
    profile: Literal["quick", "cpu", "full", "paper", "bench"] = field()
    """Whose values."""

    def __call__(self) -> int:
        """Do it."""
        from verdicts.run.driver import open_workspace, say
        from verdicts.run.publish import expect

        return expect(open_workspace(self.options()), say)


@dataclass(frozen=True)
class Pages:
    """Write the generated parts of README.md and other pages anew, from claims, findings and stored
    values alone.
    """

    def __call__(self) -> int:
        """Do it."""
        from verdicts.records.workspace import find_root
        from verdicts.report import readme_blocks
        from verdicts.run.driver import say

        for name in readme_blocks.write(find_root(Path.cwd())):
            say(f"written: {name}")
        return 0


@dataclass(frozen=True, kw_only=True)
class Keep(ResultsOptions):
    """Publish the cells of a group's study that have a stable name; drop those of functions that
    have none any more.
    """

    group: Positional[str]
    """The group's id."""

    def __call__(self) -> int:
        """Do it."""
        from verdicts.run.audit import keep
        from verdicts.run.driver import open_workspace, say

        workspace = open_workspace(self.options())
        return keep(workspace, workspace.claims.group_named(self.group), say)


@dataclass(frozen=True, kw_only=True)
class Docs(ResultsOptions):
    """Build the site of docs/, with the executed notebooks of a profile's results."""

    ids: Annotated[Positional[tuple[str, ...]], arg(metavar="[ID ...]", help_behavior_hint="")] = ()
    """Groups whose notebooks are executed (default: all that have a claim in the profile)."""
    profile: Literal["quick", "cpu", "full", "paper"] = "quick"
    """Whose results the notebooks read."""
    site: Path = Path("results/site")
    """The folder of the site."""

    def __call__(self) -> int:
        """Do it."""
        from verdicts.run.driver import open_workspace, say

        workspace = open_workspace(self.options(only=self.ids))
        claims = workspace.claims.select(self.ids)
        chosen = {
            claim.group for claim in claims if self.ids or workspace.profile in claim.profiles
        }
        groups = [group for group in workspace.claims.group if group.id in chosen]
        return build_site(workspace, self.site.resolve(), groups, say)


def build_site(workspace: "Workspace", site: Path, groups: Iterable["Group"], say: Say) -> int:
    """Execute the notebooks of some groups whose pages are not current, then build the site into
    `site`.

    A notebook reads the profile's results, and computes what is not there. Returns 0, or 3 where a
    notebook or the build failed. Raises UserError without mkdocs.
    """
    if find_spec("mkdocs") is None:
        raise UserError("docs: mkdocs is not installed: `bash reproduce.sh docs` adds it")
    failed = _notebooks_failed(workspace, groups, say)
    gallery = workspace.folder / "notebooks"
    command = [
        sys.executable,
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "--quiet",
        "--site-dir",
        str(site),
    ]
    environment = os.environ | {"AMS_GALLERY": str(gallery), "NO_MKDOCS_2_WARNING": "1"}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"  # else docs/ holds a folder of bytecode
    done = subprocess.run(
        command, cwd=workspace.root, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        say((done.stderr or done.stdout).strip())
        return 3
    say(f"site: {site / 'index.html'}")
    return 3 if failed else 0


def _notebooks_failed(workspace: "Workspace", groups: Iterable["Group"], say: Say) -> bool:
    """Execute the notebooks whose pages are not current, after a line on how long that takes;
    return whether one broke.

    Each is named as it begins.
    """
    from verdicts.records.record import artefacts_at
    from verdicts.run.drawing import make_page

    pending = []
    for group in groups:
        page = (
            artefacts_at(workspace.page_path(group), workspace.page_parts(group))
            if group.notebook
            else None
        )
        if group.notebook and not (page and page.files):
            pending.append(group)
    if pending:
        say(_notebooks_ahead(workspace, pending))
    failed = False
    for number, group in enumerate(pending, 1):
        say(f"{number} of {len(pending)}: {group.id}")
        if reason := make_page(workspace, group):
            say(f"{group.id}: {reason}")
            failed = True
    return failed


def _notebooks_ahead(workspace: "Workspace", groups: Sequence["Group"]) -> str:
    """Say how many notebooks are executed, and how long that takes with what they compute on the
    way.
    """
    from verdicts.records.expected import read_expected
    from verdicts.records.run_record import RunRecord
    from verdicts.report.words import span
    from verdicts.run.forecast import Forecast
    from verdicts.run.plan import plan_of

    plan = plan_of(workspace, RunRecord.of(workspace, tuple(group.id for group in groups)))
    left = Forecast(workspace, plan, read_expected(workspace.root, workspace.profile)).between(0.0)
    takes = f"about {span(*left)}" if left else "no kept run says how long"
    return (
        f"{len(groups)} notebooks to execute in the {workspace.profile} profile, one after "
        f"another: {takes}"
    )


@dataclass(frozen=True, kw_only=True)
class Compare:
    """Put two runs beside one another, check by check.

    Exit code 1 if a value moved, a verdict is another or a check is gone.
    """

    before: Annotated[Positional[Path], arg(metavar="BEFORE")]
    """A ledger (results/<profile>/ledger.json) or kept values (paper/expected/<profile>.json)."""
    after: Annotated[Positional[Path], arg(metavar="AFTER")]
    """Another."""
    out: File = None
    """The CSV file to write (default: the table is printed)."""

    def __call__(self) -> int:
        """Do it."""
        from verdicts.claims.loading import load_claims
        from verdicts.records.workspace import find_root
        from verdicts.run.driver import say

        checks = [
            check for claim in load_claims(find_root(Path.cwd())).claim for check in claim.check
        ]
        rounding = {
            check.id: check.tolerance for check in checks if check.origin.startswith("rounding")
        }
        return compare(self.before, self.after, self.out, say, rounding)


class Value(NamedTuple):
    """A check's value with its interval and verdict; None where nothing was measured."""

    value: float | None
    low: float | None
    high: float | None
    verdict: str


class CheckChange(StrEnum):
    """How a check's values in two runs compare."""

    EQUAL = "equal"
    WITHIN = "within the intervals"
    ROUNDING = "within the check's tolerance of rounding"
    MOVED = "moved"
    GONE = "gone"
    NEW = "new"
    UNMEASURED = "measured in neither"
    ONE = "measured in one"


def compare(
    before: Path,
    after: Path,
    out: Path | None,
    say: Callable[[str], None],
    rounding: Mapping[str, float],
) -> int:
    """Write the table of both runs as CSV to `out` (else to the screen), and count the changes.

    `rounding` is the tolerance of each check that measures rounding errors: its value may change
    within it. Returns 1 where a check is gone, has moved, or has another verdict, else 0. Raises
    UserError for a wrong file.
    """
    rows = list(_rows(_values(before), _values(after), rounding))
    stream = io.StringIO()
    more = ("low", "high", "verdict")
    header = ("check", "before", *more, "after", *more, "relative difference", "change")
    csv.writer(stream, lineterminator="\n").writerows([header, *rows])
    if out:
        from verdicts.records.files import write_whole

        write_whole(out, stream.getvalue())
    else:
        say(stream.getvalue().rstrip())
    counts = Counter(row[-1] for row in rows)
    verdicts = sum(
        row[4] != row[8] for row in rows if row[-1] not in (CheckChange.NEW, CheckChange.GONE)
    )
    say(
        f"{len(rows)} checks: {', '.join(f'{n} {name}' for name, n in counts.items())}; "
        f"{verdicts} other verdicts"
    )
    return 1 if verdicts or counts[CheckChange.MOVED] or counts[CheckChange.GONE] else 0


def _values(path: Path) -> dict[str, Value]:
    """Return a run's values by check. Raises UserError."""
    try:
        content = json.loads(path.read_bytes())
        claims = content["claims"]
        if isinstance(claims, dict):
            checks = {
                name: check for claim in claims.values() for name, check in claim["checks"].items()
            }
        else:
            checks = {check["id"]: check for claim in claims for check in claim["checks"]}
        return {
            name: Value(*(check[field] for field in Value._fields))
            for name, check in checks.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = (
            error.strerror if isinstance(error, OSError) else "neither a ledger nor kept values"
        )
        raise UserError(
            f"{path}: {reason}; give results/<profile>/ledger.json or paper/expected/<profile>.json"
        ) from None


def _rows(
    before: dict[str, Value], after: dict[str, Value], rounding: Mapping[str, float]
) -> Iterator[tuple[Any, ...]]:
    nothing = Value(None, None, None, "")
    for name in dict.fromkeys([*before, *after]):
        one, other = before.get(name, nothing), after.get(name, nothing)
        if name in before and name in after:
            change = _change(one, other, rounding.get(name, 0.0))
        else:
            change = CheckChange.NEW if name in after else CheckChange.GONE
        yield (name, *one, *other, _difference(one, other), change)


def _difference(one: Value, other: Value) -> float | str:
    if one.value is None or other.value is None:
        return ""
    size = max(abs(one.value), abs(other.value))
    return abs(one.value - other.value) / size if size else 0.0


def _change(one: Value, other: Value, rounding: float) -> CheckChange:
    if one.value is None or other.value is None:
        return CheckChange.UNMEASURED if one.value is other.value else CheckChange.ONE
    pairs = zip(one[:3], other[:3], strict=True)
    if all(
        math.isclose(a, b, rel_tol=ROUNDING, abs_tol=1e-15)
        for a, b in pairs
        if a is not None and b is not None
    ):
        return CheckChange.EQUAL
    if abs(one.value - other.value) <= rounding:
        return CheckChange.ROUNDING
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return CheckChange.MOVED
    apart = max(one.low - other.high, other.low - one.high)
    exact = one.low == one.high and other.low == other.high
    return CheckChange.MOVED if apart > 0.0 or exact else CheckChange.WITHIN


@dataclass(frozen=True, kw_only=True)
class Schema:
    """Print the JSON schema of results/<profile>/ledger.json."""

    def __call__(self) -> int:
        """Do it."""
        from verdicts.records.ledger import Ledger

        sys.stdout.write(json.dumps(Ledger.model_json_schema(), indent=1) + "\n")
        return 0


TOOLS: dict[str, type[Command]] = {
    "compare": Compare,
    "docs": Docs,
    "expect": Expect,
    "keep": Keep,
    "pages": Pages,
    "schema": Schema,
}
"""What maintainers need of a run; the commands of groups are such too, other programs of theirs lie
in `tools`.
"""
