"""The chart of particles on the mixture as the noise falls: a slider plays the frames."""

import math
from typing import Any

import numpy as np
import torch

from ams.samplers.looks import LOOKS
from ams.schedules import Level
from analysis.annealed.film import SAMPLERS, frames
from analysis.annealed.mixture import MINORITY, SPREAD, target
from analysis.annealed.settings import BASELINE, Settings

SHOWN = 60
"""Particles that are shown."""
X = np.linspace(-3.0, 3.0, 61)


def film(settings: Settings) -> Any:
    """Particles of three samplers on the mixture .3/.7 as the noise falls: 100 evaluations, five
    steps at each of 20 noise levels, positions in the target's standard deviations there. Above:
    the target at that noise level. At the end Langevin keeps the most noise.

    Play it, or choose a noise level.
    """
    import altair as alt

    runs = {sampler: frames(sampler, settings.seed) for sampler in SAMPLERS}
    sigmas = runs[BASELINE][:, 0].tolist()
    deviations = [
        math.sqrt(SPREAD**2 + 4 * MINORITY * (1 - MINORITY) + sigma**2) for sigma in sigmas
    ]
    dots = [
        {"k": k + 1, "n": n}
        | {name: round(rows[k, 1 + n] / deviations[k], 3) for name, rows in runs.items()}
        for k in range(len(sigmas))
        for n in range(SHOWN)
    ]
    levels = [Level(k, sigma=sigma) for k, sigma in enumerate(sigmas)]
    curves = [
        {"k": k + 1, "x": round(x, 2), "density": round(y, 4)}
        for k, (level, deviation) in enumerate(zip(levels, deviations, strict=True))
        for x, y in zip(X.tolist(), _density(level, deviation), strict=True)
    ]
    title = f"'noise level ' + k + ' of {len(sigmas)}'"
    slider = alt.binding_range(min=1, max=len(sigmas), step=1, name="Noise level ")
    k = alt.param(name="k", value=len(sigmas), bind=slider)
    place = alt.Scale(domain=[-3, 3], clamp=True)
    curve = (
        alt.Chart({"values": curves}, width=560, height=90)
        .transform_filter("datum.k == k")
        .mark_area(color="#c3cad3")
        .encode(
            x=alt.X("x:Q", title=None, scale=place),
            y=alt.Y("density:Q", title="target", axis=alt.Axis(labels=False)),
        )
        .properties(title=alt.TitleParams({"expr": title}))
    )
    colours = alt.Scale(domain=list(SAMPLERS), range=[LOOKS[name].colour for name in SAMPLERS])
    strips = (
        alt.Chart({"values": dots}, width=560)
        .transform_filter("datum.k == k")
        .transform_fold(list(SAMPLERS), as_=["sampler", "x"])
        .mark_point(filled=True, size=26, opacity=0.6)
        .encode(
            x=alt.X("x:Q", title="x in the target's standard deviations", scale=place),
            y=alt.Y("sampler:N", title=None, sort=None, axis=alt.Axis(labelLimit=200)),
            yOffset=alt.YOffset("n:Q", scale=alt.Scale(nice=False)),
            color=alt.Color("sampler:N", scale=colours, legend=None),
        )
        .properties(height=alt.Step(70))
    )
    return alt.vconcat(curve, strips).add_params(k)


def _density(level: Level, deviation: float) -> list[float]:
    x = torch.as_tensor(X * deviation).unsqueeze(1)
    return (deviation * target().log_density(x, level).exp()).tolist()
