"""Charts of all claims at once, which a reader filters: their margins, their map, kept against measured values.

Each field is wrapped in its channel: Altair takes milliseconds to do so with a mere text.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from verdicts.claims.check import Relation
from verdicts.claims.schema import Verdict
from verdicts.records.charts import spec_of, still
from verdicts.report.views import CheckView, ClaimView, MovedView
from verdicts.report.words import spread

COLOURS = {
    Verdict.HOLDS: "#00694e",
    Verdict.REFUTED: "#c2452d",
    Verdict.INCONCLUSIVE: "#b8860b",
    Verdict.NOT_RUN: "#9aa4b1",
}
WIDTH = 620
SEATS = 7  # claims of a group side by side on the map


class Overview(NamedTuple):
    """A chart of the report itself, with its still picture."""

    title: str
    caption: str
    spec: str
    picture: str


def overviews(
    claims: Sequence[ClaimView], moved: MovedView | None, parts: Mapping[str, str], addresses: Mapping[str, str]
) -> dict[str, Overview]:
    """Return the charts of these claims by name; none of what was not measured. Marks link to `addresses`."""
    made = {
        "map": ("What supports or limits each claim of the paper.", MAP, stated_map(claims, addresses)),
        "margins": ("How far each claim is from its bound.", MARGINS, margins(claims, parts, addresses)),
        "kept": ("Measured against kept values.", EXPECTED, kept(claims, moved, parts, addresses)),
    }
    charts = {}
    for name, (title, caption, chart) in made.items():
        if chart is not None:
            spec = spec_of(chart)
            charts[name] = Overview(title, caption, spec, still(spec))
    return charts


MAP = (
    "Each mark is a claim, in the column of the paper's claim that it restates (squares) or supports or limits "
    "(circles), in the row of its group. Point at one to see where else it stands; choose it to open it."
)
MARGINS = (
    "The check that each verdict hangs on, with its interval: 1 is far inside what is required, 0 its edge, -1 far "
    "outside. The distance to the edge is a share of the larger of value and bound; for an equality, of the larger of "
    "deviation and tolerance. Choose a part, point at a claim for its numbers, or open it."
)
EXPECTED = (
    "Every check with a kept value, that of a whole run, against this run's. On the line nothing has "
    "moved. Choose a part; drag and scroll to enlarge; point at a check for its numbers."
)


def _entry(view: ClaimView, addresses: Mapping[str, str]) -> dict[str, Any]:
    """Return what every chart tells of a claim."""
    return {
        "id": view.claim.id,
        "title": view.claim.title,
        "verdict": view.row.verdict.value,
        "part": view.group.part,
        "link": addresses[view.claim.id],
    }


def stated_map(claims: Sequence[ClaimView], addresses: Mapping[str, str]) -> Any:
    """Return the map of claims: a column a claim of the paper, a row a group; those that restate it come first."""
    import altair as alt

    rows, seats = [], Counter[tuple[str, str]]()
    groups = {view.group.id: view.group.title.split(":")[0] for view in claims}
    by_role = [("restates", view, name) for view in claims for name in view.claim.paper]
    by_role += [("supports", view, name) for view in claims for name in view.claim.supports]
    for role, view, stated in by_role:
        group = groups[view.group.id]
        line, seat = divmod(seats[stated, group], SEATS)
        seats[stated, group] += 1
        place = {"group": group, "stated": stated, "role": role, "seat": seat, "line": line}
        rows.append(_entry(view, addresses) | place)
    if not rows:
        return None
    columns, lines = sorted({row["stated"] for row in rows}), list(dict.fromkeys(groups.values()))
    pointed = alt.selection_point(fields=["id"], on="pointerover", empty=True, clear="pointerout")
    marks = alt.Chart({"values": rows}, width=WIDTH, height=alt.Step(14)).mark_point(filled=True, size=62)
    return marks.encode(
        x=alt.X("stated:N", title=None, sort=columns).axis(orient="top", labelAngle=0),
        xOffset=alt.XOffset("seat:O", sort=None),
        y=alt.Y("group:N", title=None, sort=lines).axis(labelLimit=260, grid=True),
        yOffset=alt.YOffset("line:O", sort=None),
        color=_coloured(alt),
        shape=alt.Shape("role:N", title=None).scale(domain=["restates", "supports"], range=["square", "circle"]),
        opacity=alt.OpacityValue(**alt.condition(pointed, alt.value(1), alt.value(0.15))),
        tooltip=[alt.Tooltip(each) for each in ("id:N", "title:N", "role:N", "stated:N", "verdict:N")],
        href=alt.Href("link:N"),
    ).add_params(pointed)


def margins(claims: Sequence[ClaimView], parts: Mapping[str, str], addresses: Mapping[str, str]) -> Any:
    """Return the forest plot: every claim's deciding check with its interval against what is required."""
    import altair as alt

    rows = []
    for view in claims:
        if view.deciding.result and view.deciding.result.value is not None:
            value, low, high = margin(view.deciding)
            numbers = {"measured": view.deciding.measured, "required": view.deciding.required}
            rows.append(_entry(view, addresses) | {"value": value, "low": low, "high": high} | numbers)
    if not rows:
        return None
    base = alt.Chart({"values": rows}, width=WIDTH)
    x = alt.X("value:Q", title="margin: left of 0 it is not as required").axis(tickCount=5)
    y = alt.Y("id:N", sort=None, title=None).axis(grid=True)
    tooltip = [alt.Tooltip(each) for each in ("id:N", "title:N", "measured:N", "required:N", "verdict:N")]
    common = {"y": y, "color": _coloured(alt), "tooltip": tooltip, "href": alt.Href("link:N")}
    intervals = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", title=""), x2=alt.X2("high:Q"), **common)
    points = base.mark_point(filled=True, size=45).encode(x=x.scale(domain=[-1, 1], clamp=True), **common)
    edge = alt.Chart({"values": [{"edge": 0}]}).mark_rule(color="#1c2430").encode(x=alt.X("edge:Q"))
    return _of_part(alt, intervals + points, parts).properties(height=alt.Step(11)) + edge


