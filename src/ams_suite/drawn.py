"""Figures and tables from functions that make them: a function's name is theirs, its docstring
the caption.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from verdicts import Figure, Table, save_figure
from verdicts.records.figures import TableCell, save_chart


def save_drawn(
    drawn: Mapping[Callable[..., Any], tuple[str, ...]], folder: Path, *given: Any, **values: object
) -> list[Figure]:
    """Call each function with `given` and save what it draws, for the claims that it stands for.

    A matplotlib figure stands still. An Altair chart moves; the second paragraph of its docstring
    says how. Where a docstring has a name of `values` in braces, the caption has its value.
    """
    return [_saved(draw(*given), folder, draw, claims, values) for draw, claims in drawn.items()]


def tabled(
    rows: Callable[..., Iterable[tuple[TableCell, ...]]],
    header: Sequence[str],
    claims: tuple[str, ...],
    *given: Any,
    name: str = "",
    **values: object,
) -> Table:
    """Return the table of the rows that a function gives for `given`, under another name if one is
    given.

    `values` are as in `save_drawn`.
    """
    caption = " ".join(_paragraphs(rows, values))
    return Table(
        id=name or rows.__name__,
        caption=caption,
        header=tuple(header),
        rows=tuple(rows(*given)),
        claims=claims,
    )


def speed_up_chart(
    rows: Sequence[Mapping[str, Any]],
    logarithmic: bool = False,
    shaded: tuple[float, float] = (2, 5),
) -> Any:
    """Return an Altair chart of speed-ups by budget, by default the paper's 2 to 5 shaded.

    A row has the name of its `case` (target and error), `tuned` ("default" or "tuned"), `budget`
    and `times`, None for no point; where it has `more`, a triangle says that the factor is larger
    than that. Where no row is tuned there is nothing to choose. `logarithmic` is the scale of the
    factors.
    """
    import altair as alt

    names, budgets = ([row[name] for row in rows] for name in ("case", "budget"))  # of all choices
    known = [row["times"] if row["times"] is not None else row.get("more") for row in rows]
    factors = [factor for factor in known if factor is not None] or [5.0]
    case = alt.selection_point(fields=["case"], bind="legend")
    choices = alt.binding_select(options=["default", "tuned"], name="Hyperparameters ")
    tuned = alt.param(name="tuned", value="default", bind=choices)
    scale, axis = alt.Scale(domain=[0, max(factors)]), alt.Axis()
    if logarithmic:
        scale = alt.Scale(type="log", domain=[min(1.0, *factors), max(5.0, *factors)], nice=False)
        axis = alt.Axis(values=[0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100])
    low, high = shaded
    band = alt.Chart({"values": [{"low": low, "high": min(high, max(5.0, *factors))}]})
    nfe = alt.X("budget:Q", title="score evaluations (NFE)").axis(
        values=[10, 20, 50, 100, 200, 500, 1000, 2000]
    )
    colours = alt.Scale(domain=list(dict.fromkeys(names)), range=["#0072b2", "#56b4e9", "#d55e00"])
    points = alt.Chart({"values": rows}, width=560, height=240).encode(
        x=nfe.scale(type="log", domain=[min(budgets), max(budgets)]),
        color=alt.Color("case:N", title=None, scale=colours),
        opacity=alt.condition(case, alt.value(1), alt.value(0.15)),
    )
    params = [case]
    if any(row["tuned"] != "default" for row in rows):
        points, params = points.transform_filter("datum.tuned == tuned"), [case, tuned]
    budget = ["case:N", alt.Tooltip("budget:Q", title="NFE")]
    lines = points.mark_line(point=alt.OverlayMarkDef(size=40)).encode(
        y=alt.Y("times:Q", title="times as many evaluations", scale=scale, axis=axis),
        tooltip=[*budget, alt.Tooltip("times:Q", title="times as many")],
    )
    shade = band.mark_rect(color="#0072b2", opacity=0.12).encode(y="low:Q", y2="high:Q")
    layers = [shade, lines.add_params(*params)]
    if any(row.get("more") is not None for row in rows):
        triangles = points.mark_point(shape="triangle-up", size=30)
        layers.append(
            triangles.encode(
                y="more:Q", tooltip=[*budget, alt.Tooltip("more:Q", title="more times than")]
            )
        )
    return alt.layer(*layers)


def _saved(
    made: Any,
    folder: Path,
    draw: Callable[..., Any],
    claims: tuple[str, ...],
    values: Mapping[str, object],
) -> Figure:
    texts = _paragraphs(draw, values)
    if hasattr(made, "to_dict"):
        return save_chart(made, folder, draw.__name__, texts[0], claims, texts[1])
    return save_figure(made, folder, draw.__name__, " ".join(texts), claims)


def _paragraphs(make: Callable[..., Any], values: Mapping[str, object]) -> list[str]:
    """Return the paragraphs of a function's docstring, values in the places of their names in
    braces.
    """
    docstring = str(make.__doc__)
    for name, value in values.items():
        docstring = docstring.replace(f"{{{name}}}", str(value))
    return [" ".join(text.split()) for text in docstring.split("\n\n")]
