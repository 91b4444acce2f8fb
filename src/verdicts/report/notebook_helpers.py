"""What every notebook needs: the profile's settings of its group, and its checks shown as they come out.

A notebook decides nothing: `show` runs the same functions that the ledger's records come from, and says of each what
the claims file says.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from html import escape
from pathlib import Path
from types import ModuleType
from typing import Any

from IPython.display import HTML
from matplotlib import style
from matplotlib_inline.backend_inline import set_matplotlib_formats

from verdicts import Table
from verdicts.claims.loading import load_claims, load_config
from verdicts.claims.measurement import Measurement, Unavailable, bound_checks
from verdicts.claims.schema import Check, Profile, Verdict
from verdicts.claims.verdict import check_verdict

ROOT = Path(__file__).parent.parent


def settings_of(module: ModuleType, profile: str = "") -> Any:
    """Return the module's `Settings` for `profile`, else for the one that AMS_PROFILE names, else for quick.

    Also sets the figures' style and format for the notebook.
    """
    style.use(ROOT / "paper" / "style.mplstyle")
    set_matplotlib_formats("svg")
    claims = load_claims(ROOT)
    config = load_config(ROOT, Profile(profile or os.environ.get("AMS_PROFILE", "quick")), claims)
    group = next(group for group in claims.group if group.module == module.__name__)
    return module.Settings(**config.settings_of(group.id))


def show(module: ModuleType, settings: Any, *identifiers: str) -> HTML:
    """Run the named checks and return their table: quantity, measured, claimed, the tolerance's origin, verdict.

    A check that cannot be run here says why in place of its measured value.
    """
    known = {check.id: check for claim in load_claims(ROOT).claim for check in claim.check}
    functions = bound_checks(module)
    rows = "".join(_row(known[name], functions[name], settings) for name in identifiers)
    head = "".join(
        f"<th>{name}</th>" for name in ("check", "quantity", "measured", "claimed", "tolerance from", "verdict")
    )
    return HTML(f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>")


def show_table(table: Table) -> HTML:
    """Return a ledger's table under its caption, floats to four digits."""
    head = "".join(f"<th>{escape(name)}</th>" for name in table.header)
    body = "".join("<tr>" + "".join(f"<td>{escape(_told(cell))}</td>" for cell in row) + "</tr>" for row in table.rows)
    return HTML(f"<p>{escape(table.caption)}</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")


def _told(cell: str | int | float) -> str:
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)


def _row(check: Check, function: Callable[[Any], Measurement], settings: Any) -> str:
    try:
        measured = function(settings)
    except Unavailable as absence:
        value, verdict = str(absence), Verdict.NOT_RUN
    else:
        low, high = measured.interval
        value = f"{measured.value:.6g}" + ("" if low == high else f" [{low:.4g}, {high:.4g}]")
        verdict = check_verdict(check, measured)
    claimed = f"{check.relation} {check.bound:g} ± {check.tolerance:g} {check.unit}"
    cells = (check.id, check.quantity, value, claimed, check.origin, verdict)
    return "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in cells) + "</tr>"
