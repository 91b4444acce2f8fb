"""The chart of stationary densities at one noise level, whose slider is the step."""

import math
from typing import Any

import numpy as np

from ams.samplers import looks
from analysis.adaptive.closed_forms import stationary_momentum
from analysis.momentum.closed_forms import variance_ratio
from analysis.orders.by_step import BETA, DOUBLINGS, SAMPLERS, SIZES, SMALLEST, AtStep, X, on_mixture
from analysis.orders.settings import Settings
from analysis.targets import of_power

LOOKS = looks.LOOKS | {"Langevin": looks.LOOKS["annealed Langevin"]}
"""The looks of the samplers by the group's names: at one noise level Langevin is not annealed."""
_COLOURS = {"target": "#8a94a1"} | {name: LOOKS[name].colour for name in SAMPLERS}


def on_gaussian(sampler: str, size: float) -> AtStep:
    """Return the stationary distribution on N(0, 1), by the closed forms (G3, A2)."""
    beta = {"Langevin": 0.0, "constant momentum": BETA}.get(sampler, stationary_momentum(size))
    deviation = float(variance_ratio(size, beta)) ** 0.5
    return AtStep(_normal(deviation), abs(deviation - 1))


def _normal(deviation: float) -> list[float]:
    return (np.exp(-0.5 * (X / deviation) ** 2) / (deviation * math.sqrt(2 * math.pi))).tolist()


def step_size(settings: Settings) -> Any:
    """What each sampler samples in the end at a fixed step, on a mixture of two modes, by exact laws. Langevin's
    distribution tends to the target as the step shrinks, momentum's to a tempered one. Constant momentum has $b = 0.8$.
    Right: the distance to the target.

    Move the step, or choose a Gaussian as the target.
    """
    import altair as alt

    curves, distances = [], []
    for target, at, exact in (
        ("mixture", on_mixture, of_power(1.0).primitive().rate(X).tolist()),
        ("Gaussian", on_gaussian, _normal(1.0)),
    ):
        for k, size in enumerate(SIZES):
            reached = {sampler: at(sampler, size) for sampler in SAMPLERS}
            columns = {"target": exact} | {sampler: each.values for sampler, each in reached.items()}
            curves += [
                {"on": target, "k": k, "x": round(x, 3)} | {name: round(y[n], 4) for name, y in columns.items()}
                for n, x in enumerate(X.tolist())
            ]
            distances += [
                {"on": target, "k": k, "size": size, "sampler": sampler, "w2": float(f"{each.w2:.4g}")}
                for sampler, each in reached.items()
            ]
    step = alt.param(name="k", value=3, bind=alt.binding_range(min=0, max=DOUBLINGS, step=1, name="Step "))
    on = alt.param(name="on", value="mixture", bind=alt.binding_select(options=["mixture", "Gaussian"], name="Target "))
    colour = alt.Color("sampler:N", title=None, scale=alt.Scale(domain=list(_COLOURS), range=list(_COLOURS.values())))
    highest = max(row[name] for row in curves for name in _COLOURS)
    densities = (
        alt.Chart({"values": curves}, width=360, height=280)
        .transform_filter("datum.k == k && datum.on == on")
        .transform_fold(list(_COLOURS), as_=["sampler", "density"])
        .mark_line()
        .encode(
            x=alt.X("x:Q", axis=alt.Axis(tickCount=7)),
            y=alt.Y("density:Q", scale=alt.Scale(domain=[0, highest])),
            color=colour,
            strokeWidth=alt.condition("datum.sampler == 'target'", alt.value(6), alt.value(2)),
            detail="sampler:N",
        )
        .properties(title=alt.TitleParams({"expr": f"'step a = ' + format({SMALLEST} * pow(2, k), '.3~g')"}))
    )
    lines = alt.Chart({"values": distances}, width=220, height=280).transform_filter("datum.on == on")
    w2 = lines.mark_line(point=True).encode(
        x=alt.X("size:Q", title="step a", scale=alt.Scale(type="log"), axis=alt.Axis(format="~g", tickCount=4)),
        y=alt.Y("w2:Q", title="W2 to the target", scale=alt.Scale(type="log"), axis=alt.Axis(format="~g", tickCount=5)),
        color=colour,
        tooltip=["sampler:N", alt.Tooltip("size:Q", title="step"), alt.Tooltip("w2:Q", title="W2")],
    )
    here = lines.transform_filter("datum.k == k").mark_rule(color="#566170", strokeDash=[3, 3]).encode(x="size:Q")
    return alt.hconcat(densities, w2 + here).add_params(step, on)