def margin(view: CheckView) -> tuple[float, float, float]:
    """Return how far value, low and high end are inside (above 0) or outside of what a check requires, as a share.

    The share is of the larger of value and bound, or of an equality's larger of deviation and tolerance.
    """
    check, result = view.check, view.result
    assert result and result.value is not None
    ends = [result.value if end is None else end for end in (result.value, result.low, result.high)]
    if check.relation is Relation.EQUAL:
        value, *others = [abs(end - check.bound) for end in ends]
        away = [value, 0.0 if min(ends) <= check.bound <= max(ends) else min(others), max(others)]
        inside = [check.tolerance - each for each in away]
        scale = max(check.tolerance, away[0])
    else:
        sign = 1 if check.relation is Relation.AT_LEAST else -1
        edge = check.bound - sign * check.tolerance
        inside = [sign * (end - edge) for end in ends]
        scale = max(abs(result.value), abs(edge))
    share = [each / scale if scale else float(check.relation is Relation.EQUAL) for each in inside]
    value, *others = [max(-1.0, min(1.0, each)) for each in share]
    return value, min(others), max(others)


def kept(
    claims: Sequence[ClaimView], moved: MovedView | None, parts: Mapping[str, str], addresses: Mapping[str, str]
) -> Any:
    """Return the chart of measured against kept values."""
    import altair as alt

    of_check = {item.check.id: view for view in claims for item in view.checks}
    rows = [
        {
            "check": pair.check,
            "part": of_check[pair.check].group.part,
            "link": addresses[of_check[pair.check].claim.id],
            "expected": pair.expected.value,
            "measured": pair.result.value,
            "moved": pair.moved.value,
            "was": spread(pair.expected),
            "is": spread(pair.result),
        }
        for pair in (moved.compared if moved else ())
        if pair.expected and pair.result and pair.result.value is not None
    ]
    if not rows:
        return None
    scale = alt.Scale(type="symlog", constant=1e-3, nice=False, padding=10)
    axis = alt.Axis(values=[-100, -1, -0.01, 0, 0.01, 1, 100, 1e4], labelExpr="replace(datum.value, '-', '−')")
    points = alt.Chart({"values": rows}, width=WIDTH, height=420).mark_point(size=40)
    points = points.encode(
        x=alt.X("expected:Q", title="kept value", scale=scale, axis=axis),
        y=alt.Y("measured:Q", title="value measured in this run", scale=scale, axis=axis),
        color=alt.Color("moved:N", title=None).scale(domain=["as kept", "moved"], range=["#0072b2", "#c2452d"]),
        tooltip=[alt.Tooltip("check:N"), alt.Tooltip("was:N", title="kept"), alt.Tooltip("is:N", title="measured")],
        href=alt.Href("link:N"),
    )
    ends = [min(row["expected"] for row in rows), max(row["expected"] for row in rows)]
    line = alt.Chart({"values": [{"expected": end, "measured": end} for end in ends]})
    line = line.mark_line(color="#9aa4b1", strokeWidth=1).encode(alt.X("expected:Q"), alt.Y("measured:Q"))
    return (line + _of_part(alt, points, parts)).interactive()


def _coloured(alt: Any) -> Any:
    names = [verdict.value for verdict in COLOURS]
    return alt.Color("verdict:N", title=None).scale(domain=names, range=list(COLOURS.values()))


def _of_part(alt: Any, chart: Any, parts: Mapping[str, str]) -> Any:
    """Return a chart that shows the part of the report that is chosen, or all."""
    options: list[str | None] = [None, *parts]
    choice = alt.binding_select(options=options, labels=["all", *parts.values()], name="Part ")
    chosen = alt.param(name="part", value=None, bind=choice)
    return chart.transform_filter(f"{chosen.name} == null || datum.part == {chosen.name}").add_params(chosen)
