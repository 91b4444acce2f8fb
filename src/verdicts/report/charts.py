"""The chart of all claims at once, which a reader filters: how far each is from its bound.

Each field is wrapped in its channel: Altair takes milliseconds to do so with a mere text.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from verdicts.claims.check import Relation
from verdicts.claims.schema import Verdict
from verdicts.records.figures import spec_of, still
from verdicts.report.views import CheckView, ClaimView

COLOURS = {
    Verdict.HOLDS: "#00694e",
    Verdict.REFUTED: "#c2452d",
    Verdict.INCONCLUSIVE: "#b8860b",
    Verdict.NOT_RUN: "#9aa4b1",
}
WIDTH = 620


class Overview(NamedTuple):
    """A chart of the report itself, with its still picture."""

    title: str
    caption: str
    spec: str
    picture: str


CAPTION = (
    "The check that each verdict hangs on, with its interval: 1 is far inside what is required, 0 its edge, -1 far "
    "outside. The distance to the edge is a share of the larger of value and bound; for an equality, of the larger of "
    "deviation and tolerance. Choose a part, point at a claim for its numbers, or open it."
)


def overview_of(claims: Sequence[ClaimView], parts: Mapping[str, str], addresses: Mapping[str, str]) -> Overview | None:
    """Return the chart of these claims, None where nothing was measured. Marks link to `addresses`."""
    if (chart := margins(claims, parts, addresses)) is None:
        return None
    spec = spec_of(chart)
    return Overview("How far each claim is from its bound.", CAPTION, spec, still(spec))


def margins(claims: Sequence[ClaimView], parts: Mapping[str, str], addresses: Mapping[str, str]) -> Any:
    """Return the forest plot: every claim's deciding check with its interval against what is required."""
    import altair as alt

    rows = []
    for view in claims:
        if view.deciding.result and view.deciding.result.value is not None:
            claim, value, low, high = view.claim, *margin(view.deciding)
            about = {"id": claim.id, "title": claim.title, "verdict": view.row.verdict.value}
            place = {"part": view.group.part, "link": addresses[claim.id], "value": value, "low": low, "high": high}
            numbers = {"measured": view.deciding.measured, "required": view.deciding.required}
            rows.append({**about, **place, **numbers})
    if not rows:
        return None
    base = alt.Chart({"values": rows}, width=WIDTH)
    x = alt.X("value:Q", title="margin: left of 0 it is not as required").axis(tickCount=5)
    y = alt.Y("id:N", sort=None, title=None).axis(grid=True)
    tooltip = [alt.Tooltip(each) for each in ("id:N", "title:N", "measured:N", "required:N", "verdict:N")]
    colour = alt.Color("verdict:N", title=None).scale(domain=[*map(str, COLOURS)], range=[*COLOURS.values()])
    common = {"y": y, "color": colour, "tooltip": tooltip, "href": alt.Href("link:N")}
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


def _of_part(alt: Any, chart: Any, parts: Mapping[str, str]) -> Any:
    """Return a chart that shows the part of the report that is chosen, or all."""
    options: list[str | None] = [None, *parts]
    choice = alt.binding_select(options=options, labels=["all", *parts.values()], name="Part ")
    chosen = alt.param(name="part", value=None, bind=choice)
    return chart.transform_filter(f"{chosen.name} == null || datum.part == {chosen.name}").add_params(chosen)
