"""What a notebook shows of its group: checks with their verdicts, figures and tables, as the last
run left them.

A notebook decides nothing and computes little: what a current record, figure or table holds is
shown from there. Where there is none, as in a session of one's own before any run, it is made on
the spot.
"""

import os
import tempfile
from collections.abc import Iterable, Sequence
from functools import cached_property
from html import escape
from pathlib import Path

from IPython.display import HTML, SVG

from verdicts.claims.check import Check
from verdicts.claims.schema import Claim, Profile, Verdict
from verdicts.records.figures import Figure, Table
from verdicts.records.files import NotCurrent, shown_json
from verdicts.records.record import CheckResult, artefacts_at, current_record
from verdicts.records.workspace import OUT, PROFILE, Project, Workspace, find_root
from verdicts.report.words import required, spread
from verdicts.run.checks import Checks
from verdicts.run.drawing import figures_of, tables_of
from verdicts.run.group import measured
from verdicts.studies.cells import using
from verdicts.studies.study import store_of

HEAD = ("check", "quantity", "measured", "required", "tolerance from", "verdict")


class GroupPage:
    """A group as its notebook sees it, in the profile that `VERDICTS_PROFILE` names (quick where
    it names none).
    """

    def __init__(self, name: str, project: Project) -> None:
        """Open the group `name` of the repository around the current folder. Raises UserError
        for an unknown one.
        """
        profile, out = os.environ.get(PROFILE, Profile.QUICK), os.environ.get(OUT)
        self.workspace = Workspace.open(
            find_root(Path.cwd()), Profile(profile), Path(out) if out else None, project
        )
        self.group = self.workspace.claims.group_named(name)
        self.checks = Checks.load(self.workspace, self.group)
        self.settings = self.checks.settings

    def show(self, *identifiers: str) -> HTML:
        """Return the named checks as a table; a check that cannot be run says why in place of
        its measured value.
        """
        return HTML(_html_table(HEAD, [self._row(name) for name in identifiers]))

    def figure(self, name: str) -> SVG | HTML:
        """Return a figure of the group, or the reason why this profile has none of that name."""
        figures, _, folder = self._drawn
        for figure in figures:
            if figure.file.stem == name:
                return SVG(filename=str(folder / figure.file.name))
        return self._absent(name)

    def table(self, name: str) -> HTML:
        """Return a table of the group under its caption, numbers to four digits, or the reason
        why there is none.
        """
        for table in self._drawn[1]:
            if table.id == name:
                rows = [
                    [f"{cell:.4g}" if isinstance(cell, float) else cell for cell in row]
                    for row in table.rows
                ]
                return HTML(f"<p>{escape(table.caption)}</p>{_html_table(table.header, rows)}")
        return self._absent(name)

    def _absent(self, name: str) -> HTML:
        made = shown_json(self.workspace.figures_path(self.group))
        reason = made.get("reason") or f"not made in the {self.workspace.profile} profile"
        return HTML(f"<p>{escape(name)}: {escape(str(reason))}.</p>")

    @cached_property
    def _drawn(self) -> tuple[Sequence[Figure], Sequence[Table], Path]:
        """Return figures, tables and their folder: those of the last run, else made now."""
        path = self.workspace.figures_path(self.group)
        if made := artefacts_at(path, self.workspace.figures_parts(self.group)):
            return made.figures, made.tables, path.parent
        folder = Path(tempfile.mkdtemp(prefix="verdicts-figures-"))
        with using(store_of(self.workspace)):
            return (
                figures_of(self.workspace.root, self.checks, folder),
                tables_of(self.checks),
                folder,
            )

    def _row(self, identifier: str) -> Sequence[object]:
        check, result = self._result(identifier)
        value = result.reason if result.value is None else spread(result, 6)
        return (
            check.id,
            check.quantity,
            value,
            f"{required(check)} {check.unit}",
            check.origin,
            result.verdict,
        )

    def _result(self, identifier: str) -> tuple[Check, CheckResult]:
        """Return a check and its outcome: from its claim's current record, else measured now if
        the profile runs it.
        """
        claims = self.workspace.claims.of_group(self.group.id)
        pairs = (
            (claim, check) for claim in claims for check in claim.check if check.id == identifier
        )
        if (pair := next(pairs, None)) is None:
            raise LookupError(f"{self.group.id} has no check {identifier}")
        claim, check = pair
        try:
            record = current_record(
                claim, self.workspace.record_path(claim), self.workspace.record_parts(claim)
            )
        except NotCurrent:
            return check, self._measured(claim, check)
        return check, record.checks[claim.check.index(check)]

    def _measured(self, claim: Claim, check: Check) -> CheckResult:
        profile = self.workspace.profile
        if profile not in claim.profiles:
            return CheckResult(
                id=check.id, verdict=Verdict.NOT_RUN, reason=f"not part of the {profile} profile"
            )
        errors: list[BaseException] = []
        with using(store_of(self.workspace)):
            result = measured(self.workspace, check, lambda: self.checks, errors)
        for error in errors:
            raise error
        return result


def _html_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    def line(kind: str, cells: Sequence[object]) -> str:
        return f"<tr>{''.join(f'<{kind}>{escape(str(cell))}</{kind}>' for cell in cells)}</tr>"

    body = "".join(line("td", row) for row in rows)
    return f"<table><thead>{line('th', head)}</thead><tbody>{body}</tbody></table>"
