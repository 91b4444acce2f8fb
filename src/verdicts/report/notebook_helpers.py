"""What every notebook needs: the profile's settings of its group, and its checks shown as they come out.

A notebook decides nothing: `show` calls the functions that records come from, and says of each check what the claims
file says. In a run these read the group's study; in a notebook that is opened by hand they compute what they need.
"""

import os
from collections.abc import Callable
from html import escape
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from IPython.display import HTML
from matplotlib import style
from matplotlib_inline.backend_inline import set_matplotlib_formats

from verdicts.claims.loading import load_claims, load_config
from verdicts.claims.measurement import Measurement, bound_checks
from verdicts.claims.schema import Check, Group, Profile, Verdict
from verdicts.claims.verdict import check_verdict
from verdicts.errors import unknown
from verdicts.records.figures import Table
from verdicts.records.sources import Sources
from verdicts.records.workspace import OUT, PROFILE, PROJECT, STYLE, Workspace, find_root, project_at
from verdicts.studies.cells import use
from verdicts.studies.study import store_of

Function = Callable[[Any], Measurement]


def settings_of(group: str | ModuleType, profile: str = "") -> Any:
    """Return a group's settings for `profile`, else for the one that VERDICTS_PROFILE names, else for quick.

    `group` is its id or its package. Also sets the figures' style and format for the notebook, and in a run lets the
    group's cells be read from the results. Raises UserError for an unknown group.
    """
    root = find_root(Path.cwd())
    style.use(root / STYLE)
    set_matplotlib_formats("svg")  # type: ignore[no-untyped-call]
    chosen = Profile(profile or os.environ.get(PROFILE, Profile.QUICK))
    if out := os.environ.get(OUT):
        use(store_of(Workspace.open(root, chosen, Path(out), project_at(os.environ.get(PROJECT, ""))), reading=True))
    entry = _group(root, group)
    raw = load_config(root, chosen, load_claims(root)).settings_of(entry.id)
    return import_module(f"{entry.module}.settings").Settings(**raw)


def show(group: str | ModuleType, settings: Any, *identifiers: str) -> HTML:
    """Call the named checks of a group; return their table: quantity, measured, claimed, tolerance's origin, verdict.

    A check that cannot be run here says why in place of its measured value. Raises KeyError for an unknown check.
    """
    root = find_root(Path.cwd())
    entries = {check.id: check for claim in load_claims(root).claim for check in claim.check}
    modules = Sources(root).bound(_group(root, group).module)
    functions: dict[str, Function] = {name: bound_checks(import_module(modules[name]))[name] for name in identifiers}
    rows = "".join(_row(entries[name], functions[name], settings) for name in identifiers)
    names = ("check", "quantity", "measured", "claimed", "tolerance from", "verdict")
    head = "".join(f"<th>{name}</th>" for name in names)
    return _html(f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>")


def show_table(table: Table) -> HTML:
    """Return a group's table under its caption, floats to four digits."""
    head = "".join(f"<th>{escape(name)}</th>" for name in table.header)
    body = "".join("<tr>" + "".join(f"<td>{escape(_text(cell))}</td>" for cell in row) + "</tr>" for row in table.rows)
    return _html(f"<p>{escape(table.caption)}</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")


def _group(root: Path, group: str | ModuleType) -> Group:
    name = group if isinstance(group, str) else group.__name__
    groups = load_claims(root).group
    for each in groups:
        if name in (each.id, each.module):
            return each
    raise unknown("group", name, [each.id for each in groups])


def _html(text: str) -> HTML:
    return HTML(text)  # type: ignore[no-untyped-call]


def _text(cell: str | int | float) -> str:
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)


def _row(check: Check, function: Function, settings: Any) -> str:
    try:
        measured = Measurement.model_validate(function(settings))
    except Exception as absence:
        if not getattr(absence, "not_run", False):
            raise
        value, verdict = str(absence), Verdict.NOT_RUN
    else:
        low, high = measured.interval
        value = f"{measured.value:.6g}" + ("" if low == high else f" [{low:.4g}, {high:.4g}]")
        verdict = check_verdict(check, measured)
    claimed = f"{check.relation} {check.bound:g} ± {check.tolerance:g} {check.unit}"
    cells = (check.id, check.quantity, value, claimed, check.origin, verdict)
    return "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in cells) + "</tr>"
